#include "engine/runtime/snapshot.h"

#include <immintrin.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/errors.h"
#include "engine/runtime/packed.h"

namespace prospero {
namespace {

/// Arrays of so many bytes are copied by a team, shares of so many at a time.
constexpr size_t kShared = size_t{1} << 20;
constexpr size_t kShare = size_t{256} << 10;
/// Arrays of so many bytes are copied past the caches: what is copied is not read soon, and the
/// network's values stay there.
constexpr size_t kLarge = size_t{8} << 20;

void CopyPastCaches(const char* from, size_t bytes, char* to) {
  constexpr size_t kVector = sizeof(__m256i);
  const size_t head = std::min(bytes, -reinterpret_cast<uintptr_t>(to) % kVector);
  std::memcpy(to, from, head);
  size_t at = head;
  for (; at + kVector <= bytes; at += kVector) {
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to + at),
                        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + at)));
  }
  std::memcpy(to + at, from + at, bytes - at);
  _mm_sfence();
}

/// Memory for so many bytes, touched. As with the network's own: in small pages a copy would look
/// up a table for each.
std::string Touched(size_t bytes) {
  constexpr size_t kHugePage = size_t{2} << 20;
  std::string room;
  room.reserve(bytes);
  const auto begin = reinterpret_cast<uintptr_t>(room.data());
  const uintptr_t first = (begin + kHugePage - 1) / kHugePage * kHugePage;
  const uintptr_t last = (begin + bytes) / kHugePage * kHugePage;
  if (first < last) madvise(room.data() + (first - begin), last - first, MADV_HUGEPAGE);
  room.resize(bytes);
  return room;
}

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
                               Touched(static_cast<size_t>(variable.bytes()))});
  }
  return snapshot;
}

void CopyValues(const VariableTable& variables, Team* team, Snapshot* snapshot) {
  auto array = snapshot->arrays.begin();
  for (const Variable& variable : variables) {
    if (!IsSaved(variable.role)) continue;
    std::string& values = (array++)->values;
    if (values.size() < kShared || !IsPacked(variable)) {
      variable.Read(values.data());
      continue;
    }
    const auto* const source = static_cast<const char*>(variable.data);
    const size_t bytes = values.size();
    RunOn(team, static_cast<int64_t>((bytes + kShare - 1) / kShare), [&](int64_t task) {
      const size_t begin = static_cast<size_t>(task) * kShare;
      const size_t size = std::min(kShare, bytes - begin);
      if (bytes >= kLarge) {
        CopyPastCaches(source + begin, size, values.data() + begin);
      } else {
        std::memcpy(values.data() + begin, source + begin, size);
      }
    });
  }
}

Snapshot Take(const VariableTable& variables, Cursor cursor, uint64_t seed) {
  Snapshot snapshot = MakeRoom(variables);
  CopyValues(variables, nullptr, &snapshot);
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
