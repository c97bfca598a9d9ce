#include "engine/runtime/feed_inlet.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "engine/runtime/packed.h"

namespace prospero {
namespace {

absl::Status Over() {
  return Error(absl::StatusCode::kCancelled, "DETACHED", "the feed is finished");
}

absl::Status TooMany(int64_t max_pending) {
  absl::Status status =
      Error(absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED",
            absl::StrCat("the feed keeps at most ", max_pending, " frames for later steps"));
  status = WithMetadata(std::move(status), "limit", "max_pending");
  status = WithMetadata(std::move(status), "max", absl::StrCat(max_pending));
  return WithMetadata(std::move(status), "wanted", absl::StrCat(max_pending + 1));
}

}  // namespace

FeedInlet::FeedInlet(const Variable& variable, FeedOptions options)
    : variable_(variable), options_(std::move(options)) {}

absl::Status FeedInlet::Push(FeedFrame frame) {
  // Without the lock: it looks at every value.
  const bool fits = static_cast<int64_t>(frame.values.size()) == variable_.bytes() &&
                    CheckValues(variable_, frame.values, [] { return std::string(); }).ok();
  const MutexLock lock(mu_);
  if (ended_) return end_.ok() ? Over() : end_;
  if (closed() || finishing_) return Over();
  ++here_.received;
  if (!fits) {
    ++here_.invalid;
    return absl::OkStatus();
  }
  if (auto status = CheckOrder(frame); !status.ok()) return status;
  if (frame.too_old) {
    ++here_.late;
    if (options_.late == Late::kRefuse) return FrameLate(frame);
    if (options_.late == Late::kDrop) return absl::OkStatus();
    frame.at_step.reset();  // At once.
  }
  if (frame.at_step.has_value()) {
    if (pending_.load(std::memory_order_relaxed) >= options_.max_pending) {
      return TooMany(options_.max_pending);
    }
    pending_.fetch_add(1, std::memory_order_relaxed);
  }
  Queue(frame);
  return absl::OkStatus();
}

absl::Status FeedInlet::CheckOrder(const FeedFrame& frame) {
  if (!frame.at_step.has_value()) return absl::OkStatus();
  const int64_t least = last_step_.has_value() ? *last_step_ + 1 : 0;
  if (*frame.at_step < least) {
    return InvalidField("at_step",
                        absl::StrCat("must be at least ", least, ", got ", *frame.at_step));
  }
  last_step_ = frame.at_step;
  return absl::OkStatus();
}

void FeedInlet::Queue(FeedFrame& frame) {
  const bool gives_way =
      count_ > 0 && !frames_[count_ - 1].at_step.has_value() && !frame.at_step.has_value();
  if (gives_way) {
    ++here_.replaced;
  } else if (count_++ == frames_.size()) {
    frames_.emplace_back();
  }
  std::swap(frames_[count_ - 1], frame);
}

void FeedInlet::Finish() {
  const MutexLock lock(mu_);
  finishing_ = true;
}

FeedSummary FeedInlet::summary() const {
  const MutexLock lock(mu_);
  FeedSummary summary = there_;
  summary.received += here_.received;
  summary.late += here_.late;
  summary.invalid += here_.invalid;
  summary.replaced += here_.replaced;
  return summary;
}

bool FeedInlet::over() const {
  const MutexLock lock(mu_);
  return ended_ || closed();
}

void FeedInlet::Close() {
  const MutexLock lock(mu_);
  closed_.store(true, std::memory_order_release);
  while (inside_ > 0) left_.Wait(mu_);
}

bool FeedInlet::has_steps() const {
  const MutexLock lock(mu_);
  return last_step_.has_value();
}

void FeedInlet::Exchange(Delivery* delivery, const FeedSummary& counts) {
  const MutexLock lock(mu_);
  delivery->frames.swap(frames_);
  delivery->count = std::exchange(count_, 0);
  delivery->finishing = finishing_;
  there_ = counts;
}

void FeedInlet::End(const absl::Status& why, const FeedSummary& counts) {
  {
    const MutexLock lock(mu_);
    if (ended_) return;
    ended_ = true;
    end_ = why;
    there_ = counts;
    if (closed()) return;
    ++inside_;
  }
  if (options_.on_end) options_.on_end(why);
  const MutexLock lock(mu_);
  if (--inside_ == 0) left_.SignalAll();
}

absl::Status FrameLate(const FeedFrame& frame) {
  return Error(absl::StatusCode::kOutOfRange, "FRAME_LATE",
               frame.too_old ? std::string("a frame was older than max_age")
                             : absl::StrCat("a frame came after its step, ", *frame.at_step));
}

absl::Status FeedTaken() {
  return Error(absl::StatusCode::kAborted, "FEED_TAKEN", "another feed took the input");
}

absl::Status InputFed(const Variable& variable) {
  return Error(absl::StatusCode::kFailedPrecondition, "INPUT_FED",
               absl::StrCat("'", variable.name,
                            "' has a feed; ask for `preempt` to take the input from it"));
}

absl::Status ClockMismatch() {
  return Error(absl::StatusCode::kFailedPrecondition, "CLOCK_MISMATCH",
               "in LOCKSTEP each Drive request brings what it needs; a feed needs another clock");
}

}  // namespace prospero
