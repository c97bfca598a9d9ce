#include "engine/runtime/selection_recorder.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

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

template <class Real>
bool MovedBeyond(double threshold, int64_t count, const char* before, const char* after) {
  const auto* const from = reinterpret_cast<const Real*>(before);
  const auto* const to = reinterpret_cast<const Real*>(after);
  for (int64_t i = 0; i < count; ++i) {
    const double moved = std::abs(static_cast<double>(to[i]) - static_cast<double>(from[i]));
    if (!(moved <= threshold)) return true;  // what is not a number has moved
  }
  return false;
}

/// Some value lies farther than `threshold` from what it was.
bool MovedBeyond(double threshold, DataType type, int64_t count, const char* before,
                 const char* after) {
  return type == DataType::kFloat32 ? MovedBeyond<float>(threshold, count, before, after)
                                    : MovedBeyond<double>(threshold, count, before, after);
}

int64_t Aligned(int64_t bytes) { return (bytes + 7) / 8 * 8; }

}  // namespace

SelectionRecorder::Needs::Needs(const VariableTable& variables, const Selection& selection) {
  for (const int index : selection.variables) {
    const Window window(variables[index], selection.slice);
    scratch = std::max(scratch, window.scratch_bytes());
    sample += Aligned(Accumulator::Bytes(selection.aggregation, window.type(), window.size()));
    kept += Accumulator::Memory(selection.aggregation, window.size());
  }
  if (selection.on_change.has_value()) kept += sample;
}

SelectionRecorder::SelectionRecorder(const VariableTable& variables, const Selection& selection)
    : aggregates_(selection.aggregation != Aggregation::kLast),
      every_(std::min(selection.every_steps, kNever)),
      period_(Period(selection.max_rate_hz)),
      on_change_(selection.on_change) {
  for (const int index : selection.variables) {
    const Window window(variables[index], selection.slice);
    parts_.push_back({window, Accumulator(selection.aggregation, window.type(), window.size())});
    const int64_t bytes = parts_.back().accumulator.bytes();
    layout_.parts.push_back({index, bytes, layout_.bytes});
    layout_.bytes += Aligned(bytes);
  }
  if (!on_change_.has_value()) return;
  last_ = std::make_unique_for_overwrite<char[]>(static_cast<size_t>(layout_.bytes));
}

void SelectionRecorder::Restart(Cursor cursor) {
  next_step_ = (cursor.step / every_ + 1) * every_;
  for (Part& part : parts_) part.accumulator.Clear();
  has_last_ = false;
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

bool SelectionRecorder::Emit(char* scratch, char* out) {
  for (size_t i = 0; i < parts_.size(); ++i) {
    Part& part = parts_[i];
    part.accumulator.Emit(part.window.Values(scratch), out + layout_.parts[i].offset);
  }
  if (period_ != Clock::Time::duration::zero()) {
    // Samples keep their rhythm when slices come a little late, but are not made up for.
    next_time_ += period_;
    if (next_time_ <= now_) next_time_ = now_ + period_;
    open_ = false;
  }
  if (!on_change_.has_value()) return true;
  if (has_last_ && !Changed(out)) return false;
  std::memcpy(last_.get(), out, static_cast<size_t>(layout_.bytes));
  has_last_ = true;
  return true;
}

void SelectionRecorder::EmitPresent(char* scratch, char* out) const {
  for (size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    part.accumulator.EmitAlone(part.window.Values(scratch), out + layout_.parts[i].offset);
  }
}

bool SelectionRecorder::Changed(const char* sample) const {
  for (size_t i = 0; i < parts_.size(); ++i) {
    const auto [variable, bytes, offset] = layout_.parts[i];
    const DataType type = parts_[i].window.type();
    if (MovedBeyond(*on_change_, type, bytes / SizeOf(type), last_.get() + offset,
                    sample + offset)) {
      return true;
    }
  }
  return false;
}

}  // namespace prospero
