#pragma once

#include <cstdint>
#include <functional>
#include <limits>

#include "engine/core/mutex.h"
#include "tests/support/toy_network.h"

namespace prospero {

/// Lets a toy network advance as far as the test says.
class Gate {
 public:
  /// The network stands before step `step` when it tries to make it.
  explicit Gate(int64_t step = 0) : limit_(step) {}

  std::function<void(ToyNetwork&)> Prepare() {
    return [this](ToyNetwork& toy) {
      toy.on_advance = [this](const Step& step) { Pass(step.index); };
    };
  }

  /// Lets it go on until it stands before step `step`, and waits for that.
  void RunTo(int64_t step) {
    const MutexLock lock(mu_);
    limit_ = step;
    changed_.SignalAll();
    while (stands_at_ != step) changed_.Wait(mu_);
  }
  void Open() {
    const MutexLock lock(mu_);
    limit_ = std::numeric_limits<int64_t>::max();
    changed_.SignalAll();
  }

 private:
  void Pass(int64_t step) {
    const MutexLock lock(mu_);
    while (step >= limit_) {
      stands_at_ = step;
      changed_.SignalAll();
      changed_.Wait(mu_);
    }
  }

  Mutex mu_;
  CondVar changed_;
  int64_t limit_ ABSL_GUARDED_BY(mu_);
  int64_t stands_at_ ABSL_GUARDED_BY(mu_) = -1;
};

}  // namespace prospero
