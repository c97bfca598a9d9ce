#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "engine/core/mutex.h"
#include "engine/runtime/observer.h"
#include "engine/runtime/ring_reader.h"

namespace prospero {

/// The newest samples and events of one recording, on their way from the strand, which publishes,
/// to any number of readers on any threads. Each reader has a place of its own; what lies in the
/// ring is shared. Bounded: the oldest samples go, whoever has not read them, so the strand never
/// waits, and one who does not read costs it nothing.
///
/// Samples are numbered from 0 in the order in which they were made, over all epochs.
///
/// mu_ is a leaf, and also guards the readers' state. Their on_ready is called without it; Cancel
/// waits for that.
class SampleRing : public std::enable_shared_from_this<SampleRing> {
 public:
  struct NumberedEvent {
    int64_t at = 0;  ///< samples made before it
    Event event;
  };

  /// Events kept for a slow reader.
  static constexpr int64_t kMaxEvents = 256;

  /// `defer`: as RecordingOptions.defer.
  explicit SampleRing(std::function<void(std::function<void()>)> defer)
      : defer_(std::move(defer)) {}

  // The strand, or the one who ends the network.

  /// Nothing before the cursor was recorded.
  void Begin(Cursor cursor) ABSL_LOCKS_EXCLUDED(mu_);
  /// Lets a reader in; `present`, if any, are samples for it alone. `fresh`: the recording begins
  /// with it.
  void Join(const std::shared_ptr<RingReader>& reader, Cursor cursor, bool fresh,
            std::shared_ptr<const SampleChunk> present) ABSL_LOCKS_EXCLUDED(mu_);
  /// Turns away a reader who has not joined.
  void Refuse(RingReader& reader, const absl::Status& why) ABSL_LOCKS_EXCLUDED(mu_);
  /// Adds what is new, and retains at most `bytes` of samples, but the newest chunk at least.
  /// Clears `chunks` and `events`.
  void Publish(std::vector<std::shared_ptr<SampleChunk>>* chunks,
               std::vector<NumberedEvent>* events, Cursor cursor, int64_t bytes)
      ABSL_LOCKS_EXCLUDED(mu_);
  void End(const absl::Status& why) ABSL_LOCKS_EXCLUDED(mu_);

  // Any thread.

  bool Take(RingReader& reader, int64_t max_samples, int64_t max_bytes, Observed* out)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status end(const RingReader& reader) const ABSL_LOCKS_EXCLUDED(mu_);
  /// The reader wants no more. A barrier for its on_ready.
  void Cancel(RingReader& reader) ABSL_LOCKS_EXCLUDED(mu_);
  bool cancelled(const RingReader& reader) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Chunks = std::deque<std::shared_ptr<const SampleChunk>>;

  /// Finds the reader's first sample, or why there is none.
  void Seek(RingReader& reader, Cursor cursor) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// Number of the first sample behind a place.
  int64_t NumberBehind(const Place& place) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Chunks::const_iterator ChunkOf(int64_t number) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// Of a retained sample, or of the last one that was evicted.
  Place PlaceOf(int64_t number) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status Evicted() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// Number of the first sample that the reader may still get.
  int64_t KeptFrom(const RingReader& reader) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  bool TakeWaiting(RingReader& reader, int64_t max_samples, int64_t max_bytes, Observed* out)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TakePresent(RingReader& reader, int64_t max_samples, int64_t* max_bytes, Observed* out)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TakeGap(RingReader& reader, int64_t kept_from, Observed* out)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TakeSamples(RingReader& reader, int64_t max_samples, int64_t max_bytes, Observed* out)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// `from`: number of the first sample taken; `in_order`: none is told before its time.
  void TakeEvents(RingReader& reader, int64_t from, bool in_order, Observed* out)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// The reader stands at its new place.
  void Settle(RingReader& reader) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  /// The reader's on_ready is to be called.
  void Call(RingReader& reader) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// Calls those that are to be called, on this thread or others.
  void SendCallers() ABSL_LOCKS_EXCLUDED(mu_);
  void RunCalls() ABSL_LOCKS_EXCLUDED(mu_);

  const std::function<void(std::function<void()>)> defer_;

  mutable Mutex mu_;
  CondVar quiet_;  ///< a reader's on_ready has returned
  Chunks chunks_ ABSL_GUARDED_BY(mu_);
  int64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t first_ ABSL_GUARDED_BY(mu_) = 0;  ///< number of the oldest sample retained
  int64_t next_ ABSL_GUARDED_BY(mu_) = 0;   ///< of the one to come
  Place lost_ ABSL_GUARDED_BY(mu_);         ///< of the last one evicted; or where all began
  Cursor cursor_ ABSL_GUARDED_BY(mu_);      ///< every sample up to here was published
  std::deque<NumberedEvent> events_ ABSL_GUARDED_BY(mu_);
  int64_t first_event_ ABSL_GUARDED_BY(mu_) = 0;
  absl::Status end_ ABSL_GUARDED_BY(mu_);

  std::vector<std::shared_ptr<RingReader>> readers_ ABSL_GUARDED_BY(mu_);
  /// Those who have had every sample: their next one's place is not known yet.
  std::vector<RingReader*> at_head_ ABSL_GUARDED_BY(mu_);
  std::deque<std::shared_ptr<RingReader>> calls_ ABSL_GUARDED_BY(mu_);
  size_t callers_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace prospero
