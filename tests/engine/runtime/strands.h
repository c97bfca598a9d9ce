#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "engine/runtime/scheduler.h"

// Strands that do what a test says.

namespace prospero {

class TestStrand final : public Strand {
 public:
  explicit TestStrand(std::function<bool()> work) : work_(std::move(work)) {}
  bool RunSlice() override { return work_(); }

 private:
  const std::function<bool()> work_;
};

inline std::shared_ptr<Strand> Add(Scheduler& scheduler, std::function<bool()> work) {
  auto strand = std::make_shared<TestStrand>(std::move(work));
  scheduler.Add(strand);
  return strand;
}

/// A strand whose slices are shared: sections of two tasks, one after the other, as long as `more`
/// says so; in each slice it calls for helpers.
class SharedStrand final : public Strand {
 public:
  SharedStrand(Scheduler& scheduler, std::function<bool(const Crew&)> more)
      : scheduler_(scheduler), more_(std::move(more)) {}

  bool RunSlice() override {
    const auto owner = std::this_thread::get_id();
    crew_->Begin();
    scheduler_.CallHelpers(this, crew_);
    while (more_(*crew_)) {
      crew_->Run(2, [&](int64_t) {
        if (std::this_thread::get_id() != owner) helped.store(true);
      });
    }
    crew_->Rest();
    return false;
  }
  const std::shared_ptr<Crew>& crew() { return crew_; }

  std::atomic<bool> helped{false};  ///< a task was done by another thread

 private:
  Scheduler& scheduler_;
  const std::function<bool(const Crew&)> more_;
  const std::shared_ptr<Crew> crew_ = std::make_shared<Crew>(3);
};

inline std::shared_ptr<SharedStrand> AddShared(Scheduler& scheduler,
                                               std::function<bool(const Crew&)> more) {
  auto strand = std::make_shared<SharedStrand>(scheduler, std::move(more));
  scheduler.Add(strand);
  return strand;
}

/// Runs when its time has come.
class TimedStrand final : public Strand {
 public:
  /// `work` may change the timing.
  TimedStrand(Timing timing, std::function<bool(Timing&)> work)
      : timing_(timing), work_(std::move(work)) {}
  bool RunSlice() override { return work_(timing_); }
  Timing timing() const override { return timing_; }

 private:
  Timing timing_;
  const std::function<bool(Timing&)> work_;
};

inline std::shared_ptr<Strand> AddTimed(Scheduler& scheduler, Timing timing,
                                        std::function<bool(Timing&)> work) {
  auto strand = std::make_shared<TimedStrand>(timing, std::move(work));
  scheduler.Add(strand);
  return strand;
}

}  // namespace prospero
