#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/blueprint.h"
#include "server/convert/field.h"
#include "server/convert/network.h"
#include "server/convert/safety.h"
#include "server/convert/snapshot.h"
#include "server/convert/variable.h"
#include "server/durability/durability.h"
#include "server/network_calls.h"
#include "server/promise.h"

namespace prospero::server {
namespace {

using Response = v1::UpdateNetworkResponse;

/// What an update changes; empty parts stay as they are.
struct Changes {
  absl::optional<Labels> labels;
  absl::optional<ClockSpec> clock;
  absl::optional<bool> learning;
  absl::optional<SafetySpec> safety;
  absl::optional<v1::Safety> safety_wire;  ///< empty with `safety`: none
  absl::optional<v1::Durability> durability;
  bool snapshot_policy = false;
  absl::optional<v1::SnapshotPolicy> policy;  ///< empty with `snapshot_policy`: none
  std::vector<Assignment> parameters;
};

struct Mask {
  bool labels = false;
  bool clock = false;
  bool learning = false;
  bool safety = false;
  bool durability = false;
  bool snapshot_policy = false;
};

struct MaskField {
  absl::string_view path;
  bool Mask::*field;
};
constexpr std::array<MaskField, 6> kMaskFields = {{{"labels", &Mask::labels},
                                                   {"clock", &Mask::clock},
                                                   {"learning", &Mask::learning},
                                                   {"safety", &Mask::safety},
                                                   {"durability", &Mask::durability},
                                                   {"snapshot_policy", &Mask::snapshot_policy}}};

absl::StatusOr<Mask> ReadMask(const v1::UpdateNetworkRequest& request) {
  Mask mask;
  const auto& paths = request.update_mask().paths();
  for (int i = 0; i < paths.size(); ++i) {
    bool is_known = paths[i] == "*";
    for (const MaskField& field : kMaskFields) {
      if (paths[i] != "*" && paths[i] != field.path) continue;
      mask.*field.field = is_known = true;
    }
    if (is_known) continue;
    return InvalidField(Element("update_mask.paths", i),
                        absl::StrCat("must be 'labels', 'clock', 'learning', 'safety', "
                                     "'durability', 'snapshot_policy' or '*', got '",
                                     paths[i], "'"));
  }
  if (paths.empty() && request.parameters().empty()) {
    return InvalidField("update_mask", "must not be empty, unless there are parameters");
  }
  return mask;
}

absl::StatusOr<Changes> ReadChanges(const Host& host, const v1::UpdateNetworkRequest& request,
                                    const VariableTable& table) {
  const absl::StatusOr<Mask> mask = ReadMask(request);
  if (!mask.ok()) return mask.status();
  const v1::Network& network = request.network();
  Changes changes;
  if (mask->labels) {
    absl::Status status = CheckLabels(network.labels(), "network.labels");
    if (!status.ok()) return status;
    changes.labels = network.labels();
  }
  if (mask->clock) {
    const absl::StatusOr<ClockSpec> clock = FromProto(network.clock());
    if (!clock.ok()) return UnderField(clock.status(), "network.clock");
    changes.clock = *clock;
  }
  if (mask->learning) changes.learning = !network.has_learning() || network.learning();
  if (mask->safety) {
    const absl::StatusOr<SafetySpec> safety = FromProto(network.safety(), table);
    if (!safety.ok()) return UnderField(safety.status(), "network.safety");
    changes.safety = *safety;
    if (network.has_safety()) changes.safety_wire = network.safety();
  }
  if (mask->durability) {
    const absl::StatusOr<v1::Durability> durability =
        ChooseDurability(host, network.durability(), "network.durability");
    if (!durability.ok()) return durability.status();
    changes.durability = *durability;
  }
  changes.snapshot_policy = mask->snapshot_policy;
  if (mask->snapshot_policy && network.has_snapshot_policy()) {
    const auto rhythm = FromProto(network.snapshot_policy(), host.limits.max_snapshots_per_network);
    if (!rhythm.ok()) return UnderField(rhythm.status(), "network.snapshot_policy");
    changes.policy = network.snapshot_policy();
  }
  for (const auto& [name, tensor] : request.parameters()) {
    absl::StatusOr<Assignment> assignment =
        ToAssignment(name, tensor, table, absl::StrCat("parameters[\"", name, "\"]"));
    if (!assignment.ok()) return assignment.status();
    changes.parameters.push_back(*std::move(assignment));
  }
  return changes;
}

/// One update of one network, in its turn.
class Update : public std::enable_shared_from_this<Update> {
 public:
  Update(Host& host, std::shared_ptr<Record> record, Changes changes, Promise<Response> promise)
      : host_(host),
        record_(std::move(record)),
        changes_(std::move(changes)),
        promise_(std::move(promise)) {}

