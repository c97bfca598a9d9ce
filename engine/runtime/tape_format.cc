#include "engine/runtime/tape_format.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"

namespace prospero {
namespace {

/// No network comes so far, and what is counted from here on does not overflow.
constexpr uint64_t kMostCount = uint64_t{1} << 62;

}  // namespace

absl::Status DataLoss(absl::string_view message) {
  return Error(absl::StatusCode::kDataLoss, "DATA_LOSS", message);
}

char* PutVarint(uint64_t number, char* out) {
  while (number >= 0x80) {
    *out++ = static_cast<char>(number | 0x80);
    number >>= 7;
  }
  *out++ = static_cast<char>(number);
  return out;
}

absl::StatusOr<Cursor> TapeReader::Begin() {
  uint8_t version = 0;
  if (!ReadByte(&version)) return Damaged();
  if (version != static_cast<uint8_t>(kTapeVersion)) {
    return DataLoss(absl::StrCat("the piece of journal has format ", version, ", this program has ",
                                 static_cast<int>(kTapeVersion)));
  }
  Cursor cursor;
  if (!ReadCount(&cursor.epoch) || !ReadCount(&cursor.step)) return Damaged();
  return cursor;
}

absl::StatusOr<bool> TapeReader::Next(TapeEntry* entry) {
  if (rest_.empty()) return false;
  if (!ReadEntry(entry)) return Damaged();
  return true;
}

bool TapeReader::ReadEntry(TapeEntry* entry) {
  uint8_t mark = 0;
  if (!ReadByte(&mark)) return false;
  entry->mark = static_cast<TapeMark>(mark);
  switch (entry->mark) {
    case TapeMark::kSteps:
      return ReadCount(&entry->steps);
    case TapeMark::kValues:
      return ReadVariable(&entry->variable) && ReadNumber(&entry->offset) &&
             ReadBytes(&entry->bytes);
    case TapeMark::kFill:
      return ReadVariable(&entry->variable) && ReadBytes(&entry->bytes);
    case TapeMark::kReset:
      return ReadReset(entry);
    case TapeMark::kRestore:
      return ReadBytes(&entry->bytes);
    case TapeMark::kDiverged:
      return true;
  }
  return false;
}

bool TapeReader::ReadReset(TapeEntry* entry) {
  uint8_t flags = 0;
  if (!ReadByte(&flags)) return false;
  entry->scopes = {.state = (flags & kResetState) != 0,
                   .weights = (flags & kResetWeights) != 0,
                   .noise = (flags & kResetNoise) != 0};
  entry->step = (flags & kResetStep) != 0;
  entry->seed.reset();
  if ((flags & kResetSeed) == 0) return true;
  uint64_t seed = 0;
  if (!ReadNumber(&seed)) return false;
  entry->seed = seed;
  return true;
}

bool TapeReader::ReadByte(uint8_t* byte) {
  if (rest_.empty()) return false;
  *byte = static_cast<uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  return true;
}

bool TapeReader::ReadNumber(uint64_t* number) {
  *number = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    uint8_t byte = 0;
    if (!ReadByte(&byte)) return false;
    if (shift == 63 && byte > 1) return false;
    *number |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

bool TapeReader::ReadCount(int64_t* count) {
  uint64_t number = 0;
  if (!ReadNumber(&number) || number > kMostCount) return false;
  *count = static_cast<int64_t>(number);
  return true;
}

bool TapeReader::ReadVariable(int* variable) {
  uint64_t number = 0;
  if (!ReadNumber(&number) || number > uint64_t{std::numeric_limits<int>::max()}) return false;
  *variable = static_cast<int>(number);
  return true;
}

bool TapeReader::ReadBytes(absl::string_view* bytes) {
  uint64_t length = 0;
  if (!ReadNumber(&length) || length > rest_.size()) return false;
  *bytes = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return true;
}

absl::Status TapeReader::Damaged() const {
  return DataLoss(
      absl::StrCat("the piece of journal is damaged before byte ", size_ - rest_.size()));
}

}  // namespace prospero
