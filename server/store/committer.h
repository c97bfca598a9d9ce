#pragma once

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

  /// Calls `then`, once, on the committer's thread, or here when nothing is on its way: with OK
  /// when all that was posted before is on disk; with kUnavailable (STORAGE_DEGRADED) when the
  /// disk refuses it: it may still be kept later. The group is written without waiting for more.
  void Await(Then then) ABSL_LOCKS_EXCLUDED(mu_);

  /// OK, or kUnavailable (STORAGE_DEGRADED) with what the disk said.
  absl::Status status() const ABSL_LOCKS_EXCLUDED(mu_);
  /// Bytes of pieces that are not on disk yet.
  int64_t backlog_bytes() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mu_);

  Store* const store_;
  const Options options_;
  mutable Mutex mu_;
  CondVar work_;
};

}  // namespace prospero::server
