#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "absl/time/time.h"

namespace prospero::server {

/// Does a job now and then, on a thread of its own, from its making until its end.
class Sweeper {
 public:
  Sweeper(absl::Duration period, std::function<void()> job);
  /// Waits for a job that runs.
  ~Sweeper();
  Sweeper(const Sweeper&) = delete;
  Sweeper& operator=(const Sweeper&) = delete;

 private:
  void Run();

  const std::chrono::nanoseconds period_;
  const std::function<void()> job_;
  std::mutex mutex_;
  std::condition_variable over_;
  bool ending_ = false;  ///< guarded by mutex_
  std::thread thread_;
};

}  // namespace prospero::server
