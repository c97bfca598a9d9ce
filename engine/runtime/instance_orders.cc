// What others ask of a network between two steps.

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "engine/runtime/hosted_instance.h"
#include "engine/runtime/packed.h"

namespace prospero {
namespace {

absl::Status CheckAssignment(const Assignment& assignment, const VariableTable& variables) {
  const int index = assignment.variable;
  if (index < 0 || index >= variables.size()) {
    return InvalidField("variable", absl::StrCat("the network has no variable ", index));
  }
  const Variable& variable = variables[index];
  if (variable.role != Role::kInput && variable.role != Role::kParameter &&
      variable.role != Role::kWeight) {
    return InvalidField(variable.name, "is neither an input nor a parameter nor a weight");
  }
  const auto given = static_cast<int64_t>(assignment.values.size());
  if (given != variable.bytes() && given != SizeOf(variable.type)) {
    return InvalidField(variable.name,
                        absl::StrCat("takes ", variable.bytes(), " bytes, or ",
                                     SizeOf(variable.type), " for one value, got ", given));
  }
  return CheckValues(variable, assignment.values, [&variable] { return variable.name; });
}

absl::Status CheckAssignments(const std::vector<Assignment>& assignments,
                              const VariableTable& variables) {
  for (const Assignment& assignment : assignments) {
    if (auto status = CheckAssignment(assignment, variables); !status.ok()) return status;
  }
  return absl::OkStatus();
}

/// Tells a journal that what is appended meanwhile belongs together.
class OrderBracket {
 public:
  explicit OrderBracket(std::shared_ptr<Journal> journal) : journal_(std::move(journal)) {
    if (journal_ != nullptr) journal_->BeginOrder();
  }
  ~OrderBracket() {
    if (journal_ != nullptr) journal_->EndOrder();
  }
  OrderBracket(const OrderBracket&) = delete;
  OrderBracket& operator=(const OrderBracket&) = delete;

