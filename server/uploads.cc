#include "server/uploads.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "engine/runtime/snapshot.h"
#include "server/convert/network.h"
#include "server/snapshots.h"
#include "server/store/checksum.h"
#include "server/store/snapshot_file.h"

namespace prospero::server {
namespace {

constexpr size_t kMaxId = 128;
constexpr int64_t kMaxHeader = 100'000'000;  // [bytes] of a safetensors file

/// Beside the upload lies another one, that says how large the file will be.
std::string SizeKey(const std::string& key) { return key + ".size"; }

absl::Status NotFound() {
  return Error(absl::StatusCode::kNotFound, "UPLOAD_NOT_FOUND", "there is no such upload");
}

absl::Status BadSnapshot(const absl::Status& found) {
  return Error(absl::StatusCode::kInvalidArgument, "BAD_SNAPSHOT",
               absl::StrCat("the file is no snapshot, or damaged: ", found.message()));
}

absl::StatusOr<int64_t> ReadSize(const Blobs& blobs, const std::string& key) {
  const absl::StatusOr<std::unique_ptr<BlobReader>> file = blobs.OpenUpload(SizeKey(key));
  if (!file.ok()) return file.status();
  std::string digits(static_cast<size_t>((*file)->size()), '\0');
  const absl::StatusOr<int64_t> read = (*file)->Read(0, (*file)->size(), digits.data());
  if (!read.ok()) return read.status();
  int64_t size = 0;
  if (!absl::SimpleAtoi(digits, &size)) return NotFound();
  return size;
}

}  // namespace

absl::Status CheckUploadId(absl::string_view upload_id, absl::string_view path) {
  if (!upload_id.empty() && upload_id.size() <= kMaxId) return absl::OkStatus();
  return InvalidField(path,
                      absl::StrCat("must have 1 to ", kMaxId, " bytes, got ", upload_id.size()));
}

Upload::Upload(Host* host, const Record* record, absl::string_view upload_id)
    : host_(*host),
      record_(*record),
      key_(absl::StrCat(record->uid(), "-", Hex(Checksum(upload_id)))) {}

absl::Status Upload::Open(int64_t offset, int64_t size) {
  const int64_t most = record_.bytes() + kMaxHeader;
  if (size <= 0 || size > most) {
    return InvalidField("size_bytes", absl::StrCat("must be from 1 to ", most,
                                                   ", what this network can take, got ", size));
  }
  if (offset < 0) return InvalidField("offset", absl::StrCat("must be >= 0, got ", offset));
  absl::StatusOr<std::shared_ptr<void>> right = record_.shelf().OpenUpload(key_);
  if (!right.ok()) return right.status();
  right_ = *std::move(right);
  const absl::StatusOr<Extent> before = Find();
  if (!before.ok() && !absl::IsNotFound(before.status())) return before.status();
  const Extent there = before.ok() ? *before : Extent{};
  if (offset > there.received) {
    return InvalidField("offset", absl::StrCat("must be at most ", there.received,
                                               ", what is there of the upload, got ", offset));
  }
  if (before.ok() && there.size != size && offset > 0) {
    return InvalidField("size_bytes", absl::StrCat("must be ", there.size,
                                                   ", as when the upload began, got ", size));
  }
  extent_ = {offset, size};
  Blobs& blobs = host_.store->blobs();
  absl::Status status = blobs.WriteUpload(SizeKey(key_), 0, absl::StrCat(size));
  if (status.ok()) status = blobs.WriteUpload(key_, offset, "");
  return status.ok() ? status : StorageError(status);
}

absl::Status Upload::Append(absl::string_view bytes) {
  const auto count = static_cast<int64_t>(bytes.size());
  if (count > extent_.size - extent_.received) {
    return InvalidField("chunk.data", absl::StrCat("must keep within size_bytes = ", extent_.size,
                                                   ", got up to ", extent_.received + count));
  }
  const absl::Status status = host_.store->blobs().WriteUpload(key_, extent_.received, bytes);
  if (!status.ok()) return StorageError(status);
  extent_.received += count;
  return absl::OkStatus();
}

absl::StatusOr<Upload::Extent> Upload::Find() const {
  const Blobs& blobs = host_.store->blobs();
  const absl::StatusOr<int64_t> size = ReadSize(blobs, key_);
  if (absl::IsNotFound(size.status())) return NotFound();
  if (!size.ok()) return StorageError(size.status());
  const absl::StatusOr<int64_t> received = blobs.UploadSize(key_);
  if (absl::IsNotFound(received.status())) return NotFound();
  if (!received.ok()) return StorageError(received.status());
  return Extent{*received, *size};
}

absl::Status Upload::Refuse(absl::Status why) const {
  Blobs& blobs = host_.store->blobs();
  blobs.DropUpload(key_).IgnoreError();
  blobs.DropUpload(SizeKey(key_)).IgnoreError();
  return why;
}

absl::StatusOr<v1::Snapshot> Upload::Check() const {
  if (extent_.received < extent_.size) {
    return Error(
        absl::StatusCode::kInvalidArgument, "BAD_SEQUENCE",
        absl::StrCat("the stream ended with ", extent_.received, " of ", extent_.size, " bytes"));
  }
  const absl::StatusOr<std::unique_ptr<BlobReader>> file = host_.store->blobs().OpenUpload(key_);
  if (!file.ok()) return StorageError(file.status());
  const absl::StatusOr<Budget::Reservation> memory = host_.memory.Reserve((*file)->size());
  if (!memory.ok()) return memory.status();
  SnapshotInfo info;
  const absl::StatusOr<Snapshot> snapshot = ReadSnapshot(**file, &info);
  if (absl::IsDataLoss(snapshot.status())) return Refuse(BadSnapshot(snapshot.status()));
  if (!snapshot.ok()) return StorageError(snapshot.status());
  const absl::Status fits = CheckFits(*snapshot, record_.instance().variables());
  if (!fits.ok()) return Refuse(fits);
  v1::Snapshot wire;
  *wire.mutable_cursor() = ToProto(info.cursor);
  wire.set_size_bytes(extent_.size);
  wire.set_origin(v1::Snapshot::ORIGIN_IMPORT);
  return wire;
}

absl::Status Upload::Finish(absl::string_view blob) {
  Blobs& blobs = host_.store->blobs();
  const absl::Status status = blobs.FinishUpload(key_, blob);
  if (!status.ok()) return StorageError(status);
  blobs.DropUpload(SizeKey(key_)).IgnoreError();
  return absl::OkStatus();
}

}  // namespace prospero::server
