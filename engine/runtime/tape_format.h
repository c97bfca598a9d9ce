#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "engine/core/network.h"
#include "engine/runtime/cursor.h"

namespace prospero {

/// The first byte of a piece of tape. A piece is
///
///   version, epoch, step, entry, entry, ...
///
/// where an entry is one byte that says which it is and then what TapeEntry has for it, in that
/// order. Whole numbers are LEB128 varints, an array is its length and its bytes; values are as
/// they lie in memory, little-endian, row-major and without padding.
constexpr char kTapeVersion = 1;

enum class TapeMark : uint8_t {
  kSteps = 1,     ///< steps that were made
  kValues = 2,    ///< variable, offset, bytes: part of a variable, or all of it
  kFill = 3,      ///< variable, bytes: one value for all of a variable
  kReset = 4,     ///< scopes and step in one byte of flags, seed if there is one
  kRestore = 5,   ///< bytes: the snapshot's key
  kDiverged = 6,  ///< one more step, which left the finite range and is not counted
};

/// Flags of kReset.
constexpr uint8_t kResetState = 1, kResetWeights = 2, kResetNoise = 4, kResetStep = 8,
                  kResetSeed = 16;

struct TapeEntry {
  TapeMark mark = TapeMark::kSteps;
  int64_t steps = 0;
  int variable = 0;         ///< index in the network's table
  uint64_t offset = 0;      ///< [bytes]
  absl::string_view bytes;  ///< in the piece
  ResetScopes scopes = {};
  bool step = false;
  absl::optional<uint64_t> seed = {};
};

/// At most 10 bytes; returns the end.
char* PutVarint(uint64_t number, char* out);

/// Takes a piece apart. Every length is checked; nothing is allocated but for messages. The piece
/// must outlive it and its entries.
class TapeReader {
 public:
  explicit TapeReader(absl::string_view piece) : rest_(piece), size_(piece.size()) {}

  /// To be called first, once. kDataLoss (DATA_LOSS): not a piece, or of another version.
  absl::StatusOr<Cursor> Begin();
  /// False behind the last entry. kDataLoss (DATA_LOSS): the piece is damaged here.
  absl::StatusOr<bool> Next(TapeEntry* entry);

 private:
  bool ReadByte(uint8_t* byte);
  bool ReadNumber(uint64_t* number);
  bool ReadCount(int64_t* count);
  bool ReadBytes(absl::string_view* bytes);
  bool ReadVariable(int* variable);
  bool ReadReset(TapeEntry* entry);
  bool ReadEntry(TapeEntry* entry);
  absl::Status Damaged() const;

  absl::string_view rest_;
  const size_t size_;
};

/// kDataLoss, reason DATA_LOSS.
absl::Status DataLoss(absl::string_view message);

}  // namespace prospero
