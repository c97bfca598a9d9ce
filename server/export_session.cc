#include "server/export_session.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "engine/core/errors.h"
#include "server/convert/snapshot.h"
#include "server/reactor.h"
#include "server/snapshot_calls.h"
#include "server/snapshots.h"

namespace prospero::server {
namespace {

constexpr int64_t kChunk = int64_t{1} << 20;  // [bytes]

/// One reader of a file: while a chunk is being written the next one is read, on an errand, and no
/// more. The file stays open, so that it can be read to its end also when the snapshot is deleted.
class ExportSession final : public WriteStream<grpc::ServerWriteReactor<v1::ExportSnapshotResponse>,
                                               v1::ExportSnapshotResponse> {
 public:
  ExportSession(Host* host, grpc::CallbackServerContext* context,
                const v1::ExportSnapshotRequest& request)
      : WriteStream(context, CallLog(host, LogLevel::kInfo, "ExportSnapshot", *context)),
        host_(*host),
        request_(request) {
    Hold();
    host_.AwaitNetwork(NetworkPart(request_.name()), [this] {
      host_.errands.Post([this] {
        Begin();
        Release();
      });
    });
  }

 private:
  void Begin() ABSL_LOCKS_EXCLUDED(mu_);
  /// Finds the file and sets memory aside.
  absl::Status Open() ABSL_LOCKS_EXCLUDED(mu_);
  const v1::ExportSnapshotResponse* Next(bool* more) override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Leave() override {}

  void Fetch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<v1::ExportSnapshotResponse> ReadChunk(int64_t offset) const;

  Host& host_;
  const v1::ExportSnapshotRequest request_;

  // Set while opening, constant afterwards.
  std::unique_ptr<BlobReader> file_;
  Budget::Reservation memory_;
  int64_t chunk_ = 0;  ///< [bytes]

  int64_t offset_ ABSL_GUARDED_BY(mu_) = 0;  ///< of the next chunk
  bool fetching_ ABSL_GUARDED_BY(mu_) = false;
  bool opened_ ABSL_GUARDED_BY(mu_) = false;
  absl::optional<v1::ExportSnapshotResponse> ready_ ABSL_GUARDED_BY(mu_);
  v1::ExportSnapshotResponse message_ ABSL_GUARDED_BY(mu_);  ///< gRPC's while it is written
};

void ExportSession::Begin() {
  const absl::Status status = Open();
  MutexLock lock(mu_);
  log().set_network(NetworkPart(request_.name()));
  if (status.ok()) {
    opened_ = true;
    offset_ = request_.offset();
    Fetch();
  } else {
    End(status);
  }
  Pump();
}

absl::Status ExportSession::Open() {
  if (absl::Status status = host_.CheckOpen(); !status.ok()) return status;
  const absl::StatusOr<FoundSnapshot> found = FindSnapshot(host_, request_.name(), "name");
  if (!found.ok()) return found.status();
  absl::StatusOr<std::unique_ptr<BlobReader>> file = host_.store->blobs().Open(found->row.blob());
  if (absl::IsNotFound(file.status())) {
    return SnapshotDamaged(request_.name(), absl::NotFoundError("it is missing"));
  }
  if (!file.ok()) return StorageError(file.status());
  file_ = *std::move(file);
  if (request_.offset() < 0 || request_.offset() > file_->size()) {
    return InvalidField("offset", absl::StrCat("must be from 0 to the file's ", file_->size(),
                                               " bytes, got ", request_.offset()));
  }
  if (request_.chunk_bytes() < 0) {
    return InvalidField("chunk_bytes", absl::StrCat("must be >= 0, got ", request_.chunk_bytes()));
  }
  const int64_t most = host_.limits.max_payload_bytes();
  chunk_ = std::min<int64_t>(request_.chunk_bytes() == 0 ? kChunk : request_.chunk_bytes(), most);
  absl::StatusOr<Budget::Reservation> memory = host_.memory.Reserve(2 * chunk_);
  if (!memory.ok()) return memory.status();
  memory_ = *std::move(memory);
  return absl::OkStatus();
}

void ExportSession::Fetch() {
  fetching_ = true;
  Hold();
  host_.errands.Post([this, offset = offset_] {
    absl::StatusOr<v1::ExportSnapshotResponse> chunk = ReadChunk(offset);
    {
      MutexLock lock(mu_);
      fetching_ = false;
      if (chunk.ok()) {
        offset_ += static_cast<int64_t>(chunk->data().size());
        ready_ = *std::move(chunk);
      } else {
        End(chunk.status());
      }
      Pump();
    }
    Release();
  });
}

absl::StatusOr<v1::ExportSnapshotResponse> ExportSession::ReadChunk(int64_t offset) const {
  v1::ExportSnapshotResponse chunk;
  chunk.set_offset(offset);
  chunk.set_size_bytes(file_->size());
  const int64_t count = std::min(chunk_, file_->size() - offset);
  std::string& data = *chunk.mutable_data();
  data.resize(static_cast<size_t>(count));
  const absl::StatusOr<int64_t> read = file_->Read(offset, count, data.data());
  if (!read.ok()) return StorageError(read.status());
  if (*read == count) return chunk;
  return SnapshotDamaged(request_.name(), absl::DataLossError("it has become shorter"));
}

const v1::ExportSnapshotResponse* ExportSession::Next(bool* /*more*/) {
  if (ready_.has_value()) {
    message_ = *std::move(ready_);
    ready_.reset();
    if (offset_ < file_->size()) Fetch();
    return &message_;
  }
  if (opened_ && !fetching_ && offset_ == file_->size()) End(absl::OkStatus());
  return nullptr;
}

}  // namespace

grpc::ServerWriteReactor<v1::ExportSnapshotResponse>* MakeExportSession(
    Host* host, grpc::CallbackServerContext* context, const v1::ExportSnapshotRequest& request) {
  return new ExportSession(host, context, request);
}

}  // namespace prospero::server
