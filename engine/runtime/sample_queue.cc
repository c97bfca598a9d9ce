#include "engine/runtime/sample_queue.h"

#include <iterator>
#include <utility>

namespace prospero {

void SampleQueue::Publish(const Gap& dropped, std::vector<ObservedSample>* samples,
                          std::vector<Event>* events, Cursor cursor) {
  const bool news = dropped.count > 0 || !samples->empty() || !events->empty();
  {
    const MutexLock lock(mu_);
    cursor_ = cursor;
    if (!cancelled()) Keep(dropped, samples, events);
  }
  samples->clear();
  events->clear();
  if (news) Notify();
}

void SampleQueue::Keep(const Gap& dropped, std::vector<ObservedSample>* samples,
                       std::vector<Event>* events) {
  if (dropped.count > 0) {
    while (!samples_.empty()) DropOldest();
    Count(dropped.first, dropped.last, dropped.count);
  }
  std::move(samples->begin(), samples->end(), std::back_inserter(samples_));
  while (samples_.size() > capacity_) DropOldest();
  std::move(events->begin(), events->end(), std::back_inserter(events_));
  while (events_.size() > kMaxEvents) events_.pop_front();
}

void SampleQueue::End(const absl::Status& why) {
  {
    const MutexLock lock(mu_);
    end_ = why;
  }
  Notify();
}

bool SampleQueue::Take(int64_t max_samples, Observed* out) {
  out->gap.reset();
  out->samples.clear();
  out->events.clear();
  const MutexLock lock(mu_);
  out->cursor = cursor_;
  if (max_samples > 0) out->gap = std::exchange(gap_, absl::nullopt);
  while (!samples_.empty() && static_cast<int64_t>(out->samples.size()) < max_samples) {
    out->samples.push_back(std::move(samples_.front()));
    samples_.pop_front();
  }
  std::move(events_.begin(), events_.end(), std::back_inserter(out->events));
  events_.clear();
  return out->gap.has_value() || !out->samples.empty() || !out->events.empty();
}

absl::Status SampleQueue::end() const {
  const MutexLock lock(mu_);
  return end_;
}

void SampleQueue::Cancel() {
  const MutexLock lock(mu_);
  cancelled_.store(true, std::memory_order_release);
  while (notifying_) quiet_.Wait(mu_);
  samples_.clear();
  events_.clear();
  gap_.reset();
}

void SampleQueue::Notify() {
  if (!on_ready_) return;
  {
    const MutexLock lock(mu_);
    if (cancelled()) return;
    notifying_ = true;
  }
  on_ready_();
  const MutexLock lock(mu_);
  notifying_ = false;
  quiet_.SignalAll();
}

void SampleQueue::Count(Cursor first, Cursor last, int64_t count) {
  if (!gap_.has_value()) gap_ = Gap{first, last, 0};
  gap_->last = last;
  gap_->count += count;
}

void SampleQueue::DropOldest() {
  const Cursor cursor = samples_.front().cursor;
  Count(cursor, cursor, 1);
  samples_.pop_front();
}

}  // namespace prospero
