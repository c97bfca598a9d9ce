#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/core/mutex.h"
#include "engine/runtime/drive.h"
#include "engine/runtime/instance.h"

namespace prospero {

/// The right to drive one network, and the jobs handed over under it. Shared by the driver,
/// whose threads push and detach, and by the strand, which takes the jobs one by one.
///
/// Whoever may call done(), on_event() or on_end() has entered the lease; Detach closes the
/// door and waits until all are out. So it is a barrier without polling. mu_ is a leaf and is
/// never held while a callback runs.
class Lease {
 public:
  explicit Lease(DriverOptions options) : options_(std::move(options)) {}

  const std::vector<int>& inputs() const { return options_.inputs; }
  bool passing() const { return options_.passing; }

  // Any thread.

  /// Queues the job. The reason, and nothing done, when the lease is over. `*alone`:
  /// nothing else was waiting or running.
  absl::Status Push(DriveJob* job, bool* alone);
  /// Hands back a job that Push refused.
  void Refuse(DriveJob* job);
  int64_t in_flight() const;
  /// A job is running, or could.
  bool at_work() const { return in_flight() > 0 && !waits_.load(std::memory_order_relaxed); }
  /// Finishes what has not begun, and what was begun and is not running at this moment,
  /// with kCancelled; waits for the strand to break off what is running. A barrier. `why` is for
  /// observers; only the first call says it.
  void Detach(absl::string_view why);
  /// Detach was called: break off between two steps.
  bool detached() const { return detached_.load(std::memory_order_acquire); }
  /// Why, once detached.
  std::string farewell() const;

  // The strand, or the one who ends the network.

  /// False, and no right to anything below, once detached.
  bool Enter();
  void Leave();
  /// The next job, which becomes the current one; null when there is none, or detached.
  DriveJob* Next();
  bool has_jobs() const;
  /// The current job waits for its step.
  void set_waits(bool waits) { waits_.store(waits, std::memory_order_relaxed); }
  /// The current job is done: hands it back. It may be gone, or queued again, afterwards.
  void Finish(DriveJob* job);
  void Notify(const Event& event) const;
  /// Ends the lease: the current and all waiting jobs are finished with `why`, and so is every
  /// later one. `cursor` is where the network stands.
  void Close(const absl::Status& why, Cursor cursor);
  void NotifyEnd(const absl::Status& why) const;

 private:
  /// Takes everything that is not done. The caller has entered.
  std::deque<DriveJob*> TakeAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  const DriverOptions options_;
  std::atomic<bool> detached_{false};
  std::atomic<bool> waits_{false};

  mutable Mutex mu_;
  CondVar empty_;  ///< inside_ == 0
  int inside_ ABSL_GUARDED_BY(mu_) = 0;
  std::deque<DriveJob*> queue_ ABSL_GUARDED_BY(mu_);
  DriveJob* current_ ABSL_GUARDED_BY(mu_) = nullptr;
  int64_t in_flight_ ABSL_GUARDED_BY(mu_) = 0;
  absl::Status closed_ ABSL_GUARDED_BY(mu_);
  std::string farewell_ ABSL_GUARDED_BY(mu_);
};

/// A stay inside a lease. Empty when there is no lease or it was detached.
class LeaseVisit {
 public:
  explicit LeaseVisit(Lease* lease)
      : lease_(lease != nullptr && lease->Enter() ? lease : nullptr) {}
  ~LeaseVisit() {
    if (lease_ != nullptr) lease_->Leave();
  }
  LeaseVisit(const LeaseVisit&) = delete;
  LeaseVisit& operator=(const LeaseVisit&) = delete;

  explicit operator bool() const { return lease_ != nullptr; }

 private:
  Lease* const lease_;
};

}  // namespace prospero
