#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "absl/functional/function_ref.h"
#include "engine/core/team.h"

namespace prospero {

/// Runs the tasks last to first, two at a time.
class BackwardTeam final : public Team {
 public:
  void Run(int64_t count, absl::FunctionRef<void(int64_t)> task) noexcept override {
    std::atomic<int64_t> left{count};
    const auto work = [&left, task] {
      for (int64_t i = --left; i >= 0; i = --left) task(i);
    };
    std::thread second(work);
    work();
    second.join();
    ++runs;
  }
  int64_t runs = 0;
};

}  // namespace prospero
