#include "server/import_session.h"

#include <memory>
#include <string>
#include <utility>

#include "engine/core/errors.h"
#include "server/convert/network.h"
#include "server/convert/snapshot.h"
#include "server/network_calls.h"
#include "server/read_stream.h"
#include "server/snapshots.h"
#include "server/uploads.h"

namespace prospero::server {
namespace {

absl::Status Protocol(absl::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, "BAD_SEQUENCE", message);
}

/// One upload. Each request is taken on an errand, and no other is read meanwhile: so at most one
/// chunk waits for the disk. What was received stays when the stream breaks.
class ImportSession final : public ReadStream<v1::ImportSnapshotRequest> {
 public:
  ImportSession(Host* host, grpc::CallbackServerContext* context,
                v1::ImportSnapshotResponse* response)
      : ReadStream(CallLog(host, LogLevel::kInfo, "ImportSnapshot", *context)),
        host_(*host),
        response_(*response) {
    MutexLock lock(mu_);
    Read();
  }

 private:
  void WhenSettled(const v1::ImportSnapshotRequest& request, std::function<void()> then) override {
    request.has_open() ? host_.AwaitNetwork(request.open().network(), std::move(then)) : then();
  }
  void OnRequest(v1::ImportSnapshotRequest* request) override ABSL_LOCKS_EXCLUDED(mu_);
  /// Reading goes on when the request was taken.
  void ReadOn() override {}
  void OnHalfClose() override ABSL_LOCKS_EXCLUDED(mu_);
  void Leave() override ABSL_LOCKS_EXCLUDED(mu_);

  /// Runs on an executor, alone.
  void Work(Executor* executor, std::function<void()> job) ABSL_LOCKS_EXCLUDED(mu_);
  void EndWork() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  absl::Status Take(v1::ImportSnapshotRequest* request);
  absl::Status Open(const v1::ImportSnapshotRequest::Open& open);
  void Complete();
  absl::StatusOr<std::shared_ptr<Shelf::Claim>> Keep();
  void Answer(absl::StatusOr<v1::Snapshot> snapshot) ABSL_LOCKS_EXCLUDED(mu_);

  Host& host_;
  v1::ImportSnapshotResponse& response_;  ///< gRPC's once the stream has ended

  // Of the work, while it runs.
  std::shared_ptr<Record> record_;
  v1::ImportSnapshotRequest::Open open_;
  std::unique_ptr<Upload> upload_;

  bool working_ ABSL_GUARDED_BY(mu_) = false;
  bool left_ ABSL_GUARDED_BY(mu_) = false;
};

void ImportSession::Work(Executor* executor, std::function<void()> job) {
  {
    MutexLock lock(mu_);
    if (left_) return;
    working_ = true;
  }
  Hold();
  executor->Post([this, job = std::move(job)] {
    job();
    Release();
  });
}

void ImportSession::EndWork() {
  working_ = false;
  if (left_ || ended()) upload_.reset();
}

void ImportSession::OnRequest(v1::ImportSnapshotRequest* request) {
  if (request->has_open()) {
    MutexLock lock(mu_);
    log().set_network(request->open().network());
  }
  Work(&host_.errands, [this, request] {
    if (absl::Status status = Take(request); !status.ok()) return Answer(std::move(status));
    MutexLock lock(mu_);
    EndWork();
    Read();
  });
}

absl::Status ImportSession::Take(v1::ImportSnapshotRequest* request) {
  if (upload_ == nullptr && request->has_open()) return Open(request->open());
  if (upload_ == nullptr) return Protocol("the first message must be an open");
  if (request->has_chunk()) return upload_->Append(request->chunk().data());
  return Protocol("every message but the first must be a chunk");
}

absl::Status ImportSession::Open(const v1::ImportSnapshotRequest::Open& open) {
  if (absl::Status status = host_.CheckOpen(); !status.ok()) return status;
  absl::StatusOr<std::shared_ptr<Record>> record =
      FindNetwork(host_, open.network(), "open.network");
  if (!record.ok()) return record.status();
  record_ = *std::move(record);
  open_ = open;
  absl::Status status = CheckUploadId(open.upload_id(), "open.upload_id");
  if (status.ok()) status = CheckDescription(open.description(), "open.description");
  if (status.ok() && !open.snapshot_id().empty()) {
    status = CheckId(open.snapshot_id(), "open.snapshot_id");
    // Before anything is sent; another one may still come first.
    if (status.ok()) status = record_->shelf().CheckFree(open.snapshot_id());
  }
  if (status.ok()) status = record_->keeper().CheckWritable();
  if (!status.ok()) return status;
  upload_ = std::make_unique<Upload>(&host_, record_.get(), open.upload_id());
  return UnderField(upload_->Open(open.offset(), open.size_bytes()), "open");
}

void ImportSession::OnHalfClose() {
  Work(&host_.control, [this] { Complete(); });
}

void ImportSession::Complete() {
  if (upload_ == nullptr) return Answer(Protocol("the first message must be an open"));
  absl::StatusOr<std::shared_ptr<Shelf::Claim>> claim = Keep();
  if (!claim.ok()) return Answer(claim.status());
  Hold();
  record_->keeper().Await([this, claim = *claim](const absl::Status& kept) {
    const absl::StatusOr<v1::Snapshot> published =
        kept.ok() ? claim->Publish() : absl::StatusOr<v1::Snapshot>(kept);
    host_.control.Post([this, claim, published] {
      if (!published.ok()) host_.store->blobs().Remove(claim->blob()).IgnoreError();
      Answer(published);
      Release();
    });
  });
}

absl::StatusOr<std::shared_ptr<Shelf::Claim>> ImportSession::Keep() {
  absl::StatusOr<v1::Snapshot> snapshot = upload_->Check();
  if (!snapshot.ok()) return snapshot.status();
  snapshot->set_description(open_.description());
  absl::StatusOr<std::shared_ptr<Shelf::Claim>> claim = record_->shelf().Take(open_.snapshot_id());
  if (!claim.ok()) return claim.status();
  absl::Status status = upload_->Finish((*claim)->blob());
  if (status.ok()) status = (*claim)->Post(*std::move(snapshot), absl::nullopt);
  if (status.ok()) return claim;
  host_.store->blobs().Remove((*claim)->blob()).IgnoreError();
  return status;
}

void ImportSession::Answer(absl::StatusOr<v1::Snapshot> snapshot) {
  MutexLock lock(mu_);
  upload_.reset();
  EndWork();
  if (ended()) return;
  if (snapshot.ok()) *response_.mutable_snapshot() = *std::move(snapshot);
  End(snapshot.status());
}

void ImportSession::Leave() {
  MutexLock lock(mu_);
  left_ = true;
  if (!working_) upload_.reset();
}

}  // namespace

grpc::ServerReadReactor<v1::ImportSnapshotRequest>* MakeImportSession(
    Host* host, grpc::CallbackServerContext* context, v1::ImportSnapshotResponse* response) {
  return new ImportSession(host, context, response);
}

}  // namespace prospero::server
