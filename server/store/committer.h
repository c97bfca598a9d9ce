#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/core/mutex.h"
#include "server/store/store.h"

namespace prospero::server {

/// Writes to a store in groups: what comes from all networks while one group is on its way to the
/// disk goes with the next. A thread of its own does it. Thread-safe; its mutex is a leaf.
///
///   Post ──▶ queue ──▶ one transaction: everything that waits ──▶ disk ──▶ then()
///
/// When the disk refuses, nothing is thrown away: the group stays first in the queue and is tried
/// again every `retry`, and meanwhile the committer is degraded.
class Committer {
 public:
  struct Options {
    /// How long a group gathers when nobody waits for it.
    absl::Duration gather = absl::Milliseconds(10);
    absl::Duration retry = absl::Seconds(1);
    /// Called from its thread when it becomes degraded, with the error, and when it is not any
    /// more, with OK. Must not wait for the committer.
    std::function<void(const absl::Status&)> on_change = {};
    /// Runs a job soon, in order, on another thread. With it those who waited for a group are
    /// called while the next one is on its way to the disk.
    std::function<void(std::function<void()>)> defer = {};
  };
  /// The store must outlive it.
  Committer(Store* store, Options options);
  /// Tries once more to write what is there.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  using Then = std::function<void(const absl::Status&)>;

  /// Queues writes that belong together: they are in one transaction. Never waits.
  void Post(std::vector<Write> writes) ABSL_LOCKS_EXCLUDED(mu_);

  /// Calls `then`, once, on the committer's thread or where `defer` says, or here when nothing is
  /// on its way: with OK when all that was posted before is on disk; with kUnavailable
  /// (STORAGE_DEGRADED) when the disk refuses it: it may still be kept later. The group is written
  /// without waiting for more.
  void Await(Then then) ABSL_LOCKS_EXCLUDED(mu_);

  /// OK, or kUnavailable (STORAGE_DEGRADED) with what the disk said.
  absl::Status status() const ABSL_LOCKS_EXCLUDED(mu_);
  /// Bytes of pieces that are not on disk yet.
  int64_t backlog_bytes() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Posted {
    std::vector<Write> writes;
    int64_t bytes = 0;  ///< of pieces
  };
  struct Waiter {
    uint64_t posts = 0;  ///< that must be on disk
    Then then;
  };

  void Run() ABSL_LOCKS_EXCLUDED(mu_);
  /// Waits until a group should be written. False: the end has come, and nothing is there.
  bool WaitForWork() ABSL_LOCKS_EXCLUDED(mu_);
  /// Moves what waits to the group, if the last one is on disk.
  void Gather() ABSL_LOCKS_EXCLUDED(mu_);
  void Succeed() ABSL_LOCKS_EXCLUDED(mu_);
  void Fail(const absl::Status& error) ABSL_LOCKS_EXCLUDED(mu_);
  /// False: the end has come, and one more try was made.
  bool WaitToRetry() ABSL_LOCKS_EXCLUDED(mu_);

  Store* const store_;
  const Options options_;

  // The thread's.
  std::vector<Write> group_;
  uint64_t group_posts_ = 0;
  int64_t group_bytes_ = 0;
  bool last_try_ = false;  ///< the end had come when the group was tried

  mutable Mutex mu_;
  CondVar work_;
  std::deque<Posted> queue_ ABSL_GUARDED_BY(mu_);
  std::deque<Waiter> waiters_ ABSL_GUARDED_BY(mu_);  ///< in the order of `posts`
  uint64_t posted_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t on_disk_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t backlog_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  std::chrono::steady_clock::time_point first_ ABSL_GUARDED_BY(mu_);  ///< when queue_ began
  absl::Status status_ ABSL_GUARDED_BY(mu_);
  bool ending_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace prospero::server
