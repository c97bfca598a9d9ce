#include "server/blueprint.h"

#include <algorithm>
#include <array>
#include <new>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/core/errors.h"
#include "server/convert/field.h"
#include "server/convert/network.h"
#include "server/convert/safety.h"

namespace prospero::server {
namespace {

uint64_t RandomBits() {
  thread_local std::random_device device;
  return (uint64_t{device()} << 32U) | device();
}

/// A random UUID (RFC 4122, version 4).
std::string MakeUid() {
  const uint64_t high = (RandomBits() & ~uint64_t{0xF000}) | 0x4000U;
  const uint64_t low = (RandomBits() & ~(uint64_t{3} << 62U)) | (uint64_t{2} << 62U);
  const std::string h = absl::StrCat(absl::Hex(high, absl::kZeroPad16));
  const std::string l = absl::StrCat(absl::Hex(low, absl::kZeroPad16));
  return absl::StrCat(h.substr(0, 8), "-", h.substr(8, 4), "-", h.substr(12), "-", l.substr(0, 4),
                      "-", l.substr(4));
}

const ModelKind* FindKind(const Host& host, v1::NetworkSpec::ModelCase model) {
  const auto found = std::find_if(host.kinds.begin(), host.kinds.end(),
                                  [model](const ModelKind& kind) { return kind.model == model; });
  return found == host.kinds.end() ? nullptr : &*found;
}

Instance::Options InstanceOptions(Host& host, const Blueprint& blueprint) {
  const Limits& limits = host.limits;
  Instance::Options options;
  options.dt = blueprint.options.dt;
  options.seed = blueprint.options.seed;
  const bool realtime = blueprint.clock.mode == ClockMode::kRealtime;
  options.clock = realtime ? ClockSpec(ClockMode::kFree) : blueprint.clock;  // It starts paused.
  options.admission = &host.admission;
  options.max_steps_per_job = limits.max_steps_per_advance;
  options.max_job_bytes = limits.max_payload_bytes();
  options.max_observers = limits.max_subscriptions_per_network;
  options.recording = host.Recording();
  return options;
}

absl::StatusOr<std::unique_ptr<Network>> MakeModel(const Host& host, const Blueprint& blueprint) {
  try {
    return blueprint.kind->make(blueprint.spec, blueprint.options, host.limits.network);
  } catch (const std::bad_alloc&) {
    return Error(absl::StatusCode::kResourceExhausted, "OUT_OF_MEMORY",
                 absl::StrCat("the machine has no memory left for a network of ",
                              blueprint.memory.bytes(), " bytes"));
  }
}

/// Says on the server's side, too, what the resource says.
void LogWarnings(Host& host, absl::string_view id,
                 const google::protobuf::RepeatedPtrField<v1::Warning>& warnings) {
  for (const v1::Warning& warning : warnings) {
    host.log->Write(LogLevel::kWarning, "network",
                    {{"network", NameOf(id)},
                     {"reason", warning.reason()},
                     {"field", warning.field()},
                     {"what", warning.message()}});
  }
}

}  // namespace

absl::StatusOr<Blueprint> Draw(Host& host, const v1::NetworkSpec& spec) {
  Blueprint blueprint;
  absl::StatusOr<NetworkOptions> options = ToNetworkOptions(spec, host.limits.network);
  if (!options.ok()) return options.status();
  blueprint.options = *options;
  blueprint.kind = FindKind(host, spec.model_case());
  if (blueprint.kind == nullptr) return InvalidField("model", "must be set to a known model");

  const absl::StatusOr<Footprint> footprint =
      blueprint.kind->check(spec, blueprint.options, host.limits.network);
  if (!footprint.ok()) return UnderField(footprint.status(), blueprint.kind->name);
  const auto spec_bytes = static_cast<int64_t>(spec.ByteSizeLong());
  absl::StatusOr<Budget::Reservation> memory = host.memory.Reserve(footprint->bytes + spec_bytes);
  if (!memory.ok()) return memory.status();
  blueprint.memory = *std::move(memory);
  blueprint.footprint = *footprint;
  blueprint.spec = spec;
  return blueprint;
}

std::string ChooseId() { return absl::StrCat("n-", absl::Hex(RandomBits(), absl::kZeroPad16)); }

namespace {

/// What a new network and one that is brought back have in common.
Record::Parts PartsOf(Host& host, absl::string_view id, Blueprint blueprint,
                      const Network& network) {
  Record::Parts parts;
  parts.id = std::string(id);
  parts.model = std::string(blueprint.kind->name);
  parts.footprint = ToProto(blueprint.footprint);
  parts.warnings = ToProto(network.warnings(), absl::StrCat("spec.", blueprint.kind->name));
  LogWarnings(host, id, parts.warnings);
  parts.labels = std::move(blueprint.labels);
  parts.safety = std::move(blueprint.safety);
  parts.snapshot_policy = std::move(blueprint.snapshot_policy);
  parts.changes = std::make_shared<Turns>(&host.errands);
  parts.steps = std::make_shared<Turns>(&host.errands);
  parts.checkpoints = std::make_shared<Turns>(&host.errands);
  parts.memory = std::move(blueprint.memory);
  parts.spec = std::move(blueprint.spec);
  return parts;
}

std::shared_ptr<Shelf> MakeShelf(const Host& host, const std::string& id,
                                 const std::shared_ptr<Keeper>& keeper,
                                 std::vector<store::StoredSnapshot> rows) {
  Shelf::Options options;
  options.network = id;
  options.max_snapshots = host.limits.max_snapshots_per_network;
  return std::make_shared<Shelf>(std::move(options), keeper, std::move(rows));
}

}  // namespace

absl::StatusOr<std::shared_ptr<Record>> Build(Host& host, Blueprint blueprint,
                                              absl::string_view id) {
  absl::StatusOr<std::unique_ptr<Network>> network = MakeModel(host, blueprint);
  if (!network.ok()) return network.status();
  const Instance::Options options = InstanceOptions(host, blueprint);
  const v1::Durability durability = blueprint.durability;
  Record::Parts parts = PartsOf(host, id, std::move(blueprint), **network);
  parts.uid = MakeUid();
  parts.create_time = parts.update_time = absl::Now();
  parts.keeper = std::make_shared<Keeper>(
      &host.committer,
      Keeper::Options{
          .uid = parts.uid, .durability = durability, .ephemeral = host.storage.ephemeral});
  parts.shelf = MakeShelf(host, parts.id, parts.keeper, {});
  parts.instance = Instance::Make(*std::move(network), host.scheduler.get(), options);
  return std::make_shared<Record>(std::move(parts));
}

absl::StatusOr<std::shared_ptr<Record>> Rebuild(Host& host, Blueprint blueprint,
                                                const store::StoredNetwork& row,
                                                const Origin& origin,
                                                std::shared_ptr<Keeper> keeper, absl::Status* loss,
                                                const std::function<v1::Recovery()>& told) {
  const v1::Network& resource = row.network();
  const absl::StatusOr<std::string> id = IdOf(resource.name(), "name");
  if (!id.ok()) return id.status();
  const absl::StatusOr<ClockSpec> clock = FromProto(resource.clock());
  if (!clock.ok()) return clock.status();
  blueprint.clock = *clock;
  blueprint.labels = resource.labels();
  if (resource.has_safety()) blueprint.safety = resource.safety();
  if (resource.has_snapshot_policy()) blueprint.snapshot_policy = resource.snapshot_policy();
  absl::StatusOr<std::unique_ptr<Network>> network = MakeModel(host, blueprint);
  if (!network.ok()) return network.status();
  Instance::Options options = InstanceOptions(host, blueprint);
  if (keeper->durability() != v1::DURABILITY_NONE) options.journal = keeper;
  Record::Parts parts = PartsOf(host, *id, std::move(blueprint), **network);
  absl::StatusOr<std::shared_ptr<Instance>> instance =
      Instance::Recover(*std::move(network), host.scheduler.get(), options, origin, loss);
  if (!instance.ok()) return instance.status();
  parts.instance = *std::move(instance);
  parts.uid = resource.uid();
  parts.create_time = FromProto(resource.create_time(), "").value_or(absl::Now());
  parts.update_time = FromProto(resource.update_time(), "").value_or(parts.create_time);
  parts.version = row.version();
  parts.recovery = told();
  absl::StatusOr<std::vector<store::StoredSnapshot>> snapshots = host.store->Snapshots(parts.uid);
  if (!snapshots.ok()) return snapshots.status();
  if (!host.store->may_have_lost_rows()) RemoveOrphans(host.store->blobs(), parts.uid, *snapshots);
  parts.shelf = MakeShelf(host, parts.id, keeper, *std::move(snapshots));
  parts.keeper = std::move(keeper);
  return std::make_shared<Record>(std::move(parts));
}

void Protect(const Record& record, Instance::Done<Cursor> done) {
  const absl::optional<v1::Safety> safety = record.safety();
  Instance& instance = record.instance();
  if (!safety.has_value()) return done(instance.status().cursor);
  absl::StatusOr<SafetySpec> spec = FromProto(*safety, instance.variables());
  if (!spec.ok()) return done(spec.status());
  instance.SetSafety(*std::move(spec), std::move(done));
}

void Discard(Host& host, const std::shared_ptr<Record>& record) {
  host.control.Post(
      [record] { record->instance().End(absl::CancelledError("the network was not made")); });
}

absl::StatusOr<Budget::Reservation> ReserveRehearsal(Host& host, const Record& record,
                                                     const ClockSpec& clock) {
  const bool known = record.instance().status().step_cost_ns >= 0;
  if (known || clock.mode != ClockMode::kRealtime) return Budget::Reservation();
  return host.memory.Reserve(record.bytes());
}

void StartClock(Host& host, const std::shared_ptr<Record>& record, const ClockSpec& clock,
                std::function<void(const absl::Status&)> done) {
  if (clock.mode != ClockMode::kRealtime) return done(absl::OkStatus());
  const auto finish = [&host, record, done = std::move(done)](const absl::Status& status) {
    if (!status.ok()) Discard(host, record);
    done(status);
  };
  absl::StatusOr<Budget::Reservation> memory = ReserveRehearsal(host, *record, clock);
  if (!memory.ok()) return finish(memory.status());
  const auto kept = std::make_shared<Budget::Reservation>(*std::move(memory));
  record->instance().SetClock(clock, [finish, kept](const absl::StatusOr<Cursor>& set) {
    *kept = Budget::Reservation();
    finish(set.status());
  });
}

void Publish(const Host& host, Catalog::Claim& claim, const std::shared_ptr<Record>& record) {
  claim.Publish(record);
  if (host.draining) record->instance().Drain();
  host.TellStorage(*record);
}

}  // namespace prospero::server
