#include "server/snapshots.h"

#include <utility>

#include "engine/core/errors.h"
#include "server/convert/network.h"
#include "server/convert/snapshot.h"
#include "server/durability/checkpoints.h"
#include "server/store/snapshot_file.h"

namespace prospero::server {
namespace {

using SnapshotPointer = std::shared_ptr<const Snapshot>;

absl::Status NotOfAFailed() {
  return Error(absl::StatusCode::kFailedPrecondition, "NETWORK_FAILED",
               "no snapshot can be taken of a failed network");
}

/// A snapshot on its way to the disk. Whoever holds it last lets go of what did not get there.
class Taking : public std::enable_shared_from_this<Taking> {
 public:
  Taking(Host& host, std::shared_ptr<Record> record, SnapshotWish wish, Reply<v1::Snapshot> reply)
      : host_(host), record_(std::move(record)), wish_(std::move(wish)), reply_(std::move(reply)) {}

  /// Checks, and sets memory and id aside.
  absl::Status Prepare();
  void Copy();

 private:
  bool failed() const { return record_->instance().status().state == RunState::kFailed; }
  void Write(const SnapshotPointer& snapshot);
  absl::Status Post(const Snapshot& snapshot);
  void Finish(const absl::Status& kept);
  /// The file goes, where that may wait.
  void Fail(const absl::Status& why);

  Host& host_;
  const std::shared_ptr<Record> record_;
  const SnapshotWish wish_;
  const Reply<v1::Snapshot> reply_;
  Budget::Reservation memory_;
  std::shared_ptr<Shelf::Claim> claim_;
};

absl::Status Taking::Prepare() {
  if (failed()) return NotOfAFailed();
  if (absl::Status status = record_->keeper().CheckWritable(); !status.ok()) return status;
  absl::StatusOr<Budget::Reservation> memory = host_.memory.Reserve(record_->bytes());
  if (!memory.ok()) return memory.status();
  memory_ = *std::move(memory);
  absl::StatusOr<std::shared_ptr<Shelf::Claim>> claim = record_->shelf().Take(wish_.id);
  if (!claim.ok()) return claim.status();
  claim_ = *std::move(claim);
  return absl::OkStatus();
}

void Taking::Copy() {
  record_->instance().TakeSnapshot(
      [self = shared_from_this()](const absl::StatusOr<SnapshotPointer>& snapshot) {
        if (!snapshot.ok()) return self->reply_(snapshot.status());
        if (self->failed()) return self->reply_(NotOfAFailed());
        self->host_.control.Post([self, snapshot = *snapshot] { self->Write(snapshot); });
      });
}

void Taking::Write(const SnapshotPointer& snapshot) {
  absl::Status status = WriteSnapshotBlob(host_, *record_, *snapshot, claim_->blob());
  if (!status.ok()) return Fail(StorageError(status));
  if (status = Post(*snapshot); !status.ok()) return Fail(status);
  memory_ = Budget::Reservation();
  record_->keeper().Await(
      [self = shared_from_this()](const absl::Status& kept) { self->Finish(kept); });
}

absl::Status Taking::Post(const Snapshot& snapshot) {
  const absl::StatusOr<std::unique_ptr<BlobReader>> file =
      host_.store->blobs().Open(claim_->blob());
  if (!file.ok()) return StorageError(file.status());
  v1::Snapshot wire;
  *wire.mutable_cursor() = ToProto(Cursor{snapshot.epoch, snapshot.step});
  wire.set_size_bytes((*file)->size());
  wire.set_origin(wish_.origin);
  wire.set_description(wish_.description);
  return claim_->Post(std::move(wire), wish_.ttl, wish_.with);
}

void Taking::Finish(const absl::Status& kept) {
  if (!kept.ok()) return Fail(kept);
  absl::StatusOr<v1::Snapshot> published = claim_->Publish();
  if (!published.ok()) return Fail(published.status());
  reply_(std::move(published));
}

void Taking::Fail(const absl::Status& why) {
  host_.control.Post([self = shared_from_this(), why] {
    self->host_.store->blobs().Remove(self->claim_->blob()).IgnoreError();
    self->claim_.reset();
    self->reply_(why);
  });
}

}  // namespace

void KeepSnapshot(Host& host, const std::shared_ptr<Record>& record, SnapshotWish wish,
                  Reply<v1::Snapshot> reply) {
  const auto taking = std::make_shared<Taking>(host, record, std::move(wish), reply);
  if (absl::Status status = taking->Prepare(); !status.ok()) return reply(status);
  taking->Copy();
}

absl::Status RemoveSnapshot(Host& host, const std::shared_ptr<Record>& record,
                            const std::string& id, std::vector<Write> more,
                            std::function<void(const absl::Status&)> done) {
  if (absl::Status status = record->keeper().CheckWritable(); !status.ok()) return status;
  const absl::StatusOr<store::StoredSnapshot> row = record->shelf().Remove(id, std::move(more));
  if (!row.ok()) return row.status();
  record->keeper().Await(
      [&host, blob = row->blob(), done = std::move(done)](const absl::Status& kept) {
        if (!kept.ok()) return done(kept);
        host.control.Post([&host, blob, done] {
          host.store->blobs().Remove(blob).IgnoreError();
          done(absl::OkStatus());
        });
      });
  return absl::OkStatus();
}

absl::StatusOr<LoadedSnapshot> LoadSnapshot(Host& host, const Record& record,
                                            const store::StoredSnapshot& row) {
  const std::string& name = row.snapshot().name();
  const absl::StatusOr<SnapshotIds> ids = SnapshotIdsOf(name, "");
  if (!ids.ok()) return ids.status();
  const auto damaged = [&record, &name, &ids](const absl::Status& found) {
    absl::Status damage = SnapshotDamaged(name, found);
    record.shelf().Judge(ids->snapshot, damage);
    return damage;
  };
  const absl::StatusOr<std::unique_ptr<BlobReader>> file = host.store->blobs().Open(row.blob());
  if (absl::IsNotFound(file.status())) return damaged(absl::NotFoundError("it is missing"));
  if (!file.ok()) return StorageError(file.status());
  absl::StatusOr<Budget::Reservation> memory = host.memory.Reserve((*file)->size());
  if (!memory.ok()) return memory.status();
  SnapshotInfo info;
  absl::StatusOr<Snapshot> snapshot = ReadSnapshot(**file, &info);
  if (absl::IsDataLoss(snapshot.status())) return damaged(snapshot.status());
  if (!snapshot.ok()) return StorageError(snapshot.status());
  record.shelf().Judge(ids->snapshot, absl::OkStatus());
  return LoadedSnapshot{std::make_shared<const Snapshot>(*std::move(snapshot)),
                        std::make_shared<Budget::Reservation>(*std::move(memory))};
}

absl::Status StorageError(const absl::Status& disk) {
  return Error(absl::StatusCode::kUnavailable, "STORAGE_DEGRADED", disk.message());
}

}  // namespace prospero::server
