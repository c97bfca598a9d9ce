#include "engine/runtime/selection_recorder.h"

#include <algorithm>
#include <chrono>

namespace prospero {
namespace {

/// Where steps are added up, nothing may overflow; no network gets that far.
constexpr int64_t kNever = INT64_MAX / 4;

Clock::Time::duration Period(double rate_hz) {
  if (rate_hz <= 0) return Clock::Time::duration::zero();
  const double ns = std::min(1e9 / rate_hz, 1e18);
  return std::chrono::duration_cast<Clock::Time::duration>(
      std::chrono::nanoseconds(static_cast<int64_t>(ns)));
}

int64_t Aligned(int64_t bytes) { return (bytes + 7) / 8 * 8; }

}  // namespace

SelectionRecorder::SelectionRecorder(const VariableTable& variables, const Selection& selection)
    : aggregates_(selection.aggregation != Aggregation::kLast),
      every_(std::min(selection.every_steps, kNever)),
      period_(Period(selection.max_rate_hz)) {
  for (const int index : selection.variables) {
    const Window window(variables[index], selection.slice);
    parts_.push_back({window, Accumulator(selection.aggregation, window.type(), window.size())});
    scratch_bytes_ = std::max(scratch_bytes_, window.scratch_bytes());
    bytes_ += Aligned(parts_.back().accumulator.bytes());
  }
}

void SelectionRecorder::Restart(Cursor cursor) {
  next_step_ = (cursor.step / every_ + 1) * every_;
  for (Part& part : parts_) part.accumulator.Clear();
}

void SelectionRecorder::BeginSlice(Clock::Time now) {
  now_ = now;
  if (now_ >= next_time_) open_ = true;
}

bool SelectionRecorder::AfterStep(int64_t step, char* scratch) {
  if (aggregates_) {
    for (Part& part : parts_) part.accumulator.Add(part.window.Values(scratch));
  }
  if (step != next_step_) return false;
  next_step_ += every_;
  return open_;
}

void SelectionRecorder::Emit(char* scratch, char* out) {
  for (Part& part : parts_) {
    part.accumulator.Emit(part.window.Values(scratch), out);
    out += Aligned(part.accumulator.bytes());
  }
  if (period_ == Clock::Time::duration::zero()) return;
  // Samples keep their rhythm when slices come a little late, but are not made up for.
  next_time_ += period_;
  if (next_time_ <= now_) next_time_ = now_ + period_;
  open_ = false;
}

std::vector<std::string> SelectionRecorder::Unpack(const char* sample) const {
  std::vector<std::string> values;
  values.reserve(parts_.size());
  for (const Part& part : parts_) {
    const int64_t bytes = part.accumulator.bytes();
    values.emplace_back(sample, static_cast<size_t>(bytes));
    sample += Aligned(bytes);
  }
  return values;
}

}  // namespace prospero
