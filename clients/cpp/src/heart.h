#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/time/time.h"

namespace prospero::client {

/// Calls `beat` every quarter of a window, on a thread of its own, until it is stopped.
class Heart {
 public:
  Heart(absl::Duration window, std::function<void()> beat)
      : pause_(absl::ToChronoNanoseconds(window / 4)),
        beat_(std::move(beat)),
        thread_([this] { Run(); }) {}
  ~Heart() { Stop(); }
  Heart(const Heart&) = delete;
  Heart& operator=(const Heart&) = delete;

  /// A barrier: no beat comes after it. Must not be called from `beat`.
  void Stop() {
    {
      const std::lock_guard<std::mutex> lock(mu_);
      over_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void Run() {
    std::unique_lock<std::mutex> lock(mu_);
    while (!changed_.wait_for(lock, pause_, [this] { return over_; })) {
      lock.unlock();
      beat_();
      lock.lock();
    }
  }

  const std::chrono::nanoseconds pause_;
  const std::function<void()> beat_;
  std::mutex mu_;
  std::condition_variable changed_;
  bool over_ = false;   // guarded by mu_
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace prospero::client