 private:
  const std::shared_ptr<Journal> journal_;
};

}  // namespace

absl::Status HostedInstance::Enqueue(Order order) {
  if (!ended_.ok()) return ended_;
  const auto waiting = static_cast<int64_t>(orders_.size());
  if (waiting >= options_.max_pending_orders) {
    return Error(absl::StatusCode::kResourceExhausted, "MAILBOX_FULL",
                 absl::StrCat(waiting, " orders are waiting already, try again later"));
  }
  orders_.push_back(std::move(order));
  return absl::OkStatus();
}

absl::Status HostedInstance::Post(Order order) {
  {
    const MutexLock lock(mu_);
    if (auto status = Enqueue(std::move(order)); !status.ok()) return status;
  }
  Wake();
  return absl::OkStatus();
}

template <class T>
void HostedInstance::PostFor(Done<T> done, absl::AnyInvocable<absl::StatusOr<T>()> work) {
  auto order = [this, done, work = std::move(work)](const absl::Status& ended) mutable {
    strand_.AssertHeld();
    const OrderBracket bracket(simulation_.journal());
    absl::StatusOr<T> result = ended.ok() ? work() : ended;
    simulation_.WriteDown();
    PublishStatus();
    if (done) done(std::move(result));
  };
  if (auto status = Post(std::move(order)); !status.ok() && done) done(status);
}

void HostedInstance::PostChange(Done<Cursor> done, absl::AnyInvocable<absl::Status()> change) {
  PostFor<Cursor>(std::move(done),
                  [this, change = std::move(change)]() mutable -> absl::StatusOr<Cursor> {
                    strand_.AssertHeld();
                    if (auto status = change(); !status.ok()) return status;
                    return simulation_.cursor();
                  });
}

void HostedInstance::PostKept(Done<Cursor> done, absl::AnyInvocable<absl::Status()> change) {
  PostChange(std::move(done), [this, change = std::move(change)]() mutable {
    strand_.AssertHeld();
    return storage_.ok() ? change() : storage_;
  });
}

void HostedInstance::PostSurely(Order order) {
  {
    const MutexLock lock(mu_);
    if (!ended_.ok()) return;
    orders_.push_back(std::move(order));
  }
  Wake();
}

void HostedInstance::Start(Done<Cursor> done) {
  PostChange(std::move(done), [this] {
    strand_.AssertHeld();
    if (auto status = CheckNotFailed(); !status.ok()) return status;
    SetState(RunState::kRunning);
    return absl::OkStatus();
  });
}

void HostedInstance::Pause(Done<Cursor> done) {
  PostChange(std::move(done), [this] {
    strand_.AssertHeld();
    if (auto status = CheckNotFailed(); !status.ok()) return status;
    SetState(RunState::kPaused);
    return absl::OkStatus();
  });
}

void HostedInstance::SetLearning(bool learning, Done<Cursor> done) {
  PostKept(std::move(done), [this, learning] {
    strand_.AssertHeld();
    simulation_.SetLearning(learning);
    return absl::OkStatus();
  });
}

void HostedInstance::Assign(std::vector<Assignment> assignments, Done<Cursor> done) {
  if (auto status = CheckAssignments(assignments, variables_); !status.ok()) {
    if (done) done(status);
    return;
  }
  PostKept(std::move(done), [this, assignments = std::move(assignments)] {
    strand_.AssertHeld();
    simulation_.Assign(assignments);
    return absl::OkStatus();
  });
}

void HostedInstance::Reset(ResetScopes scopes, bool step, absl::optional<uint64_t> seed,
                           Done<Cursor> done) {
  PostKept(std::move(done), [this, scopes, step, seed] {
    strand_.AssertHeld();
    BreakOff(EpochChanged("the network was reset"));
    simulation_.Reset(scopes, step, seed);
    BeginEpoch("the network was reset", /*heals=*/scopes.state && scopes.weights);
    return absl::OkStatus();
  });
}

void HostedInstance::TakeSnapshot(Done<std::shared_ptr<const Snapshot>> done) {
  using Result = std::shared_ptr<const Snapshot>;
  auto room = std::make_shared<Snapshot>(MakeRoom(variables_));
  PostFor<Result>(std::move(done), [this, room = std::move(room)]() -> absl::StatusOr<Result> {
    strand_.AssertHeld();
    if (crew_ != nullptr) CallCrew();
    simulation_.TakeSnapshot(room.get());
    if (crew_ != nullptr) crew_->Rest();
    return room;
  });
}

void HostedInstance::RestoreSnapshot(std::shared_ptr<const Snapshot> snapshot, std::string key,
                                     Done<Cursor> done) {
  PostKept(std::move(done), [this, snapshot = std::move(snapshot), key = std::move(key)] {
    strand_.AssertHeld();
    if (auto status = simulation_.CheckRestorable(*snapshot); !status.ok()) return status;
    BreakOff(EpochChanged("the network was restored"));
    simulation_.RestoreSnapshot(*snapshot, key);
    BeginEpoch("the network was restored", /*heals=*/true);
    return absl::OkStatus();
  });
}

void HostedInstance::Drain() {
  {
    const MutexLock lock(mu_);
    if (draining_ || !ended_.ok()) return;
    draining_ = true;
    // Not through Enqueue: a full mailbox must not keep it from being told.
    orders_.emplace_back([this](const absl::Status& ended) {
      strand_.AssertHeld();
      if (!ended.ok()) return;
      Tell(Event::Kind::kDraining, "the server shuts down");
      simulation_.inputs().EndFeeds(Draining());
    });
  }
  Wake();
}

void HostedInstance::SetState(RunState state) {
  if (state_ == state) return;
  state_ = state;
  if (paced()) pacer_.Start(options_.time->Now());
  StateChanged();
  if (state == RunState::kRunning) return Tell(Event::Kind::kStarted, "the network was started");
  BreakOff(NetworkPaused());
  Tell(Event::Kind::kPaused, "the network was paused");
}

void HostedInstance::Fail() {
  state_ = RunState::kFailed;
  StateChanged();
  failure_ = simulation_.Diagnose();
  PublishStatus();
  Tell(Event::Kind::kPaused, failure_.message());
}

void HostedInstance::BeginEpoch(absl::string_view why, bool heals) {
  Tell(Event::Kind::kEpochChanged, why);
  if (!heals || failure_.ok()) return;
  failure_ = absl::OkStatus();
  state_ = RunState::kPaused;
  SetState(StartState(clock_.mode));
}

void HostedInstance::Tell(Event::Kind kind, absl::string_view message, int variable) {
  const Event event{kind, simulation_.cursor(), std::string(message),
                    variable < 0 ? std::string() : variables_[variable].name};
  simulation_.Tell(event);
  const LeaseVisit visit(driving_.get());
  if (visit) driving_->Notify(event);
}

}  // namespace prospero
