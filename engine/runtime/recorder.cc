#include "engine/runtime/recorder.h"

#include <algorithm>
#include <utility>

#include "engine/runtime/slice_budget.h"

namespace prospero {
namespace {

/// Of the store, unless a single sample needs more.
constexpr int64_t kStoreBytes = int64_t{1} << 20;

std::unique_ptr<char[]> Bytes(size_t count) {
  return std::make_unique_for_overwrite<char[]>(count);
}

}  // namespace

Recorder::Recorder(const VariableTable& variables, const ObserverSpec& spec,
                   std::shared_ptr<SampleQueue> queue)
    : start_with_snapshot_(spec.start_with_snapshot),
      capacity_(static_cast<size_t>(spec.capacity)),
      queue_(std::move(queue)) {
  int64_t scratch = 0;
  int64_t largest = 0;
  int64_t together = 0;
  for (const Selection& selection : spec.selections) {
    selections_.emplace_back(variables, selection);
    variables_.insert(variables_.end(), selection.variables.begin(), selection.variables.end());
    scratch = std::max(scratch, selections_.back().scratch_bytes());
    largest = std::max(largest, selections_.back().bytes());
    together += selections_.back().bytes();
  }
  scratch_ = Bytes(static_cast<size_t>(scratch));
  const int64_t whole_slice = SliceBudget::kMaxSteps * together;
  store_size_ = static_cast<size_t>(std::max(largest, std::min(kStoreBytes, whole_slice)));
  store_ = Bytes(store_size_);
  staged_.reserve(static_cast<size_t>(SliceBudget::kMaxSteps) * selections_.size());
}

void Recorder::Start(Cursor cursor, Clock::Time now) {
  for (uint32_t i = 0; i < selections_.size(); ++i) {
    selections_[i].Restart(cursor);
    selections_[i].BeginSlice(now);
    if (start_with_snapshot_) Stage(i, cursor);
  }
}

void Recorder::BeginSlice(Clock::Time now) {
  for (SelectionRecorder& selection : selections_) selection.BeginSlice(now);
}

void Recorder::AfterStep(Cursor cursor) {
  for (uint32_t i = 0; i < selections_.size(); ++i) {
    if (selections_[i].AfterStep(cursor.step, scratch_.get())) Stage(i, cursor);
  }
}

void Recorder::EpochChanged(Cursor cursor) {
  for (SelectionRecorder& selection : selections_) selection.Restart(cursor);
}

void Recorder::Stage(uint32_t selection, Cursor cursor) {
  const auto bytes = static_cast<size_t>(selections_[selection].bytes());
  if (store_used_ + bytes > store_size_) Publish(cursor);
  selections_[selection].Emit(scratch_.get(), store_.get() + store_used_);
  staged_.push_back({selection, cursor, store_used_});
  store_used_ += bytes;
}

void Recorder::Publish(Cursor cursor) {
  // What the queue would drop at once is not made in the first place.
  const size_t dropped = staged_.size() > capacity_ ? staged_.size() - capacity_ : 0;
  Gap gap;
  if (dropped > 0) {
    gap = {staged_.front().cursor, staged_[dropped - 1].cursor, static_cast<int64_t>(dropped)};
  }
  for (size_t i = dropped; i < staged_.size(); ++i) {
    const Staged& staged = staged_[i];
    samples_.push_back({staged.selection, staged.cursor,
                        selections_[staged.selection].Unpack(store_.get() + staged.offset)});
  }
  staged_.clear();
  store_used_ = 0;
  queue_->Publish(gap, &samples_, &events_, cursor);
}

}  // namespace prospero
