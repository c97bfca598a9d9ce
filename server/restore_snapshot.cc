#include <memory>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/convert/network.h"
#include "server/durability/checkpoints.h"
#include "server/promise.h"
#include "server/snapshot_calls.h"
#include "server/snapshots.h"

namespace prospero::server {
namespace {

using Response = v1::RestoreSnapshotResponse;

/// A network on its way back to one of its snapshots, in its turns: nobody else changes it, and no
/// checkpoint is taken of what it was before.
class Restoring : public std::enable_shared_from_this<Restoring> {
 public:
  Restoring(Host& host, FoundSnapshot found, std::string etag, Promise<Response> promise)
      : host_(host),
        found_(std::move(found)),
        etag_(std::move(etag)),
        promise_(std::move(promise)) {}

  void Begin();

 private:
  void Enter(Turns& turns, void (Restoring::*then)());
  void Check();
  void Read();
  /// The file under a key of the journal: the snapshot may be deleted before the journal is.
  absl::Status Link();
  void Put(const LoadedSnapshot& loaded);
  /// On the strand.
  void Note(const Cursor& cursor);
  void Finish(const absl::Status& kept, const Response& response);

  Host& host_;
  const FoundSnapshot found_;
  const std::string etag_;
  const Promise<Response> promise_;
  std::vector<Turns::Turn> turns_;
  std::string key_;
};

void Restoring::Begin() { Enter(found_.record->changes(), &Restoring::Check); }

void Restoring::Enter(Turns& turns, void (Restoring::*then)()) {
  const absl::Status entered = turns.Enter([self = shared_from_this(), then](Turns::Turn turn) {
    self->turns_.push_back(std::move(turn));
    (*self.*then)();
  });
  if (!entered.ok()) promise_.Break(entered);
}

void Restoring::Check() {
  absl::Status status = found_.record->CheckCurrent(etag_);
  if (status.ok()) status = found_.record->keeper().CheckWritable();
  if (!status.ok()) return promise_.Break(status);
  Enter(found_.record->checkpoints(), &Restoring::Read);
}

void Restoring::Read() {
  host_.control.Post([self = shared_from_this()] {
    const absl::StatusOr<LoadedSnapshot> loaded =
        LoadSnapshot(self->host_, *self->found_.record, self->found_.row);
    if (!loaded.ok()) return self->promise_.Break(loaded.status());
    if (absl::Status status = self->Link(); !status.ok()) return self->promise_.Break(status);
    self->Put(*loaded);
  });
}

absl::Status Restoring::Link() {
  std::random_device device;
  const uint64_t bits = (uint64_t{device()} << 32U) | device();
  key_ =
      absl::StrCat(found_.record->uid(), "/r-", absl::Hex(bits, absl::kZeroPad16), ".safetensors");
  Keeper& keeper = found_.record->keeper();
  keeper.ExpectRestore(key_);
  const absl::Status linked = host_.store->blobs().Link(found_.row.blob(), key_);
  if (linked.ok()) return linked;
  keeper.DropRestore(key_);
  return StorageError(linked);
}

void Restoring::Put(const LoadedSnapshot& loaded) {
  found_.record->instance().RestoreSnapshot(
      loaded.snapshot, key_,
      [self = shared_from_this(), memory = loaded.memory](const absl::StatusOr<Cursor>& restored) {
        if (restored.ok()) return self->Note(*restored);
        self->host_.control.Post([self, why = restored.status()] {
          self->found_.record->keeper().DropRestore(self->key_);
          self->host_.store->blobs().Remove(self->key_).IgnoreError();
          self->promise_.Break(why);
        });
      });
}

void Restoring::Note(const Cursor& cursor) {
  Record& record = *found_.record;
  Keeper& keeper = record.keeper();
  record.Touch();
  std::vector<Write> writes;
  if (keeper.durability() == v1::DURABILITY_NONE) {
    // What a recovery starts from.
    writes = AdoptCheckpoint(keeper, key_, keeper.MakeMark(), cursor);
    keeper.DropRestore(key_);
  } else {
    keeper.NoteRestore(key_);
  }
  writes.push_back(record.Row());
  Response response;
  *response.mutable_network() = record.Describe();
  promise_.AddAnswer(response, &writes);
  keeper.Post(std::move(writes));
  keeper.Await([self = shared_from_this(), response](const absl::Status& kept) {
    self->Finish(kept, response);
  });
}

void Restoring::Finish(const absl::Status& kept, const Response& response) {
  if (!kept.ok()) return promise_.Settle(kept, response);
  host_.control.Post([self = shared_from_this(), response] {
    RemoveDeadBlobs(self->host_, self->found_.record->keeper());
    self->promise_.Settle(absl::OkStatus(), response);
  });
}

}  // namespace

void RestoreSnapshot(Host& host, const v1::RestoreSnapshotRequest& request, Reply<Response> reply) {
  host.requests.Once<v1::RestoreSnapshotRequest, Response>(
      "RestoreSnapshot", request,
      [&host, &request](const Promise<Response>& promise) {
        absl::StatusOr<FoundSnapshot> found = FindSnapshot(host, request.name(), "name");
        if (!found.ok()) return promise.Break(found.status());
        std::make_shared<Restoring>(host, *std::move(found), request.etag(), promise)->Begin();
      },
      std::move(reply));
}

}  // namespace prospero::server
