#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/core/mutex.h"
#include "engine/core/variable.h"
#include "engine/runtime/feed.h"

namespace prospero {

/// The way of a feed's frames from the threads that push them to the strand that takes them,
/// once a slice. Bounded: a frame without a step gives way to the next one, those with a step are
/// at most max_pending here and at the strand together.
///
/// Whoever may call on_end is counted in inside_; Close waits until nobody is. mu_ is a leaf and is
/// never held while on_end runs.
class FeedInlet {
 public:
  FeedInlet(const Variable& variable, FeedOptions options);

  const FeedOptions& options() const { return options_; }

  // Any thread.

  /// As Feed::Push.
  absl::Status Push(FeedFrame frame);
  void Finish();
  FeedSummary summary() const;
  void Close();
  /// It is closed, or has ended.
  bool over() const;
  /// Close was called: the strand should forget the feed.
  bool closed() const { return closed_.load(std::memory_order_acquire); }

  // The strand, or the one who ends the network.

  /// Frames that came since the last call, and whether any will come. `counts` is what the strand
  /// has counted so far, for summary().
  struct Delivery {
    std::vector<FeedFrame> frames;  ///< the first `count`; the others are spare buffers
    size_t count = 0;
    bool finishing = false;
  };
  bool has_steps() const;  ///< a frame with a step has ever come
  void Exchange(Delivery* delivery, const FeedSummary& counts);
  /// Frames with steps have taken effect, or will not.
  void Release(int64_t frames) { pending_.fetch_sub(frames, std::memory_order_relaxed); }
  /// The feed is over; on_end is called unless it was closed. Only the first counts.
  void End(const absl::Status& why, const FeedSummary& counts);

 private:
  absl::Status CheckOrder(const FeedFrame& frame) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Queue(FeedFrame& frame) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Variable& variable_;
  const FeedOptions options_;
  std::atomic<bool> closed_{false};
  std::atomic<int64_t> pending_{0};  ///< frames with steps that have not taken effect

  mutable Mutex mu_;
  CondVar left_;  ///< inside_ == 0
  int inside_ ABSL_GUARDED_BY(mu_) = 0;
  absl::Status end_ ABSL_GUARDED_BY(mu_);
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  bool finishing_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<FeedFrame> frames_ ABSL_GUARDED_BY(mu_);  ///< the first count_ wait
  size_t count_ ABSL_GUARDED_BY(mu_) = 0;
  absl::optional<int64_t> last_step_ ABSL_GUARDED_BY(mu_);
  FeedSummary here_ ABSL_GUARDED_BY(mu_);   ///< counted by Push
  FeedSummary there_ ABSL_GUARDED_BY(mu_);  ///< counted by the strand
};

/// The feed came to an end by a frame, or a change, that it was not made for.
absl::Status FrameLate(const FeedFrame& frame);
absl::Status FeedTaken();
absl::Status InputFed(const Variable& variable);
absl::Status ClockMismatch();

}  // namespace prospero
