#include "server/store/safetensors.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "nlohmann/json.hpp"

namespace prospero::server {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr int64_t kLengthBytes = 8;
constexpr size_t kMaxDimensions = 32;

absl::string_view NameOf(DataType type) { return type == DataType::kFloat32 ? "F32" : "F64"; }

/// -1: more than a file can have.
int64_t BytesOf(const TensorInfo& tensor) {
  int64_t bytes = SizeOf(tensor.type);
  for (int64_t extent : tensor.shape) {
    if (__builtin_mul_overflow(bytes, extent, &bytes)) return -1;
  }
  return bytes;
}

/// Takes the header in as it is parsed and keeps nothing else:
///
///   { "__metadata__": { text: text ... }, name: { "dtype": text, "shape": [ ... ],
///     "data_offsets": [ ..., ... ] } ... }
class HeaderParser final : public nlohmann::json_sax<nlohmann::json> {
 public:
  SafetensorsHeader header;
  std::string error;

  bool start_object(size_t /*elements*/) override {
    if (in_array_ || depth_ == 2) return Refuse("an object stands where none may be");
    if (depth_ == 1 && !in_metadata_) header.tensors.emplace_back();
    dtype_ = shape_ = offsets_ = false;
    ++depth_;
    return true;
  }
  bool key(string_t& name) override {
    key_ = std::move(name);
    if (depth_ == 1) {
      in_metadata_ = key_ == "__metadata__";
      name_ = key_;
    }
    return true;
  }
  bool end_object() override {
    --depth_;
    if (depth_ != 1) return true;
    if (in_metadata_) {
      in_metadata_ = false;
      return true;
    }
    if (!dtype_ || !shape_ || !offsets_) return Refuse("lacks dtype, shape or data_offsets");
    header.tensors.back().name = name_;
    return true;
  }
  bool start_array(size_t /*elements*/) override {
    bool* const seen = key_ == "shape" ? &shape_ : key_ == "data_offsets" ? &offsets_ : nullptr;
    if (depth_ != 2 || in_metadata_ || in_array_ || seen == nullptr || *seen) {
      return Refuse("a list stands where none may be");
    }
    *seen = in_array_ = true;
    count_ = 0;
    return true;
  }
  bool end_array() override {
    in_array_ = false;
    return key_ != "data_offsets" || count_ == 2 || Refuse("does not have two data_offsets");
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (!in_array_ || value > uint64_t{1} << 62) return Refuse("a number stands where none may be");
    TensorInfo& tensor = header.tensors.back();
    const int64_t number = static_cast<int64_t>(value);
    ++count_;
    if (key_ == "shape") {
      tensor.shape.push_back(number);
      return count_ <= kMaxDimensions || Refuse("has too many dimensions");
    }
    (count_ == 1 ? tensor.begin : tensor.end) = number;
    return count_ <= 2 || Refuse("does not have two data_offsets");
  }
  bool string(string_t& value) override {
    if (depth_ != 2 || in_array_) return Refuse("a text stands where none may be");
    if (in_metadata_) {
      return header.metadata.emplace(key_, std::move(value)).second || Refuse("is there twice");
    }
    if (key_ != "dtype" || dtype_) return Refuse("a text stands where none may be");
    if (value != "F32" && value != "F64") return Refuse("has another type than F32 or F64");
    header.tensors.back().type = value == "F32" ? DataType::kFloat32 : DataType::kFloat64;
    return dtype_ = true;
  }
  bool null() override { return Refuse("null stands where it may not be"); }
  bool boolean(bool /*value*/) override { return Refuse("a boolean stands where none may be"); }
  bool number_integer(number_integer_t /*value*/) override {
    return Refuse("a number is negative");
  }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override {
    return Refuse("a number is not whole");
  }
  bool binary(binary_t& /*value*/) override { return Refuse("bytes stand where none may be"); }
  bool parse_error(size_t position, const std::string& /*token*/,
                   const nlohmann::json::exception& /*error*/) override {
    if (error.empty()) error = absl::StrCat("the header is no JSON from byte ", position, " on");
    return false;
  }

 private:
  bool Refuse(absl::string_view why) {
    if (error.empty()) error = absl::StrCat("in the header, at '", name_, "': ", why);
    return false;
  }

  int depth_ = 0;
  bool in_metadata_ = false;
  bool in_array_ = false;
  bool dtype_ = false, shape_ = false, offsets_ = false;  ///< seen, of the present tensor
  size_t count_ = 0;                                      ///< of numbers in the present list
  std::string key_, name_;
};

}  // namespace

absl::Status Damaged(absl::string_view message) {
  return Error(absl::StatusCode::kDataLoss, "SNAPSHOT_DAMAGED", message);
}

std::string EncodeHeader(SafetensorsHeader* header) {
  nlohmann::ordered_json json;
  json["__metadata__"] = header->metadata;
  int64_t offset = 0;
  for (TensorInfo& tensor : header->tensors) {
    tensor.begin = offset;
    offset += BytesOf(tensor);
    tensor.end = offset;
    json[tensor.name] = {{"dtype", std::string(NameOf(tensor.type))},
                         {"shape", tensor.shape},
                         {"data_offsets", {tensor.begin, tensor.end}}};
  }
  std::string text = json.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  header->bytes = kLengthBytes + static_cast<int64_t>(text.size());
  const uint64_t length = text.size();
  char bytes[kLengthBytes];
  std::memcpy(bytes, &length, sizeof(length));
  return absl::StrCat(absl::string_view(bytes, kLengthBytes), text);
}

absl::StatusOr<std::string> ReadHeaderBytes(const BlobReader& reader) {
  uint64_t length = 0;
  absl::StatusOr<int64_t> got = reader.Read(0, kLengthBytes, reinterpret_cast<char*>(&length));
  if (!got.ok()) return got.status();
  if (*got < kLengthBytes) {
    return Damaged(absl::StrCat("the file has ", reader.size(), " bytes: too few for a header"));
  }
  const uint64_t room = static_cast<uint64_t>(reader.size() - kLengthBytes);
  if (length > room || length > kMaxHeaderBytes) {
    return Damaged(absl::StrCat("the header should have ", length, " bytes, there is room for ",
                                std::min(room, kMaxHeaderBytes)));
  }
  std::string bytes(static_cast<size_t>(length) + kLengthBytes, '\0');
  got = reader.Read(0, static_cast<int64_t>(bytes.size()), bytes.data());
  if (!got.ok()) return got.status();
  if (*got < static_cast<int64_t>(bytes.size())) return Damaged("the header is cut off");
  return bytes;
}

absl::StatusOr<SafetensorsHeader> DecodeHeader(absl::string_view bytes, int64_t file_bytes) {
  const absl::string_view text = bytes.substr(kLengthBytes);
  HeaderParser parser;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &parser)) return Damaged(parser.error);
  SafetensorsHeader& header = parser.header;
  header.bytes = static_cast<int64_t>(bytes.size());
  int64_t offset = 0;
  for (const TensorInfo& tensor : header.tensors) {
    const int64_t size = BytesOf(tensor);
    if (size < 0 || tensor.begin != offset || tensor.end - tensor.begin != size) {
      return Damaged(absl::StrCat("the array '", tensor.name, "' has the place ", tensor.begin,
                                  " to ", tensor.end, ", not ", offset, " and its ", size,
                                  " bytes on"));
    }
    offset = tensor.end;
  }
  if (offset != file_bytes - header.bytes) {
    return Damaged(absl::StrCat("the arrays have ", offset, " bytes, the file has ",
                                file_bytes - header.bytes, " for them"));
  }
  return std::move(header);
}

}  // namespace prospero::server
