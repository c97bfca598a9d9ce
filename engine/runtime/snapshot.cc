#include "engine/runtime/snapshot.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/errors.h"
#include "engine/runtime/packed.h"

namespace prospero {
namespace {

std::string Describe(DataType type, const std::vector<int64_t>& shape) {
  return absl::StrCat(type == DataType::kFloat32 ? "float32" : "float64", "[",
                      absl::StrJoin(shape, ", "), "]");
}

absl::Status Mismatch(absl::string_view message) {
  return Error(absl::StatusCode::kFailedPrecondition, "SNAPSHOT_MISMATCH", message);
}

absl::Status CheckArray(const Snapshot::Array& array, const Variable& variable) {
  if (array.name != variable.name) {
    return Mismatch(absl::StrCat("the snapshot has '", array.name, "' where the network has '",
                                 variable.name, "'"));
  }
  if (array.type != variable.type || array.shape != variable.shape) {
    return Mismatch(absl::StrCat("'", array.name, "' is ", Describe(variable.type, variable.shape),
                                 " in the network, ", Describe(array.type, array.shape),
                                 " in the snapshot"));
  }
  if (static_cast<int64_t>(array.values.size()) != variable.bytes()) {
    return Mismatch(absl::StrCat("'", array.name, "' has ", variable.bytes(),
                                 " bytes in the network, ", array.values.size(),
                                 " in the snapshot"));
  }
  return absl::OkStatus();
}

}  // namespace

Snapshot MakeRoom(const VariableTable& variables) {
  Snapshot snapshot;
  for (const Variable& variable : variables) {
    if (!IsSaved(variable.role)) continue;
    snapshot.arrays.push_back({variable.name, variable.type, variable.shape,
                               std::string(static_cast<size_t>(variable.bytes()), '\0')});
  }
  return snapshot;
}

void CopyValues(const VariableTable& variables, Snapshot* snapshot) {
  auto array = snapshot->arrays.begin();
  for (const Variable& variable : variables) {
    if (IsSaved(variable.role)) variable.Read((array++)->values.data());
  }
}

Snapshot Take(const VariableTable& variables, Cursor cursor, uint64_t seed) {
  Snapshot snapshot = MakeRoom(variables);
  CopyValues(variables, &snapshot);
  snapshot.epoch = cursor.epoch;
  snapshot.step = cursor.step;
  snapshot.seed = seed;
  snapshot.noise_seed = seed;
  return snapshot;
}

absl::Status CheckFits(const Snapshot& snapshot, const VariableTable& variables) {
  size_t saved = 0;
  for (const Variable& variable : variables) {
    if (!IsSaved(variable.role)) continue;
    if (saved == snapshot.arrays.size()) {
      return Mismatch(absl::StrCat("the snapshot has no '", variable.name, "'"));
    }
    if (auto status = CheckArray(snapshot.arrays[saved], variable); !status.ok()) return status;
    ++saved;
  }
  if (saved == snapshot.arrays.size()) return absl::OkStatus();
  return Mismatch(absl::StrCat("the network has no '", snapshot.arrays[saved].name, "'"));
}

absl::Status Restore(const Snapshot& snapshot, const VariableTable& variables) {
  if (auto status = CheckFits(snapshot, variables); !status.ok()) return status;
  size_t saved = 0;
  for (const Variable& variable : variables) {
    if (IsSaved(variable.role)) variable.Write(snapshot.arrays[saved++].values.data());
  }
  return absl::OkStatus();
}

}  // namespace prospero
