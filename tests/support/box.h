#pragma once

#include <deque>
#include <utility>

#include "engine/core/mutex.h"

namespace prospero {

/// Where one thread leaves things and another waits for them.
template <class T>
class Box {
 public:
  void Put(T thing) {
    const MutexLock lock(mu_);
    things_.push_back(std::move(thing));
    filled_.SignalAll();
  }

  /// Waits for the next thing.
  T Take() {
    const MutexLock lock(mu_);
    while (things_.empty()) filled_.Wait(mu_);
    T thing = std::move(things_.front());
    things_.pop_front();
    return thing;
  }

  int64_t size() {
    const MutexLock lock(mu_);
    return static_cast<int64_t>(things_.size());
  }

 private:
  Mutex mu_;
  CondVar filled_;
  std::deque<T> things_ ABSL_GUARDED_BY(mu_);
};

/// A door that is shut at first. Once opened it stays open.
class Door {
 public:
  void Open() {
    const MutexLock lock(mu_);
    open_ = true;
    opened_.SignalAll();
  }
  void Pass() {
    const MutexLock lock(mu_);
    while (!open_) opened_.Wait(mu_);
  }

 private:
  Mutex mu_;
  CondVar opened_;
  bool open_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace prospero
