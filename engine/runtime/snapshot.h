#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/core/team.h"
#include "engine/core/variable.h"
#include "engine/runtime/cursor.h"

namespace prospero {

/// A network's whole state between two steps, in memory: enough to continue bit for bit.
struct Snapshot {
  struct Array {
    std::string name;
    DataType type;
    std::vector<int64_t> shape;
    std::string values;  ///< packed, row-major
    friend bool operator==(const Array&, const Array&) = default;
  };
  int64_t epoch = 0;
  int64_t step = 0;
  uint64_t seed = 0;          ///< that weights are drawn from when they are reset
  uint64_t noise_seed = 0;    ///< that noise is drawn from
  std::vector<Array> arrays;  ///< every saved variable, in table order
};

/// A snapshot of such a network, with memory for the values that has been touched.
Snapshot MakeRoom(const VariableTable& variables);

/// Copies every saved variable to where MakeRoom has made room for it. Allocates nothing. `team`
/// helps with the large ones; null: nobody does.
void CopyValues(const VariableTable& variables, Team* team, Snapshot* snapshot);

/// Copies every saved variable out. Both seeds are `seed`.
Snapshot Take(const VariableTable& variables, Cursor cursor, uint64_t seed);

/// kFailedPrecondition, reason SNAPSHOT_MISMATCH, unless the table has exactly the saved
/// variables of the snapshot, with its types and shapes.
absl::Status CheckFits(const Snapshot& snapshot, const VariableTable& variables);

/// Puts the values back. The error of CheckFits, and no change, if they do not fit.
absl::Status Restore(const Snapshot& snapshot, const VariableTable& variables);

}  // namespace prospero
