#include "server/durability/checkpoints.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/core/errors.h"
#include "server/convert/network.h"
#include "server/host.h"
#include "server/store/snapshot_file.h"
#include "server/version.h"

namespace prospero::server {
namespace {

/// Of the journal behind a checkpoint.
constexpr int64_t kMaxJournalBytes = int64_t{64} << 20;
/// A replay takes about as long as the steps did. Writing a large network often would cost more
/// than it saves: for each 10 MB of it a second more.
constexpr double kMaxReplaySeconds = 10.0;
constexpr double kBytesPerSecondMore = 10e6;

using SnapshotPointer = std::shared_ptr<const Snapshot>;

/// A checkpoint on its way.
struct Taking : std::enable_shared_from_this<Taking> {
  Taking(Host& host_given, std::shared_ptr<Record> record_given,
         std::function<void(const absl::Status&)> done_given,
         std::function<std::vector<Write>()> with_given)
      : host(host_given),
        record(std::move(record_given)),
        done(std::move(done_given)),
        with(std::move(with_given)) {}

  void Begin(Turns::Turn turn_given);
  void Write(const SnapshotPointer& snapshot);
  void Keep(const std::string& blob, const Cursor& cursor);
  void End(const absl::Status& status);

  Host& host;
  const std::shared_ptr<Record> record;
  const std::function<void(const absl::Status&)> done;
  const std::function<std::vector<server::Write>()> with;
  Turns::Turn turn;
  Budget::Reservation memory;
  Keeper::Mark mark;
};

void Taking::Begin(Turns::Turn turn_given) {
  turn = std::move(turn_given);
  if (record->instance().status().state == RunState::kFailed) {
    return End(Error(absl::StatusCode::kFailedPrecondition, "NETWORK_FAILED",
                     "the state of a failed network cannot be put back"));
  }
  absl::StatusOr<Budget::Reservation> reserved = host.memory.Reserve(record->bytes());
  if (!reserved.ok()) return End(reserved.status());
  memory = *std::move(reserved);
  record->instance().TakeSnapshot(
      [self = shared_from_this()](const absl::StatusOr<SnapshotPointer>& snapshot) {
        if (!snapshot.ok()) return self->End(snapshot.status());
        self->mark = self->record->keeper().MakeMark();
        self->host.control.Post([self, snapshot = *snapshot] { self->Write(snapshot); });
      });
}

void Taking::Write(const SnapshotPointer& snapshot) {
  const Cursor cursor{snapshot->epoch, snapshot->step};
  const std::string blob = absl::StrCat(record->uid(), "/c-", mark.seq, "-", cursor.epoch, "-",
                                        cursor.step, ".safetensors");
  const absl::Status written = WriteSnapshotBlob(host, *record, *snapshot, blob);
  if (written.ok()) return Keep(blob, cursor);
  record->keeper().DropMark(mark);
  End(written);
}

void Taking::Keep(const std::string& blob, const Cursor& cursor) {
  memory = Budget::Reservation();
  Keeper& keeper = record->keeper();
  std::vector<server::Write> writes = AdoptCheckpoint(keeper, blob, mark, cursor);
  if (with) {
    for (server::Write& write : with()) writes.push_back(std::move(write));
  }
  keeper.Post(std::move(writes));
  keeper.Await([self = shared_from_this()](const absl::Status& status) {
    if (!status.ok()) return self->End(status);
    self->host.control.Post([self] {
      RemoveDeadBlobs(self->host, self->record->keeper());
      self->End(absl::OkStatus());
    });
  });
}

void Taking::End(const absl::Status& status) {
  memory = Budget::Reservation();
  record->set_taking_checkpoint(false);
  turn.reset();
  done(status);
}

}  // namespace

bool CheckpointIsDue(const Record& record) {
  const Keeper& keeper = record.keeper();
  if (keeper.durability() == v1::DURABILITY_NONE || record.taking_checkpoint()) return false;
  const InstanceStatus status = record.instance().status();
  if (status.state == RunState::kFailed || !keeper.CheckWritable().ok()) return false;
  const Keeper::Journaled journaled = keeper.journaled();
  if (journaled.broken || journaled.bytes > kMaxJournalBytes) return true;
  const Cursor from = journaled.checkpoint.value_or(Cursor{});
  const int64_t steps = status.cursor.step - (from.epoch == status.cursor.epoch ? from.step : 0);
  const double seconds = 1e-9 * static_cast<double>(std::max<int64_t>(status.step_cost_ns, 0)) *
                         static_cast<double>(steps);
  return seconds > kMaxReplaySeconds + static_cast<double>(record.bytes()) / kBytesPerSecondMore;
}

void TakeCheckpoint(Host& host, const std::shared_ptr<Record>& record,
                    std::function<void(const absl::Status&)> done,
                    std::function<std::vector<Write>()> with) {
  record->set_taking_checkpoint(true);
  const auto taking = std::make_shared<Taking>(host, record, std::move(done), std::move(with));
  const absl::Status entered =
      record->checkpoints().Enter([taking](Turns::Turn turn) { taking->Begin(std::move(turn)); });
  if (!entered.ok()) taking->End(entered);
}

std::vector<Write> AdoptCheckpoint(Keeper& keeper, const std::string& blob,
                                   const Keeper::Mark& mark, const Cursor& cursor) {
  store::StoredCheckpoint row;
  row.set_blob(blob);
  row.set_seq(mark.seq);
  *row.mutable_cursor() = ToProto(cursor);
  std::vector<Write> writes = keeper.Adopt(row, mark);
  writes.insert(writes.begin(), PutCheckpoint{keeper.uid(), row});
  return writes;
}

absl::Status WriteSnapshotBlob(Host& host, const Record& record, const Snapshot& snapshot,
                               const std::string& blob) {
  SnapshotInfo info;
  info.network = NameOf(record.id());
  info.uid = record.uid();
  info.model = record.model();
  info.spec = record.spec();
  info.precision = record.spec().precision() == v1::DATA_TYPE_FLOAT64 ? "FLOAT64" : "FLOAT32";
  info.dt_ms = record.spec().dt_ms();
  info.cursor = {snapshot.epoch, snapshot.step};
  info.seed = snapshot.seed;
  info.noise_seed = snapshot.noise_seed;
  info.build = BuildDescription();
  info.create_time = absl::Now();
  return host.store->blobs().Write(
      blob, [&](const Blobs::Sink& sink) { return WriteSnapshot(snapshot, info, sink); });
}

void RemoveDeadBlobs(Host& host, const Keeper& keeper) {
  Blobs& blobs = host.store->blobs();
  for (const char* const kind : {"c-", "r-"}) {
    const auto present = blobs.List(absl::StrCat(keeper.uid(), "/", kind));
    if (!present.ok()) return;  // Another time.
    const std::vector<std::string> live = keeper.LiveBlobs();
    for (const std::string& blob : *present) {
      if (std::find(live.begin(), live.end(), blob) != live.end()) continue;
      blobs.Remove(blob).IgnoreError();
    }
  }
}

}  // namespace prospero::server
