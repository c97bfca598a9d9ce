#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "engine/runtime/crew.h"

namespace prospero {

inline int ThreadCount() { return static_cast<int>(std::thread::hardware_concurrency()); }

/// A crew of as many threads as the machine has cores, the calling one among them.
class AllThreads {
 public:
  AllThreads() : crew_(ThreadCount() - 1) {
    crew_.Begin();
    for (int i = 1; i < ThreadCount(); ++i) helpers_.emplace_back([this] { Help(); });
  }
  ~AllThreads() {
    over_ = true;
    crew_.Rest();
    for (std::thread& helper : helpers_) helper.join();
  }

  Team* team() { return &crew_; }

 private:
  void Help() {
    while (!over_) {
      if (const int place = crew_.Join(); place >= 0) {
        crew_.Help(place, [this] { return over_.load(std::memory_order_relaxed); });
      }
    }
  }

  std::atomic<bool> over_ = false;
  Crew crew_;
  std::vector<std::thread> helpers_;
};

}  // namespace prospero
