#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "absl/time/time.h"

namespace prospero::server {

/// Counts the calls that are not over, so that a shutdown knows when it may go. Thread-safe;
/// its mutex is a leaf.
class OpenCalls {
 public:
  /// One call, while it lives.
  class Visit {
   public:
    explicit Visit(OpenCalls* calls) : calls_(calls) { calls_->Add(1); }
    Visit(Visit&& other) noexcept : calls_(other.calls_) { calls_->Add(1); }
    Visit& operator=(Visit&&) = delete;
    ~Visit() { calls_->Add(-1); }

   private:
    OpenCalls* const calls_;
  };

  /// Waits until no call is open. False when one still is at `deadline`.
  bool AwaitNone(absl::Time deadline);

 private:
  void Add(int64_t count);

  std::mutex mu_;
  std::condition_variable none_;
  int64_t open_ = 0;  ///< guarded by mu_
};

}  // namespace prospero::server
