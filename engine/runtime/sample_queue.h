#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "engine/core/mutex.h"
#include "engine/runtime/observer.h"

namespace prospero {

/// Samples and events on their way from the strand, which publishes, to one reader on any
/// thread. Bounded: the oldest samples give way and are counted, so the strand never waits.
///
/// on_ready is called by the strand without mu_; Cancel waits for it by `notifying_`. mu_ is
/// a leaf.
class SampleQueue {
 public:
  /// Events kept for a slow reader.
  static constexpr size_t kMaxEvents = 256;

  SampleQueue(int64_t capacity, std::function<void()> on_ready)
      : capacity_(static_cast<size_t>(capacity)), on_ready_(std::move(on_ready)) {}

  // The strand, or the one who ends the network.

  /// Moves both to the reader. `dropped`: samples already lost before these, if any; then
  /// what still waits is older and lost as well.
  void Publish(const Gap& dropped, std::vector<ObservedSample>* samples, std::vector<Event>* events,
               Cursor cursor);
  void End(const absl::Status& why);

  // Any thread.

  bool Take(int64_t max_samples, Observed* out);
  absl::Status end() const;
  /// A barrier for on_ready.
  void Cancel();
  bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }

 private:
  void Keep(const Gap& dropped, std::vector<ObservedSample>* samples, std::vector<Event>* events)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Count(Cursor first, Cursor last, int64_t count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void DropOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// Calls on_ready. To be called by the strand without mu_.
  void Notify();

  const size_t capacity_;
  const std::function<void()> on_ready_;
  std::atomic<bool> cancelled_{false};

  mutable Mutex mu_;
  CondVar quiet_;  ///< !notifying_
  bool notifying_ ABSL_GUARDED_BY(mu_) = false;
  absl::optional<Gap> gap_ ABSL_GUARDED_BY(mu_);
  std::deque<ObservedSample> samples_ ABSL_GUARDED_BY(mu_);
  std::deque<Event> events_ ABSL_GUARDED_BY(mu_);
  Cursor cursor_ ABSL_GUARDED_BY(mu_);
  absl::Status end_ ABSL_GUARDED_BY(mu_);
};

}  // namespace prospero
