#include "engine/runtime/tape.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstring>
#include <utility>

#include "engine/runtime/packed.h"

namespace prospero {
namespace {

/// Steps that see nothing new are told at least so often, roughly.
constexpr std::chrono::milliseconds kPatience(10);

/// More than the begin of a piece and of an entry take.
constexpr size_t kEntryHead = 96;

/// Values are not cut.
constexpr size_t kWidest = sizeof(double);

char* PutSteps(int64_t steps, char* out) {
  *out++ = static_cast<char>(TapeMark::kSteps);
  return PutVarint(static_cast<uint64_t>(steps), out);
}

}  // namespace

Tape::Tape(const VariableTable& variables, std::shared_ptr<Journal> journal, Cursor cursor)
    : variables_(variables), journal_(std::move(journal)), begin_(cursor) {
  size_t all = 0;
  size_t scattered = 0;
  const auto track = [&](int index) {
    const Variable& variable = variables[index];
    const auto bytes = static_cast<size_t>(variable.bytes());
    const bool packed = IsPacked(variable);
    if (!packed) scattered = std::max(scattered, bytes);
    all += bytes;
    return Track{index, &variable, packed ? variable.data : nullptr, bytes, nullptr};
  };
  for (int i = 0; i < variables.size(); ++i) {
    if (variables[i].role != Role::kInput) continue;
    if (const int presence = variables[i].presence; presence >= 0) {
      optional_.push_back({inputs_.size(), &variables[presence]});
    }
    inputs_.push_back(track(i));
  }
  learning_ = track(variables.Find("learning"));
  shadow_.resize(all);
  scratch_.resize(scattered);
  char* shadow = shadow_.data();
  for (Track& input : inputs_) {
    input.shadow = shadow;
    shadow += input.bytes;
  }
  learning_.shadow = shadow;
  Renew();
}

const void* Tape::Look(const Track& track) {
  if (track.packed != nullptr) return track.packed;
  track.source->Read(scratch_.data());
  return scratch_.data();
}

bool Tape::Differs(const Track& track) {
  return std::memcmp(Look(track), track.shadow, track.bytes) != 0;
}

void Tape::Renew() {
  for (const Track& input : inputs_) std::memcpy(input.shadow, Look(input), input.bytes);
  learning_is_written_ = false;
}

void Tape::BeforeStep(Cursor cursor) {
  if (piece_.size() > kLongPiece) Cut(cursor);
  CatchUp(cursor);
  if (!learning_is_written_ || Differs(learning_)) {
    Note(learning_, cursor);
    learning_is_written_ = true;
  }
  ++steps_;
}

void Tape::CatchUp(Cursor cursor) {
  for (const Track& input : inputs_) {
    if (!Differs(input)) continue;
    Note(input, cursor);
    eventful_ = true;
  }
}

void Tape::Note(const Track& track, Cursor cursor) {
  const void* const values = Look(track);
  WriteValues(track.variable, {static_cast<const char*>(values), track.bytes}, cursor);
  std::memcpy(track.shadow, values, track.bytes);
}

void Tape::Follow(const Optional& optional) {
  const Variable& presence = *optional.presence;
  if (ReadValue(presence.type, static_cast<const char*>(presence.data)) != 0.0) return;
  const Track& input = inputs_[optional.input];
  std::memcpy(input.shadow, Look(input), input.bytes);
}

void Tape::Diverged() {
  assert(steps_ > 0);
  --steps_;
  BeginEntry(TapeMark::kDiverged);
  eventful_ = true;
}

void Tape::Assign(const std::vector<Assignment>& assignments, Cursor cursor) {
  CatchUp(cursor);
  for (const Assignment& assignment : assignments) {
    const auto bytes = static_cast<size_t>(variables_[assignment.variable].bytes());
    if (assignment.values.size() == bytes) {
      WriteValues(assignment.variable, assignment.values, cursor);
    } else {
      BeginEntry(TapeMark::kFill,
                 {static_cast<uint64_t>(assignment.variable), assignment.values.size()});
      piece_ += assignment.values;
    }
    eventful_ = true;
  }
}

void Tape::Reset(ResetScopes scopes, bool step, absl::optional<uint64_t> seed, Cursor cursor) {
  CatchUp(cursor);
  BeginEntry(TapeMark::kReset);
  const int flags = (scopes.state ? kResetState : 0) | (scopes.weights ? kResetWeights : 0) |
                    (scopes.noise ? kResetNoise : 0) | (step ? kResetStep : 0) |
                    (seed.has_value() ? kResetSeed : 0);
  piece_.push_back(static_cast<char>(flags));
  if (seed.has_value()) {
    char number[kEntryHead];
    piece_.append(number, static_cast<size_t>(PutVarint(*seed, number) - number));
  }
  eventful_ = true;
}

void Tape::Restore(absl::string_view key, Cursor cursor) {
  CatchUp(cursor);
  BeginEntry(TapeMark::kRestore, {key.size()});
  piece_.append(key.data(), key.size());
  eventful_ = true;
}

void Tape::WriteValues(int variable, absl::string_view values, Cursor cursor) {
  uint64_t offset = 0;
  do {
    if (piece_.size() + 2 * kEntryHead >= kMostBytes) Cut(cursor);
    const size_t room = (kMostBytes - piece_.size() - kEntryHead) / kWidest * kWidest;
    const size_t length = std::min(values.size() - offset, room);
    BeginEntry(TapeMark::kValues, {static_cast<uint64_t>(variable), offset, length});
    piece_.append(values.data() + offset, length);
    offset += length;
  } while (offset < values.size());
}

void Tape::BeginEntry(TapeMark mark, std::initializer_list<uint64_t> numbers) {
  char head[kEntryHead];
  char* end = head;
  if (piece_.empty()) {
    *end++ = kTapeVersion;
    end = PutVarint(static_cast<uint64_t>(begin_.epoch), end);
    end = PutVarint(static_cast<uint64_t>(begin_.step), end);
  }
  if (steps_ > 0) end = PutSteps(std::exchange(steps_, 0), end);
  *end++ = static_cast<char>(mark);
  for (const uint64_t number : numbers) end = PutVarint(number, end);
  piece_.append(head, static_cast<size_t>(end - head));
}

void Tape::Cut(Cursor cursor) {
  assert(!piece_.empty());
  if (steps_ > 0) {
    char steps[kEntryHead];
    piece_.append(steps, static_cast<size_t>(PutSteps(std::exchange(steps_, 0), steps) - steps));
  }
  journal_->Append(piece_, cursor);
  piece_.clear();
  begin_ = cursor;
  learning_is_written_ = false;
  eventful_ = false;
}

void Tape::Flush(Cursor cursor) {
  if (piece_.empty()) {
    begin_ = cursor;
  } else {
    Cut(cursor);
  }
}

void Tape::EndSlice(Cursor cursor, Clock::Time now) {
  if (piece_.empty()) return;
  if (!eventful_ && now - given_at_ < kPatience) return;
  given_at_ = now;
  Cut(cursor);
}

}  // namespace prospero
