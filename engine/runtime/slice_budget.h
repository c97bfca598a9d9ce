#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "engine/runtime/clock.h"

namespace prospero {

inline int64_t Nanoseconds(Clock::Time::duration duration) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
}

/// What a step of one network costs, from what the last ones did cost. Written on the
/// strand, read by any thread.
class StepCost {
 public:
  /// [ns]; -1 before the first measurement.
  int64_t ns() const { return ns_.load(std::memory_order_relaxed); }

  void Add(int64_t elapsed_ns, int64_t steps) {
    if (steps == 0) return;
    const int64_t measured = elapsed_ns / steps;
    const int64_t old = ns();
    if (old < 0) return ns_.store(measured, std::memory_order_relaxed);
    // One step that the machine interrupted must not spoil the estimate for long.
    const int64_t bounded = std::min(measured, 4 * old + 1000);
    ns_.store(old + (bounded - old) / 4, std::memory_order_relaxed);
  }

  /// True when that many steps are known to take at most this long.
  bool Fits(int64_t steps, int64_t limit_ns) const {
    const int64_t cost = ns();
    return cost >= 0 && (cost == 0 || steps <= limit_ns / cost);
  }

 private:
  std::atomic<int64_t> ns_{-1};
};

/// How long a slice may go on: 256 steps or 1 ms, whichever ends first, and one step at
/// least. A slice that is in nobody's hurry also ends when one that is wants its thread. The clock
/// is looked at rarely when steps are cheap. Used on the strand only.
class SliceBudget {
 public:
  static constexpr int64_t kMaxSteps = 256;
  static constexpr int64_t kMaxNs = 1'000'000;

  /// `pressed_at`: Scheduler::pressed_at; null for a slice that has a deadline itself.
  SliceBudget(const Clock& clock, int64_t step_cost_ns, const std::atomic<int64_t>* pressed_at)
      : clock_(clock), pressed_at_(pressed_at), begin_(clock.Now()), seen_(begin_) {
    stride_ = step_cost_ns < 0 ? 1 : std::clamp<int64_t>(kMaxNs / 8 / (step_cost_ns + 1), 1, 64);
    next_look_ = stride_;
  }

  bool spent() const { return spent_; }
  int64_t steps() const { return steps_; }
  /// By how many times its length the slice was too long; a step is never cut short.
  int64_t turns_overdrawn() const {
    return std::max<int64_t>(Nanoseconds(seen_ - begin_) / kMaxNs - 1, 0);
  }
  /// Whole slice so far, or rather when the clock was last looked at.
  Clock::Time seen() const { return seen_; }

  void CountStep() {
    if (++steps_ >= kMaxSteps) spent_ = true;
    if (steps_ >= next_look_) Look();
  }

  /// Looks at the clock.
  Clock::Time Look() {
    seen_ = clock_.Now();
    if (Nanoseconds(seen_ - begin_) >= kMaxNs || IsPressed()) spent_ = true;
    next_look_ = steps_ + stride_;
    return seen_;
  }

 private:
  bool IsPressed() const {
    return pressed_at_ != nullptr && steps_ > 0 &&
           Nanoseconds(seen_.time_since_epoch()) >= pressed_at_->load(std::memory_order_relaxed);
  }

  const Clock& clock_;
  const std::atomic<int64_t>* const pressed_at_;
  const Clock::Time begin_;
  Clock::Time seen_;
  int64_t stride_ = 1;
  int64_t steps_ = 0;
  int64_t next_look_ = 1;
  bool spent_ = false;
};

}  // namespace prospero
