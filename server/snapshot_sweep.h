#pragma once

#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "engine/core/mutex.h"
#include "engine/runtime/clock.h"
#include "server/record.h"
#include "server/snapshot_schedule.h"

namespace prospero::server {

struct Host;

/// Takes the snapshots that policies ask for, and removes those that have expired or that a policy
/// keeps no longer, and uploads that nobody goes on with. Run by one thread at a time.
class SnapshotSweep {
 public:
  /// The host must outlive it.
  explicit SnapshotSweep(Host* host, const Clock* time = &Clock::Real());
  /// Waits for what it has begun.
  ~SnapshotSweep();
  SnapshotSweep(const SnapshotSweep&) = delete;
  SnapshotSweep& operator=(const SnapshotSweep&) = delete;

  /// To be called about once in a second. Starts what is to be done and returns.
  void Run();

 private:
  void Look(const std::shared_ptr<Record>& record);
  void Take(const std::shared_ptr<Record>& record, int32_t keep) ABSL_LOCKS_EXCLUDED(mu_);
  void DropUploads();

  Host& host_;
  const Clock& time_;
  SnapshotSchedule schedule_;
  Clock::Time next_uploads_;
  void Finish(const std::shared_ptr<Record>& record, int32_t keep, const absl::Status& status)
      ABSL_LOCKS_EXCLUDED(mu_);
  Mutex mu_;
  CondVar idle_;
  /// Of networks of which a snapshot is on its way: their uids.
  std::set<std::string> busy_ ABSL_GUARDED_BY(mu_);
};

}  // namespace prospero::server
