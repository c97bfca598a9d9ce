#include "server/store/snapshot_file.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "google/protobuf/util/json_util.h"
#include "server/store/checksum.h"
#include "server/store/safetensors.h"

namespace prospero::server {
namespace {

constexpr char kFormat[] = "prospero-snapshot";
constexpr int kFormatVersion = 1;
constexpr size_t kChunk = size_t{1} << 20;
constexpr size_t kDigits = 16;
/// As it stands before its digits. A quote within a text would have a backslash.
const std::string kChecksumKey = "\"checksum\":\"";

/// With as many digits as bring it back.
std::string Digits(double value) {
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof(text), value).ptr);
}

absl::StatusOr<std::map<std::string, std::string>> Metadata(const Snapshot& snapshot,
                                                            const SnapshotInfo& info) {
  std::string spec;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  if (!google::protobuf::util::MessageToJsonString(info.spec, &spec, options).ok()) {
    return absl::InternalError("the spec cannot be written as JSON");
  }
  std::map<std::string, std::string> metadata = {
      {"format", kFormat},
      {"format_version", absl::StrCat(kFormatVersion)},
      {"network", info.network},
      {"uid", info.uid},
      {"model", info.model},
      {"precision", info.precision},
      {"dt_ms", Digits(info.dt_ms)},
      {"spec", std::move(spec)},
      {"epoch", absl::StrCat(snapshot.epoch)},
      {"step", absl::StrCat(snapshot.step)},
      {"seed", absl::StrCat(snapshot.seed)},
      {"noise_seed", absl::StrCat(snapshot.noise_seed)},
      {"build", info.build},
      {"create_time", absl::FormatTime(absl::RFC3339_full, info.create_time, absl::UTCTimeZone())},
      {"checksum", std::string(kDigits, '0')}};
  for (const Snapshot::Array& array : snapshot.arrays) {
    metadata[absl::StrCat("xxh3:", array.name)] = Hex(Checksum(array.values));
  }
  return metadata;
}

/// Takes the values of the metadata out, and remembers the first that is missing or wrong.
class MetadataReader {
 public:
  explicit MetadataReader(const std::map<std::string, std::string>& metadata)
      : metadata_(metadata) {}

  std::string Text(const std::string& key) {
    const auto found = metadata_.find(key);
    if (found != metadata_.end()) return found->second;
    Keep(absl::StrCat("the metadata lack '", key, "'"));
    return "";
  }
  template <class T>
  T Number(const std::string& key) {
    T value{};
    const std::string text = Text(key);
    if (status_.ok() && !Parse(text, &value)) {
      Keep(absl::StrCat("'", key, "' of the metadata is no number: '", text, "'"));
    }
    return value;
  }
  absl::Time Time(const std::string& key) {
    absl::Time time;
    std::string error;
    const std::string text = Text(key);
    if (status_.ok() && !absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
      Keep(absl::StrCat("'", key, "' of the metadata is no time: ", error));
    }
    return time;
  }
  v1::NetworkSpec Spec(const std::string& key) {
    v1::NetworkSpec spec;
    const std::string text = Text(key);
    if (!status_.ok()) return spec;
    const auto parsed = google::protobuf::util::JsonStringToMessage(text, &spec);
    if (!parsed.ok()) Keep(absl::StrCat("the spec cannot be read: ", parsed.ToString()));
    return spec;
  }
  void Keep(absl::string_view error) {
    if (status_.ok()) status_ = Damaged(error);
  }
  const absl::Status& status() const { return status_; }

 private:
  static bool Parse(const std::string& text, double* value) {
    return absl::SimpleAtod(text, value);
  }
  template <class T>
  static bool Parse(const std::string& text, T* value) {
    return absl::SimpleAtoi(text, value);
  }

  const std::map<std::string, std::string>& metadata_;
  absl::Status status_;
};

absl::Status CheckHeaderChecksum(std::string bytes) {
  const size_t at = bytes.find(kChecksumKey);
  const size_t digits = at + kChecksumKey.size();
  if (at == std::string::npos || digits + kDigits > bytes.size()) {
    return Damaged("the header has no checksum");
  }
  const std::string stored = bytes.substr(digits, kDigits);
  bytes.replace(digits, kDigits, kDigits, '0');
  const std::string found = Hex(Checksum(bytes));
  if (stored == found) return absl::OkStatus();
  return Damaged(absl::StrCat("the header is damaged: its checksum is ", found, ", not ", stored));
}

struct Header {
  SafetensorsHeader file;
  SnapshotInfo info;
};

absl::Status CheckFormat(const std::map<std::string, std::string>& metadata) {
  MetadataReader read(metadata);
  const std::string format = read.Text("format");
  const int64_t version = read.Number<int64_t>("format_version");
  if (!read.status().ok()) return read.status();
  if (format != kFormat) return Damaged(absl::StrCat("the file is a '", format, "'"));
  if (version > kFormatVersion) {
    return Error(absl::StatusCode::kFailedPrecondition, "SNAPSHOT_TOO_NEW",
                 absl::StrCat("the file has format_version ", version,
                              ", this server knows versions up to ", kFormatVersion));
  }
  return absl::OkStatus();
}