  /// A clock that may be refused comes first, alone: then nothing is changed.
  void Apply(Turns::Turn turn);
  /// Says whether it would be applied.
  void Try(Turns::Turn turn);

 private:
  using Order = std::function<void(Instance::Done<Cursor>)>;
  using GiveClock = void (Instance::*)(const ClockSpec&, Instance::Done<Cursor>);
  bool changes_durability() const {
    return changes_.durability.has_value() &&
           *changes_.durability != record_->keeper().durability();
  }
  bool changes_clock() const {
    return changes_.clock.has_value() && *changes_.clock != record_->instance().status().clock;
  }
  /// Orders the clock, with memory for its rehearsal set aside meanwhile.
  void AskForClock(GiveClock give, std::function<void(const Cursor&)> granted);
  /// Posts the orders all at once, so that they hold from the same step on unless a slice
  /// begins between them.
  void ApplyOrders(const Cursor& from);
  Response Describe(const Cursor& applied_at) const;
  std::vector<Order> Orders();
  void Note(const absl::StatusOr<Cursor>& done) ABSL_LOCKS_EXCLUDED(mu_);
  /// Changes the record and keeps all of it.
  void Commit(const Cursor& applied_at);
  void CommitRecord();

  Host& host_;
  const std::shared_ptr<Record> record_;
  Changes changes_;
  const Promise<Response> promise_;
  Turns::Turn turn_;
  Mutex mu_;
  size_t pending_ ABSL_GUARDED_BY(mu_) = 0;
  absl::Status error_ ABSL_GUARDED_BY(mu_);
  Cursor applied_at_ ABSL_GUARDED_BY(mu_);
};

std::vector<Update::Order> Update::Orders() {
  Instance& instance = record_->instance();
  std::vector<Order> orders;
  if (changes_.learning.has_value()) {
    orders.emplace_back([this, &instance](Instance::Done<Cursor> done) {
      instance.SetLearning(*changes_.learning, std::move(done));
    });
  }
  if (changes_.safety.has_value()) {
    orders.emplace_back([this, &instance](Instance::Done<Cursor> done) {
      instance.SetSafety(*std::move(changes_.safety), std::move(done));
    });
  }
  if (changes_clock() && changes_.clock->mode != ClockMode::kRealtime) {
    orders.emplace_back([this, &instance](Instance::Done<Cursor> done) {
      instance.SetClock(*changes_.clock, std::move(done));
    });
  }
  // The last, because it alone is on the journal: what is kept of the others goes with it.
  if (!changes_.parameters.empty()) {
    orders.emplace_back([this, &instance](Instance::Done<Cursor> done) {
      instance.Assign(std::move(changes_.parameters), std::move(done));
    });
  }
  return orders;
}

void Update::AskForClock(GiveClock give, std::function<void(const Cursor&)> granted) {
  absl::StatusOr<Budget::Reservation> memory = ReserveRehearsal(host_, *record_, *changes_.clock);
  if (!memory.ok()) return promise_.Break(memory.status());
  const auto kept = std::make_shared<Budget::Reservation>(*std::move(memory));
  (record_->instance().*give)(*changes_.clock, [self = shared_from_this(), kept,
                                                granted](const absl::StatusOr<Cursor>& at) {
    *kept = Budget::Reservation();
    if (!at.ok()) return self->promise_.Break(at.status());
    granted(*at);
  });
}

void Update::Try(Turns::Turn turn) {
  turn_ = std::move(turn);
  const auto answer = [this](const Cursor& at) { promise_.Settle(absl::OkStatus(), Describe(at)); };
  if (!changes_clock()) return answer(record_->instance().status().cursor);
  AskForClock(&Instance::TryClock, answer);
}

void Update::Apply(Turns::Turn turn) {
  turn_ = std::move(turn);
  if (changes_durability() && record_->instance().status().state == RunState::kFailed) {
    return promise_.Break(Error(absl::StatusCode::kFailedPrecondition, "NETWORK_FAILED",
                                "the durability of a failed network cannot be changed"));
  }
  if (changes_clock() && changes_.clock->mode == ClockMode::kRealtime) {
    return AskForClock(&Instance::SetClock, [this](const Cursor& at) { ApplyOrders(at); });
  }
  ApplyOrders(record_->instance().status().cursor);
}

void Update::ApplyOrders(const Cursor& from) {
  const std::vector<Order> orders = Orders();
  if (orders.empty()) return Commit(from);
  {
    MutexLock lock(mu_);
    pending_ = orders.size();
  }
  for (const Order& order : orders) {
    order([self = shared_from_this()](const absl::StatusOr<Cursor>& done) { self->Note(done); });
  }
}

void Update::Note(const absl::StatusOr<Cursor>& done) {
  absl::Status error;
  Cursor applied_at;
  {
    MutexLock lock(mu_);
    if (error_.ok()) error_ = done.status();
    if (done.ok() && done->step >= applied_at_.step) applied_at_ = *done;
    if (--pending_ > 0) return;
    error = error_;
    applied_at = applied_at_;
  }
  if (!error.ok()) {
    record_->keeper().Post({record_->Row()});  // Others among the orders may hold.
    return promise_.Break(error);
  }
  Commit(applied_at);
}

void Update::Commit(const Cursor& applied_at) {
  if (!changes_durability()) {
    CommitRecord();
    return promise_.Keep(record_->keeper(), {record_->Row()}, Describe(applied_at));
  }
  const auto self = shared_from_this();
  const auto response = std::make_shared<Response>();
  ChangeDurability(
      host_, record_, *changes_.durability,
      [self, response, applied_at] {
        self->CommitRecord();
        *response = self->Describe(applied_at);
        std::vector<Write> writes = {self->record_->Row()};
        self->promise_.AddAnswer(*response, &writes);
        return writes;
      },
      [self, response](const absl::Status& kept) {
        if (!kept.ok()) return self->promise_.Break(kept);
        self->promise_.Settle(kept, *response);
      });
}

void Update::CommitRecord() {
  if (changes_.safety.has_value()) record_->SetSafety(changes_.safety_wire);
  if (changes_.snapshot_policy) record_->SetSnapshotPolicy(changes_.policy);
  if (changes_.labels.has_value()) {
    record_->SetLabels(*changes_.labels);
  } else {
    record_->Touch();
  }
}

Response Update::Describe(const Cursor& applied_at) const {
  Response response;
  *response.mutable_network() = record_->Describe();
  *response.mutable_applied_at() = ToProto(applied_at);
  return response;
}

void Begin(Host& host, const v1::UpdateNetworkRequest& request, const Promise<Response>& promise) {
  if (!request.has_network()) return promise.Break(InvalidField("network", "must be set"));
  const absl::StatusOr<std::shared_ptr<Record>> record =
      FindNetwork(host, request.network().name(), "network.name");
  if (!record.ok()) return promise.Break(record.status());
  absl::StatusOr<Changes> changes = ReadChanges(host, request, (*record)->instance().variables());
  if (!changes.ok()) return promise.Break(changes.status());
  const auto update = std::make_shared<Update>(host, *record, *std::move(changes), promise);
  const absl::Status entered =
      (*record)->changes().Enter([update, record = *record, promise, etag = request.etag(),
                                  validate_only = request.validate_only()](Turns::Turn turn) {
        if (absl::Status status = CheckChange(*record, etag); !status.ok()) {
          return promise.Break(status);
        }
        if (validate_only) return update->Try(std::move(turn));
        update->Apply(std::move(turn));
      });
  if (!entered.ok()) promise.Break(entered);
}

}  // namespace

void UpdateNetwork(Host& host, const v1::UpdateNetworkRequest& request, Reply<Response> reply) {
  if (request.validate_only()) return Begin(host, request, Promise<Response>(std::move(reply)));
  host.requests.Once<v1::UpdateNetworkRequest, Response>(
      "UpdateNetwork", request,
      [&host, &request](const Promise<Response>& promise) { Begin(host, request, promise); },
      std::move(reply));
}

}  // namespace prospero::server
