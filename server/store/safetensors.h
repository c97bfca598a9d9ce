#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/variable.h"
#include "server/store/blobs.h"

namespace prospero::server {

// The file format of https://github.com/huggingface/safetensors: the length of the header (8
// bytes), the header (JSON, padded with spaces to a multiple of 8), the tensors one after the other
// without a gap, row-major and little-endian.

struct TensorInfo {
  std::string name;
  DataType type = DataType::kFloat32;
  std::vector<int64_t> shape;
  int64_t begin = 0;  ///< [bytes] behind the header
  int64_t end = 0;
};

struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::vector<TensorInfo> tensors;  ///< in the order of the file
  int64_t bytes = 0;                ///< where the tensors begin in the file
};

/// The first bytes of a file. Fills in begin and end of each tensor, and bytes. Names and texts
/// must be UTF-8.
std::string EncodeHeader(SafetensorsHeader* header);

/// The first bytes of a file: length and JSON. kDataLoss (SNAPSHOT_DAMAGED) when there is no room
/// for them or the length is more than 100 MB.
absl::StatusOr<std::string> ReadHeaderBytes(const BlobReader& reader);

/// What the first bytes say. kDataLoss (SNAPSHOT_DAMAGED), saying what is wrong: JSON of another
/// form, types other than F32 and F64, shapes that are negative or overflow, tensors that do not
/// follow one another, or do not fill a file of `file_bytes`. Takes memory in proportion to the
/// header.
absl::StatusOr<SafetensorsHeader> DecodeHeader(absl::string_view bytes, int64_t file_bytes);

/// kDataLoss (SNAPSHOT_DAMAGED).
absl::Status Damaged(absl::string_view message);

}  // namespace prospero::server