/// What is not covered by a checksum that was right is not looked into.
absl::StatusOr<Header> ReadHeader(const BlobReader& reader) {
  absl::StatusOr<std::string> bytes = ReadHeaderBytes(reader);
  if (!bytes.ok()) return bytes.status();
  if (absl::Status right = CheckHeaderChecksum(*bytes); !right.ok()) return right;
  absl::StatusOr<SafetensorsHeader> file = DecodeHeader(*bytes, reader.size());
  if (!file.ok()) return file.status();
  if (absl::Status known = CheckFormat(file->metadata); !known.ok()) return known;
  Header header{*std::move(file), {}};
  MetadataReader read(header.file.metadata);
  header.info.network = read.Text("network");
  header.info.uid = read.Text("uid");
  header.info.spec = read.Spec("spec");
  header.info.build = read.Text("build");
  header.info.create_time = read.Time("create_time");
  header.info.cursor = {read.Number<int64_t>("epoch"), read.Number<int64_t>("step")};
  header.info.seed = read.Number<uint64_t>("seed");
  header.info.noise_seed = read.Number<uint64_t>("noise_seed");
  header.info.model = read.Text("model");
  header.info.precision = read.Text("precision");
  header.info.dt_ms = read.Number<double>("dt_ms");
  for (const TensorInfo& tensor : header.file.tensors) {
    read.Text(absl::StrCat("xxh3:", tensor.name));
  }
  if (header.info.cursor.epoch < 0 || header.info.cursor.step < 0) {
    read.Keep("epoch and step must not be negative");
  }
  if (!read.status().ok()) return read.status();
  return header;
}

/// Reads an array in chunks and compares its checksum.
absl::Status ReadArray(const BlobReader& reader, const Header& header, const TensorInfo& tensor,
                       absl::FunctionRef<char*(int64_t offset, int64_t count)> place) {
  RunningChecksum checksum;
  const int64_t size = tensor.end - tensor.begin;
  for (int64_t offset = 0; offset < size;) {
    const int64_t count = std::min<int64_t>(size - offset, kChunk);
    char* const to = place(offset, count);
    const absl::StatusOr<int64_t> got =
        reader.Read(header.file.bytes + tensor.begin + offset, count, to);
    if (!got.ok()) return got.status();
    if (*got < count) return Damaged(absl::StrCat("the array '", tensor.name, "' is cut off"));
    checksum.Add({to, static_cast<size_t>(count)});
    offset += count;
  }
  const std::string& stored = header.file.metadata.at(absl::StrCat("xxh3:", tensor.name));
  if (stored == Hex(checksum.value())) return absl::OkStatus();
  return Damaged(absl::StrCat("the array '", tensor.name, "' is damaged: its checksum is ",
                              Hex(checksum.value()), ", not ", stored));
}

}  // namespace

absl::Status WriteSnapshot(const Snapshot& snapshot, const SnapshotInfo& info,
                           const Blobs::Sink& sink) {
  SafetensorsHeader header;
  for (const Snapshot::Array& array : snapshot.arrays) {
    header.tensors.push_back({array.name, array.type, array.shape});
  }
  auto metadata = Metadata(snapshot, info);
  if (!metadata.ok()) return metadata.status();
  header.metadata = *std::move(metadata);
  std::string bytes = EncodeHeader(&header);
  const std::string checksum = Hex(Checksum(bytes));
  bytes.replace(bytes.find(kChecksumKey) + kChecksumKey.size(), kDigits, checksum);
  const auto put = [&sink](absl::string_view all) {
    absl::Status status;
    for (; status.ok() && !all.empty(); all.remove_prefix(std::min(kChunk, all.size()))) {
      status = sink(all.substr(0, kChunk));
    }
    return status;
  };
  absl::Status status = put(bytes);
  for (const Snapshot::Array& array : snapshot.arrays) {
    if (status.ok()) status = put(array.values);
  }
  return status;
}

absl::StatusOr<SnapshotInfo> ReadSnapshotInfo(const BlobReader& reader) {
  absl::StatusOr<Header> header = ReadHeader(reader);
  if (!header.ok()) return header.status();
  return std::move(header->info);
}

absl::Status CheckSnapshot(const BlobReader& reader) {
  const absl::StatusOr<Header> header = ReadHeader(reader);
  if (!header.ok()) return header.status();
  std::string chunk(kChunk, '\0');
  for (const TensorInfo& tensor : header->file.tensors) {
    const absl::Status read =
        ReadArray(reader, *header, tensor, [&chunk](int64_t, int64_t) { return chunk.data(); });
    if (!read.ok()) return read;
  }
  return absl::OkStatus();
}

absl::StatusOr<Snapshot> ReadSnapshot(const BlobReader& reader, SnapshotInfo* info) {
  absl::StatusOr<Header> header = ReadHeader(reader);
  if (!header.ok()) return header.status();
  Snapshot snapshot;
  snapshot.epoch = header->info.cursor.epoch;
  snapshot.step = header->info.cursor.step;
  snapshot.seed = header->info.seed;
  snapshot.noise_seed = header->info.noise_seed;
  for (const TensorInfo& tensor : header->file.tensors) {
    Snapshot::Array& array =
        snapshot.arrays.emplace_back(Snapshot::Array{tensor.name, tensor.type, tensor.shape, ""});
    array.values.resize(static_cast<size_t>(tensor.end - tensor.begin));
    const absl::Status read = ReadArray(reader, *header, tensor, [&array](int64_t offset, int64_t) {
      return array.values.data() + offset;
    });
    if (!read.ok()) return read;
  }
  if (info != nullptr) *info = std::move(header->info);
  return snapshot;
}

}  // namespace prospero::server
