#include "engine/runtime/hosted_instance.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "engine/runtime/job_check.h"

namespace prospero {
namespace {

/// A job that is known to take at most this long is done by the thread that submits it, if
/// the network is idle: that is quicker than to call a worker.
constexpr int64_t kInlineNs = 200'000;

/// What one thread does in this time it does alone: a worker that sleeps takes some 50 us to come,
/// and to wake it costs the caller some 5 us.
constexpr int64_t kAloneNs = 100'000;

/// The instance whose slice the calling thread runs.
thread_local const HostedInstance* running_here = nullptr;

}  // namespace

std::shared_ptr<Instance> Instance::Make(std::unique_ptr<Network> network, Scheduler* scheduler,
                                         Options options) {
  auto journal = std::move(options.journal);
  auto instance = std::make_shared<HostedInstance>(std::move(network), scheduler, options);
  instance->BeginJournal(std::move(journal));
  scheduler->Add(instance);
  return instance;
}

HostedInstance::HostedInstance(std::unique_ptr<Network> network, Scheduler* scheduler,
                               Options options)
    : options_(options),
      scheduler_(scheduler),
      variables_(network->variables()),
      clock_signals_(*network),
      commands_(*network),
      crew_(MakeCrew(variables_, scheduler->workers())),
      simulation_(std::move(network), options.dt, options.seed, crew_.get()),
      runner_(simulation_),
      guard_(simulation_, commands_,
             [this](Event::Kind kind, const std::string& message, int variable) {
               strand_.AssertHeld();
               Tell(kind, message, variable);
             }),
      state_(StartState(options.clock.mode)),
      clock_(options.clock.Normal()),
      pacer_(options.dt, options.clock),
      gauge_(options.dt) {
  PublishStatus();
}

InstanceStatus HostedInstance::status() const {
  InstanceStatus status;
  {
    const MutexLock lock(status_mu_);
    status = status_;
  }
  const MutexLock lock(mu_);
  status.driven = lease_ != nullptr;
  status.observers = recordings_.readers();
  status.recordings = recordings_.recordings();
  status.step_cost_ns = step_cost_.ns();
  return status;
}

void HostedInstance::PublishStatus() {
  const MutexLock lock(status_mu_);
  status_.state = state_;
  status_.clock = clock_;
  status_.cursor = simulation_.cursor();
  status_.learning = simulation_.learning();
  status_.unsafe = guard_.unsafe();
  status_.failure = failure_;
}

void HostedInstance::Submit(Lease& lease, DriveJob* job) {
  job->submitted = options_.time->Now();
  job->steps_done = job->loss_steps = job->queued_ns = job->stepping_ns = 0;
  job->loss_sum = 0.0;
  for (std::string& rows : job->results) rows.clear();
  job->status = CheckJob(*job, variables_, lease.inputs(), options_);

  // Once pushed, the job may be done and submitted again before the next line.
  const int64_t steps = job->status.ok() ? job->steps : 0;
  bool alone = false;
  if (auto pushed = lease.Push(job, &alone); !pushed.ok()) {
    job->status = pushed;
    job->cursor = status().cursor;
    return lease.Refuse(job);
  }
  if (steps > 0 && comes_soon_.load()) return;  // The next step that is due begins it.
  const bool here = alone && running_here != this && step_cost_.Fits(steps, kInlineNs);
  if (here && scheduler_->TryAcquire(this)) {
    const bool more = RunSlice();
    scheduler_->Release(this, more);
  } else {
    Wake();
  }
}

void HostedInstance::Wake() {
  if (running_here != this) scheduler_->Wake(this);
}

std::shared_ptr<HostedInstance> HostedInstance::Self() {
  return std::static_pointer_cast<HostedInstance>(shared_from_this());
}

bool HostedInstance::RunSlice() {
  strand_.AssertHeld();
  const HostedInstance* const outer = std::exchange(running_here, this);
  if (driving_ != nullptr && driving_->detached()) {
    AbandonJob();
    SayGoodbye(driving_->farewell());
    driving_.reset();
  }
  if (may_expire_.exchange(false)) DropRecordings();
  RunOrders();
  SliceBudget budget(*options_.time, step_cost_.ns(),
                     paced() ? nullptr : &scheduler_->pressed_at());
  BeginPace(budget.seen());
  simulation_.BeginSlice(budget.seen());
  TendPorts(budget.seen());
  const int64_t first = simulation_.cursor().step;
  Advance(budget);
  EndPace(simulation_.cursor().step - first);
  if (runs_itself() || job_ != nullptr) {
    simulation_.EndSlice(budget.seen());
  } else {
    simulation_.WriteDown();  // The next slice may be far.
  }
  if (crew_ != nullptr) crew_->Rest();
  turns_overdrawn_ = budget.turns_overdrawn();
  PublishStatus();
  simulation_.Publish();
  const bool more = HasMore();
  running_here = outer;
  return more;
}

void HostedInstance::RunOrders() {
  std::deque<Order> orders;
  {
    const MutexLock lock(mu_);
    orders.swap(orders_);
  }
  for (Order& order : orders) order(absl::OkStatus());
}

bool HostedInstance::HasMore() {
  if (paced()) {
    if (steps_are_left()) return true;
    const MutexLock lock(mu_);
    return !orders_.empty();
  }
  if (runs_itself()) return true;
  const bool driven = driving_ != nullptr && !driving_->detached();
  if (driven && (job_ != nullptr || driving_->has_jobs())) return true;
  const MutexLock lock(mu_);
  return !orders_.empty();
}

void HostedInstance::Advance(SliceBudget& budget) {
  const LeaseVisit visit(driving_.get());
  while (!budget.spent()) {
    if (visit && driving_->detached()) return;
    if (visit && job_ == nullptr) job_ = driving_->Next();
    const int64_t due = horizon_ - simulation_.cursor().step;
    if (!visit || job_ == nullptr) {
      if (!runs_itself() || due == 0) return;
      RunFree(budget, due);
    } else if (due == 0 && job_->status.ok()) {
      return;
    } else if (runner_.active()) {
      RunJob(budget, due);
    } else if (const int64_t steps = StepsUntil(*job_); steps > 0) {
      driving_->set_waits(true);
      RunFree(budget, std::min(steps, due));
    } else if (auto admitted = Admit(*job_); admitted.ok()) {
      driving_->set_waits(false);
      runner_.Begin(job_, budget.seen());
      guard_.Frames(runner_.given(), budget.seen());
    } else {
      FinishJob(std::move(admitted));
      budget.CountStep();
    }
  }
}

void HostedInstance::SeekHelp(const SliceBudget& budget, int64_t steps) {
  if (crew_ == nullptr || crew_->busy() || !crew_->useful()) return;
  // What the crew has cost lately, one thread would have taken at most so many times as long for.
  const int64_t expected = steps > INT64_MAX - budget.steps() ? steps : steps + budget.steps();
  if (step_cost_.Fits(expected, kAloneNs / crew_->members())) return;
  CallCrew();
}

void HostedInstance::CallCrew() {
  crew_->Begin();
  scheduler_->CallHelpers(this, crew_);
}

void HostedInstance::RunJob(SliceBudget& budget, int64_t steps) {
  const int64_t most = std::min(steps, job_->steps - job_->steps_done);
  SeekHelp(budget, most);
  switch (runner_.Run(budget, step_cost_, *driving_, most)) {
    case JobRunner::Progress::kMore:
      break;
    case JobRunner::Progress::kDone:
      FinishJob(absl::OkStatus());
      break;
    case JobRunner::Progress::kDiverged:
      Fail();
      FinishJob(failure_);
      break;
  }
}

void HostedInstance::RunFree(SliceBudget& budget, int64_t steps) {
  SeekHelp(budget, steps);
  const Clock::Time begin = budget.seen();
  int64_t done = 0;
  simulation_.SetPresent({});
  while (done < steps && !budget.spent()) {
    if (!simulation_.Advance()) {
      Fail();
      break;
    }
    ++done;
    budget.CountStep();
  }
  step_cost_.Add(Nanoseconds(budget.Look() - begin), done);
}

int64_t HostedInstance::StepsUntil(const DriveJob& job) const {
  if (!runs_itself() || !job.status.ok() || !job.at_step.has_value()) return 0;
  return std::max<int64_t>(*job.at_step - simulation_.cursor().step, 0);
}

absl::Status HostedInstance::Admit(const DriveJob& job) const {
  if (!job.status.ok()) return job.status;
  if (auto status = CheckNotFailed(); !status.ok()) return status;
  if (state_ == RunState::kPaused) return NetworkPaused();
  if (!storage_.ok()) return storage_;
  const int64_t step = simulation_.cursor().step;
  if (job.at_step.value_or(step) == step) return absl::OkStatus();
  return WithMetadata(
      FieldError(absl::StatusCode::kOutOfRange, "STEP_MISMATCH", "at_step",
                 absl::StrCat("the network stands at step ", step, ", got ", *job.at_step)),
      "step", absl::StrCat(step));
}

void HostedInstance::FinishJob(absl::Status status) {
  if (runner_.active()) runner_.End();
  driving_->set_waits(false);
  DriveJob* const job = std::exchange(job_, nullptr);
  job->status = std::move(status);
  job->cursor = simulation_.cursor();
  simulation_.WriteDown();
  PublishStatus();
  driving_->Finish(job);
}

void HostedInstance::BreakOff(const absl::Status& why) {
  if (!runner_.active()) return;
  const LeaseVisit visit(driving_.get());
  if (visit) {
    FinishJob(why);
  } else {
    AbandonJob();
  }
}

void HostedInstance::AbandonJob() {
  if (runner_.active()) runner_.End();
  job_ = nullptr;
}

}  // namespace prospero
