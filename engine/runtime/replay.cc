#include "engine/runtime/replay.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "engine/runtime/packed.h"

namespace prospero {
namespace {

/// Steps between two calls of `progress`.
constexpr int64_t kStepsBetween = 64;

absl::Status Lost(absl::string_view what, const absl::Status& why) {
  return DataLoss(absl::StrCat(what, ": ", why.message()));
}

absl::Status BrokenOff() { return absl::CancelledError("the network is not to be brought back"); }

}  // namespace

absl::Status Replay::Play(absl::string_view piece) {
  TapeReader check(piece);
  const auto begin = check.Begin();
  if (!begin.ok()) return begin.status();
  if (auto status = CheckPlace(*begin); !status.ok()) return status;
  TapeEntry entry;
  for (;;) {
    const auto found = check.Next(&entry);
    if (!found.ok()) return found.status();
    if (!*found) break;
    if (auto status = Check(entry); !status.ok()) return status;
  }
  simulation_.RaiseEpoch(begin->epoch);
  TapeReader reader(piece);
  for (bool more = reader.Begin().ok(); more;) {
    more = reader.Next(&entry).value_or(false);
    if (!more) break;
    if (auto status = CarryOut(entry); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Replay::CheckPlace(Cursor begin) const {
  const Cursor here = simulation_.cursor();
  // Whoever brought the network back before may have raised the epoch.
  if (begin.step == here.step && begin.epoch >= here.epoch) return absl::OkStatus();
  return DataLoss(absl::StrCat("the piece of journal begins at epoch ", begin.epoch, ", step ",
                               begin.step, ", the network stands at epoch ", here.epoch, ", step ",
                               here.step));
}

absl::Status Replay::Check(const TapeEntry& entry) const {
  switch (entry.mark) {
    case TapeMark::kValues:
    case TapeMark::kFill:
      return CheckWrite(entry);
    case TapeMark::kSteps:
    case TapeMark::kReset:
    case TapeMark::kRestore:
    case TapeMark::kDiverged:
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status Replay::CheckWrite(const TapeEntry& entry) const {
  const VariableTable& variables = simulation_.variables();
  if (entry.variable >= variables.size()) {
    return DataLoss(absl::StrCat("the journal writes variable ", entry.variable,
                                 ", which the network has not"));
  }
  const Variable& variable = variables[entry.variable];
  const auto bytes = static_cast<uint64_t>(variable.bytes());
  const auto value = static_cast<uint64_t>(SizeOf(variable.type));
  const bool fits = entry.mark == TapeMark::kFill
                        ? entry.bytes.size() == value
                        : entry.bytes.size() % value == 0 && entry.offset % value == 0 &&
                              entry.bytes.size() <= bytes &&
                              entry.offset <= bytes - entry.bytes.size();
  if (!fits) {
    return DataLoss(absl::StrCat("the journal writes ", entry.bytes.size(), " bytes at byte ",
                                 entry.offset, " of '", variable.name, "', which has ", bytes));
  }
  if (variable.role == Role::kInput) return absl::OkStatus();
  if (variable.role != Role::kParameter && variable.role != Role::kWeight) {
    return DataLoss(absl::StrCat("the journal writes '", variable.name,
                                 "', which is neither an input nor a parameter nor a weight"));
  }
  const auto path = [] { return std::string("journal"); };
  const absl::Status status = CheckValues(variable, entry.bytes, path);
  return status.ok() ? status : Lost("the journal writes what is not allowed", status);
}

absl::Status Replay::CarryOut(const TapeEntry& entry) {
  const VariableTable& variables = simulation_.variables();
  switch (entry.mark) {
    case TapeMark::kSteps:
      return Advance(entry.steps);
    case TapeMark::kValues:
      simulation_.PutBack(entry.variable, entry.offset, entry.bytes);
      return absl::OkStatus();
    case TapeMark::kFill:
      variables[entry.variable].Fill(ReadValue(variables[entry.variable].type, entry.bytes.data()));
      return absl::OkStatus();
    case TapeMark::kReset:
      simulation_.Reset(entry.scopes, entry.step, entry.seed);
      return absl::OkStatus();
    case TapeMark::kRestore:
      return Restore(entry.bytes);
    case TapeMark::kDiverged:
      return Diverge();
  }
  return absl::OkStatus();
}

absl::Status Replay::Advance(int64_t steps) {
  if (!simulation_.finite()) return DataLoss("the journal has steps of a network that has failed");
  for (int64_t n = 0; n < steps; ++n) {
    if (!simulation_.Advance()) {
      return Lost("the network does not do again what it did", simulation_.Diagnose());
    }
    ++steps_;
    if (steps_ % kStepsBetween == 0 && origin_.progress && !origin_.progress(steps_)) {
      return BrokenOff();
    }
  }
  return absl::OkStatus();
}

absl::Status Replay::Diverge() {
  if (simulation_.finite() && !simulation_.Advance()) return absl::OkStatus();
  return DataLoss(absl::StrCat("the network did not diverge in step ", simulation_.cursor().step,
                               " as it had"));
}

absl::Status Replay::Restore(absl::string_view key) {
  if (!origin_.find_snapshot) return DataLoss("there is no snapshot to go back to");
  const auto snapshot = origin_.find_snapshot(std::string(key));
  if (!snapshot.ok()) return Lost("the network went back to a snapshot", snapshot.status());
  if (auto status = simulation_.CheckRestorable(**snapshot); !status.ok()) {
    return Lost("the network went back to a snapshot", status);
  }
  simulation_.RestoreSnapshot(**snapshot, key);
  return absl::OkStatus();
}

absl::Status BringBack(const Origin& origin, Simulation& simulation, absl::Status* loss) {
  *loss = absl::OkStatus();
  if (origin.base != nullptr) {
    if (auto status = simulation.BringBack(*origin.base); !status.ok()) return status;
  }
  Replay replay(simulation, origin);
  while (origin.next_piece) {
    if (origin.progress && !origin.progress(replay.steps())) return BrokenOff();
    const auto piece = origin.next_piece();
    absl::Status status = piece.status();
    if (!status.ok()) {
      *loss = status.code() == absl::StatusCode::kDataLoss
                  ? std::move(status)
                  : Lost("the journal cannot be read", status);
      break;
    }
    if (!piece->has_value()) break;
    status = replay.Play(**piece);
    if (status.code() == absl::StatusCode::kCancelled) return status;
    if (!status.ok()) {
      *loss = std::move(status);
      break;
    }
  }
  simulation.RaiseEpoch(origin.least_epoch);
  if (origin.new_epoch) simulation.RaiseEpoch(simulation.cursor().epoch + 1);
  simulation.WishLearning(origin.learning);
  return absl::OkStatus();
}

}  // namespace prospero
