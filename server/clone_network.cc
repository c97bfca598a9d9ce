#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/blueprint.h"
#include "server/convert/network.h"
#include "server/durability/durability.h"
#include "server/network_calls.h"
#include "server/promise.h"
#include "server/snapshot_calls.h"
#include "server/snapshots.h"

namespace prospero::server {
namespace {

using SnapshotPointer = std::shared_ptr<const Snapshot>;

/// A copy on its way: source, snapshot, new network.
struct Copy : std::enable_shared_from_this<Copy> {
  Copy(Host& host_given, Promise<v1::CloneNetworkResponse> promise_given)
      : host(host_given), promise(std::move(promise_given)) {}

  absl::Status Prepare(const v1::CloneNetworkRequest& request);
  /// The present state, or that of the snapshot.
  void GetState();
  void ReadFile();
  void Make(const SnapshotPointer& snapshot);
  void StartClock(const std::shared_ptr<Record>& record, const absl::Status& restored);
  void Finish(const std::shared_ptr<Record>& record);
  /// Gives the name back before: a client that was refused can try again at once.
  void Refuse(const absl::Status& why);

  Host& host;
  const Promise<v1::CloneNetworkResponse> promise;
  std::shared_ptr<Record> source;
  absl::optional<store::StoredSnapshot> file;  ///< none: the present state
  Blueprint blueprint;
  ClockSpec clock;
  Budget::Reservation snapshot_memory;
  std::shared_ptr<Catalog::Claim> claim;
};

absl::Status Copy::Prepare(const v1::CloneNetworkRequest& request) {
  absl::StatusOr<std::shared_ptr<Record>> found = FindNetwork(host, request.name(), "name");
  if (!found.ok()) return found.status();
  source = *std::move(found);
  if (!request.network_id().empty()) {
    if (absl::Status status = CheckId(request.network_id(), "network_id"); !status.ok()) {
      return status;
    }
  }
  if (absl::Status status = CheckLabels(request.labels(), "labels"); !status.ok()) return status;
  if (absl::Status writable = host.committer.status(); !writable.ok()) return writable;
  if (!request.snapshot().empty()) {
    const absl::StatusOr<FoundSnapshot> snapshot =
        FindSnapshot(host, request.snapshot(), "snapshot");
    if (!snapshot.ok()) return snapshot.status();
    if (snapshot->record != source) {
      return InvalidField("snapshot", absl::StrCat("must be one of \"", request.name(),
                                                   "\", got \"", request.snapshot(), "\""));
    }
    file = snapshot->row;
  }
  const InstanceStatus status = source->instance().status();
  if (status.state == RunState::kFailed && !file.has_value()) {
    return Error(absl::StatusCode::kFailedPrecondition, "NETWORK_FAILED",
                 "a failed network cannot be copied");
  }
  absl::StatusOr<Blueprint> drawn = Draw(host, source->spec());
  if (!drawn.ok()) return drawn.status();
  blueprint = *std::move(drawn);
  blueprint.clock = status.clock;
  blueprint.labels = request.labels();
  blueprint.safety = source->safety();
  blueprint.durability = source->keeper().durability();
  blueprint.snapshot_policy = source->snapshot_policy();
  if (!file.has_value()) {
    absl::StatusOr<Budget::Reservation> memory = host.memory.Reserve(source->bytes());
    if (!memory.ok()) return memory.status();
    snapshot_memory = *std::move(memory);
  }
  absl::StatusOr<std::shared_ptr<Catalog::Claim>> taken =
      host.catalog.Take(request.network_id().empty() ? ChooseId() : request.network_id());
  if (!taken.ok()) return taken.status();
  claim = *std::move(taken);
  return absl::OkStatus();
}

void Copy::GetState() {
  if (file.has_value()) return host.control.Post([self = shared_from_this()] { self->ReadFile(); });
  source->instance().TakeSnapshot(
      [self = shared_from_this()](const absl::StatusOr<SnapshotPointer>& snapshot) {
        if (!snapshot.ok()) return self->Refuse(snapshot.status());
        self->host.control.Post([self, snapshot = *snapshot] { self->Make(snapshot); });
      });
}

void Copy::ReadFile() {
  const absl::StatusOr<LoadedSnapshot> loaded = LoadSnapshot(host, *source, *file);
  if (!loaded.ok()) return Refuse(loaded.status());
  snapshot_memory = std::move(*loaded->memory);
  Make(loaded->snapshot);
}

void Copy::Make(const SnapshotPointer& snapshot) {
  clock = blueprint.clock;
  const absl::StatusOr<std::shared_ptr<Record>> built =
      Build(host, std::move(blueprint), claim->id());
  if (!built.ok()) return Refuse(built.status());
  (*built)->instance().RestoreSnapshot(
      snapshot, "",
      [self = shared_from_this(), record = *built](const absl::StatusOr<Cursor>& restored) {
        if (!restored.ok()) return self->StartClock(record, restored.status());
        Protect(*record, [self, record](const absl::StatusOr<Cursor>& protect) {
          self->StartClock(record, protect.status());
        });
      });
}

void Copy::StartClock(const std::shared_ptr<Record>& record, const absl::Status& restored) {
  if (!restored.ok()) {
    Discard(host, record);
    return Refuse(restored);
  }
  snapshot_memory = Budget::Reservation();  // A rehearsal may need as much.
  server::StartClock(
      host, record, clock, [self = shared_from_this(), record](const absl::Status& status) {
        if (!status.ok()) return self->Refuse(status);
        BeginJournal(*record,
                     [self, record](const absl::StatusOr<Cursor>&) { self->Finish(record); });
      });
}

void Copy::Finish(const std::shared_ptr<Record>& record) {
  v1::CloneNetworkResponse response;
  *response.mutable_network() = record->Describe();
  std::vector<Write> answer;
  promise.AddAnswer(response, &answer);
  Establish(host, record, /*has_past=*/true, std::move(answer),
            [self = shared_from_this(), record, response](const absl::Status& kept) {
              if (!kept.ok()) return self->Refuse(kept);
              Publish(self->host, *self->claim, record);
              self->promise.Settle(kept, response);
            });
}

void Copy::Refuse(const absl::Status& why) {
  claim.reset();
  promise.Break(why);
}

}  // namespace

void CloneNetwork(Host& host, const v1::CloneNetworkRequest& request,
                  Reply<v1::CloneNetworkResponse> reply) {
  host.requests.Once<v1::CloneNetworkRequest, v1::CloneNetworkResponse>(
      "CloneNetwork", request,
      [&host, &request](const Promise<v1::CloneNetworkResponse>& promise) {
        const auto copy = std::make_shared<Copy>(host, promise);
        if (absl::Status status = copy->Prepare(request); !status.ok()) {
          return promise.Break(status);
        }
        copy->GetState();
      },
      std::move(reply));
}

}  // namespace prospero::server
