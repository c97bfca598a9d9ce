#include <functional>
#include <memory>
#include <utility>

#include "engine/core/errors.h"
#include "server/blueprint.h"
#include "server/convert/network.h"
#include "server/convert/snapshot.h"
#include "server/durability/durability.h"
#include "server/network_calls.h"
#include "server/promise.h"

namespace prospero::server {
namespace {

/// Refuses what only the server may say.
absl::Status CheckOutputOnly(const v1::Network& network) {
  constexpr absl::string_view kWhy = "must not be set: the server sets it";
  if (!network.name().empty()) {
    return InvalidField("network.name", "must not be set: network_id chooses the name");
  }
  if (!network.uid().empty()) return InvalidField("network.uid", kWhy);
  if (network.state() != v1::Network::STATE_UNSPECIFIED) return InvalidField("network.state", kWhy);
  if (network.has_cursor()) return InvalidField("network.cursor", kWhy);
  if (network.has_failure()) return InvalidField("network.failure", kWhy);
  if (network.driven()) return InvalidField("network.driven", kWhy);
  if (!network.etag().empty()) return InvalidField("network.etag", kWhy);
  if (network.has_create_time()) return InvalidField("network.create_time", kWhy);
  if (network.has_update_time()) return InvalidField("network.update_time", kWhy);
  if (!network.warnings().empty()) return InvalidField("network.warnings", kWhy);
  if (network.unsafe()) return InvalidField("network.unsafe", kWhy);
  if (network.has_footprint()) return InvalidField("network.footprint", kWhy);
  if (network.has_storage()) return InvalidField("network.storage", kWhy);
  if (network.has_recovery()) return InvalidField("network.recovery", kWhy);
  return absl::OkStatus();
}

/// A blueprint with the name that it will have.
struct Plan {
  Blueprint blueprint;
  std::shared_ptr<Catalog::Claim> claim;
  ClockSpec clock;
  bool learning = true;
};

absl::StatusOr<Plan> MakePlan(Host& host, const v1::CreateNetworkRequest& request) {
  if (!request.network_id().empty()) {
    if (absl::Status status = CheckId(request.network_id(), "network_id"); !status.ok()) {
      return status;
    }
  }
  const v1::Network& network = request.network();
  if (absl::Status status = CheckOutputOnly(network); !status.ok()) return status;
  if (absl::Status status = CheckLabels(network.labels(), "network.labels"); !status.ok()) {
    return status;
  }
  const absl::StatusOr<ClockSpec> clock = FromProto(network.clock());
  if (!clock.ok()) return UnderField(clock.status(), "network.clock");
  const absl::StatusOr<v1::Durability> durability =
      ChooseDurability(host, network.durability(), "network.durability");
  if (!durability.ok()) return durability.status();
  const auto rhythm = FromProto(network.snapshot_policy(), host.limits.max_snapshots_per_network);
  if (!rhythm.ok()) return UnderField(rhythm.status(), "network.snapshot_policy");
  if (!network.has_spec()) return InvalidField("network.spec", "must be set");
  absl::StatusOr<Blueprint> blueprint = Draw(host, network.spec());
  if (!blueprint.ok()) return UnderField(blueprint.status(), "network.spec");
  blueprint->clock = *clock;
  blueprint->labels = network.labels();
  blueprint->durability = *durability;
  if (network.has_safety()) blueprint->safety = network.safety();
  if (network.has_snapshot_policy()) blueprint->snapshot_policy = network.snapshot_policy();
  absl::StatusOr<std::shared_ptr<Catalog::Claim>> claim =
      host.catalog.Take(request.network_id().empty() ? ChooseId() : request.network_id());
  if (!claim.ok()) return claim.status();
  return Plan{*std::move(blueprint), *std::move(claim), *clock,
              !network.has_learning() || network.learning()};
}

/// The network as it would be.
v1::CreateNetworkResponse Preview(const Plan& plan) {
  v1::CreateNetworkResponse response;
  InstanceStatus status;
  status.clock = plan.blueprint.clock;
  status.state = status.clock.mode == ClockMode::kLockstep ? RunState::kRunning : RunState::kPaused;
  status.learning = plan.learning;
  Describe(status, response.mutable_network());
  response.mutable_network()->set_name(NameOf(plan.claim->id()));
  *response.mutable_network()->mutable_spec() = plan.blueprint.spec;
  *response.mutable_network()->mutable_labels() = plan.blueprint.labels;
  *response.mutable_network()->mutable_footprint() = ToProto(plan.blueprint.footprint);
  if (plan.blueprint.safety.has_value()) {
    *response.mutable_network()->mutable_safety() = *plan.blueprint.safety;
  }
  response.mutable_network()->set_durability(plan.blueprint.durability);
  if (plan.blueprint.snapshot_policy.has_value()) {
    *response.mutable_network()->mutable_snapshot_policy() = *plan.blueprint.snapshot_policy;
  }
  return response;
}

/// Makes the network of the plan, with its safety.
void BuildProtected(Host& host, Plan& plan,
                    std::function<void(absl::StatusOr<std::shared_ptr<Record>>)> done) {
  absl::StatusOr<std::shared_ptr<Record>> built =
      Build(host, std::move(plan.blueprint), plan.claim->id());
  if (!built.ok()) return done(built.status());
  const std::shared_ptr<Record> record = *std::move(built);
  Protect(*record, [&host, record, done](const absl::StatusOr<Cursor>& protect) {
    if (protect.ok()) return done(record);
    Discard(host, record);
    done(UnderField(protect.status(), "network.safety"));
  });
}

/// The table that a safety speaks of is the network's own: to check it takes the network.
void Try(Host& host, const std::shared_ptr<Plan>& plan,
         const Reply<v1::CreateNetworkResponse>& reply) {
  if (!plan->blueprint.safety.has_value()) return reply(Preview(*plan));
  host.control.Post([&host, plan, reply] {
    const v1::CreateNetworkResponse preview = Preview(*plan);
    BuildProtected(host, *plan, [&host, reply, preview](const auto& record) {
      if (!record.ok()) return reply(record.status());
      Discard(host, *record);
      reply(preview);
    });
  });
}

using Response = v1::CreateNetworkResponse;

void Refuse(const std::shared_ptr<Plan>& plan, const Promise<Response>& promise,
            const absl::Status& why) {
  plan->claim.reset();  // Before it answers: a client that was refused can try again at once.
  promise.Break(why);
}

/// Keeps the network, and lets it be found once it is on disk.
void Finish(Host& host, const std::shared_ptr<Plan>& plan, const std::shared_ptr<Record>& record,
            const Promise<Response>& promise) {
  Response response;
  *response.mutable_network() = record->Describe();
  std::vector<Write> answer;
  promise.AddAnswer(response, &answer);
  Establish(host, record, /*has_past=*/false, std::move(answer),
            [&host, plan, record, promise, response](const absl::Status& kept) {
              if (!kept.ok()) return Refuse(plan, promise, kept);
              Publish(host, *plan->claim, record);
              promise.Settle(kept, response);
            });
}

/// Gives the network what may not be on its journal, or may be refused, then its journal. What it
/// learns is written down from the first step on; so is that it does not learn.
void Make(Host& host, const std::shared_ptr<Plan>& plan, const Promise<Response>& promise) {
  BuildProtected(host, *plan, [&host, plan, promise](const auto& built) {
    if (!built.ok()) return Refuse(plan, promise, built.status());
    const std::shared_ptr<Record> record = *built;
    StartClock(host, record, plan->clock, [&host, plan, record, promise](const absl::Status& set) {
      if (!set.ok()) return Refuse(plan, promise, set);
      BeginJournal(*record, [&host, plan, record, promise](const absl::StatusOr<Cursor>&) {
        if (plan->learning) return Finish(host, plan, record, promise);
        record->instance().SetLearning(
            false, [&host, plan, record, promise](const absl::StatusOr<Cursor>&) {
              Finish(host, plan, record, promise);
            });
      });
    });
  });
}

/// Gives the name back before it answers.
Reply<Response> Freeing(const std::shared_ptr<Plan>& plan, const Reply<Response>& reply) {
  return [plan, reply](absl::StatusOr<Response> response) {
    plan->claim.reset();
    reply(std::move(response));
  };
}

}  // namespace

void CreateNetwork(Host& host, const v1::CreateNetworkRequest& request, Reply<Response> reply) {
  if (request.validate_only()) {
    absl::StatusOr<Plan> plan = MakePlan(host, request);
    if (!plan.ok()) return reply(plan.status());
    const auto shared = std::make_shared<Plan>(*std::move(plan));
    return Try(host, shared, Freeing(shared, reply));
  }
  host.requests.Once<v1::CreateNetworkRequest, Response>(
      "CreateNetwork", request,
      [&host, &request](const Promise<Response>& promise) {
        if (absl::Status status = host.committer.status(); !status.ok()) {
          return promise.Break(status);
        }
        absl::StatusOr<Plan> plan = MakePlan(host, request);
        if (!plan.ok()) return promise.Break(plan.status());
        const auto shared = std::make_shared<Plan>(*std::move(plan));
        host.control.Post([&host, shared, promise] { Make(host, shared, promise); });
      },
      std::move(reply));
}

}  // namespace prospero::server
