#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "engine/core/mutex.h"
#include "engine/runtime/admission.h"
#include "engine/runtime/clock_signals.h"
#include "engine/runtime/commands.h"
#include "engine/runtime/crew.h"
#include "engine/runtime/feed_inlet.h"
#include "engine/runtime/guard.h"
#include "engine/runtime/instance.h"
#include "engine/runtime/instance_errors.h"
#include "engine/runtime/job_runner.h"
#include "engine/runtime/lease.h"
#include "engine/runtime/pacer.h"
#include "engine/runtime/recordings.h"
#include "engine/runtime/scheduler.h"
#include "engine/runtime/simulation.h"
#include "engine/runtime/slice_budget.h"

namespace prospero {

/// A lockstep clock starts running, the others paused.
constexpr RunState StartState(ClockMode clock) {
  return clock == ClockMode::kLockstep ? RunState::kRunning : RunState::kPaused;
}

/// An instance as the scheduler's workers see it.
///
/// What is guarded by strand_ belongs to the thread that runs the present slice: a worker, or
/// one that submits a small job to an idle instance and has acquired the strand for it, or,
/// after Scheduler::Remove, the one that ends the network. The scheduler's lock orders them.
///
/// Locks: mu_, status_mu_, Lease::mu_, FeedInlet::mu_, SampleRing::mu_ and the scheduler's are all
/// leaves: no thread holds two of them, and none is held while a callback runs or a step is made.
///
/// A slice is: orders, in the order they were posted; then what came in by feeds, and what should
/// have come and did not; then steps, of the driver's jobs or, for a clock that needs none, without
/// one; then what observers are to see. With a REALTIME clock a slice makes the steps that are due
/// when it begins, and the strand sleeps until the next one is: jobs are begun, and go on, in steps
/// that are due.
class HostedInstance final : public Instance, public Strand {
 public:
  HostedInstance(std::unique_ptr<Network> network, Scheduler* scheduler, Options options);

  const VariableTable& variables() const override { return variables_; }
  const Options& options() const override { return options_; }
  InstanceStatus status() const override;

  void Start(Done<Cursor> done) override;
  void Pause(Done<Cursor> done) override;
  void SetClock(const ClockSpec& clock, Done<Cursor> done) override;
  void TryClock(const ClockSpec& clock, Done<Cursor> done) override;
  void SetLearning(bool learning, Done<Cursor> done) override;
  void Assign(std::vector<Assignment> assignments, Done<Cursor> done) override;
  void Reset(ResetScopes scopes, bool step, absl::optional<uint64_t> seed,
             Done<Cursor> done) override;
  void TakeSnapshot(Done<std::shared_ptr<const Snapshot>> done) override;
  void RestoreSnapshot(std::shared_ptr<const Snapshot> snapshot, std::string key,
                       Done<Cursor> done) override;
  void SetJournal(std::shared_ptr<Journal> journal, Done<Cursor> done) override;
  void SetStorage(absl::Status status, bool stand_still) override;

  void SetSafety(SafetySpec spec, Done<Cursor> done) override;

  absl::StatusOr<std::shared_ptr<Feed>> OpenFeed(FeedOptions options) override;
  absl::StatusOr<std::shared_ptr<Driver>> Attach(DriverOptions options) override;
  absl::StatusOr<std::shared_ptr<Observer>> Observe(ObserverSpec spec,
                                                    std::function<void()> on_ready) override;
  void DropExpired() override;
  void End(absl::Status why) override;
  void Drain() override;

  // Before the scheduler has it.

  void BeginJournal(std::shared_ptr<Journal> journal);
  /// As Instance::Recover.
  absl::Status ComeBack(const Origin& origin, absl::Status* loss);

  bool RunSlice() override;
  int64_t turns_overdrawn() const override {
    strand_.AssertHeld();
    return turns_overdrawn_;
  }
  Timing timing() const override {
    strand_.AssertHeld();
    return timing_;
  }

  // For the handles that Attach, OpenFeed and Observe give out.

  /// Tells the scheduler, unless the calling thread runs the slice: it will look again.
  void Wake();
  void Submit(Lease& lease, DriveJob* job);
  /// The lease was given back.
  void Forget(const Lease* lease);
  /// A feed was closed.
  void ForgetFeed(const FeedInlet* inlet);
  /// An observer of this recording has left.
  void ForgetObserver(const Recorder* recorder);

 private:
  /// Something to be done on the strand; or, if `ended` is an error, not to be done any more.
  using Order = absl::AnyInvocable<void(const absl::Status& ended)>;

  /// Queues an order and wakes the strand. Errors: the network has ended; MAILBOX_FULL.
  absl::Status Post(Order order);
  absl::Status Enqueue(Order order) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// Posts work and hands its result to `done`.
  template <class T>
  void PostFor(Done<T> done, absl::AnyInvocable<absl::StatusOr<T>()> work);
  /// Posts a change; `done` gets the cursor from which on it holds.
  void PostChange(Done<Cursor> done, absl::AnyInvocable<absl::Status()> change);
  /// The same for one that is refused when it cannot be kept.
  void PostKept(Done<Cursor> done, absl::AnyInvocable<absl::Status()> change);
  /// Queues an order that a full mailbox does not keep out; nothing when the network has ended.
  void PostSurely(Order order) ABSL_LOCKS_EXCLUDED(mu_);
  std::shared_ptr<HostedInstance> Self();

  /// A recorder of these selections, with one more reader.
  absl::StatusOr<std::shared_ptr<Recorder>> EnterRecording(const ObserverSpec& spec)
      ABSL_LOCKS_EXCLUDED(mu_);
  /// The present one, or else `made`; null if there is neither.
  absl::StatusOr<std::shared_ptr<Recorder>> Enter(const std::vector<Selection>& selections,
                                                  std::shared_ptr<Recorder> made)
      ABSL_LOCKS_EXCLUDED(mu_);
  void DropRecordings() ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);

  void RunOrders() ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  /// Takes the driver's jobs from `lease` from now on; `displaced`, if any, has lost it.
  void Adopt(std::shared_ptr<Lease> lease, Lease* displaced) ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  /// Tells observers that the driver has left.
  void SayGoodbye(absl::string_view why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  /// At the begin of a slice: takes frames that came, and sees to those that did not.
  void TendPorts(Clock::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  /// Lets go of the driver's job without touching it: somebody else hands it back.
  void AbandonJob() ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  /// Asks workers to help with the next steps, if there are enough to be worth it: `steps` are to
  /// come, and a slice that has made some will hardly end at once.
  void SeekHelp(const SliceBudget& budget, int64_t steps) ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  /// Helpers are welcome until the crew rests. There is one.
  void CallCrew() ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  void Advance(SliceBudget& budget) ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  /// At most `steps`.
  void RunJob(SliceBudget& budget, int64_t steps) ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  void RunFree(SliceBudget& budget, int64_t steps) ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  bool HasMore() ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);

  /// Makes steps without a job.
  bool runs_itself() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_) {
    return state_ == RunState::kRunning && clock_.mode != ClockMode::kLockstep && !stands_still_;
  }
  bool paced() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_) {
    return runs_itself() && clock_.mode == ClockMode::kRealtime;
  }

  // A REALTIME clock.

  /// What a clock takes of the workers; the network is rehearsed if nobody knows.
  absl::StatusOr<Admission::Demand> DemandOf(const ClockSpec& clock)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  /// To be called when state_, clock_ or stands_still_ has changed.
  void StateChanged() ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  /// Finds out how far the slice may go.
  void BeginPace(Clock::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  /// So many steps were made. Says when the next slice is to be.
  void EndPace(int64_t steps) ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  void TellOverrun(Clock::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  /// Steps that were due when the slice began and were not made.
  bool steps_are_left() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_) {
    return horizon_ > simulation_.cursor().step;
  }
  /// Steps to go before the job's time has come; 0: now, or never.
  int64_t StepsUntil(const DriveJob& job) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  /// Why the job cannot begin now.
  absl::Status Admit(const DriveJob& job) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  void FinishJob(absl::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  /// Ends the job, if one was begun, between two steps.
  void BreakOff(const absl::Status& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);

  absl::Status CheckNotFailed() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_) {
    return failure_.ok() ? absl::OkStatus() : NetworkFailed(failure_);
  }
  void SetState(RunState state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  void Fail() ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  /// After a reset or a restore; `heals`: a failed network can go on.
  void BeginEpoch(absl::string_view why, bool heals) ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  /// `variable`: index of the one that it is about; -1: none.
  void Tell(Event::Kind kind, absl::string_view message, int variable = -1)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);
  void PublishStatus() ABSL_EXCLUSIVE_LOCKS_REQUIRED(strand_);

  const Options options_;
  Scheduler* const scheduler_;
  const VariableTable& variables_;  ///< the network's
  ClockSignals clock_signals_ ABSL_GUARDED_BY(strand_);
  Commands commands_;                 ///< the strand's
  const std::shared_ptr<Crew> crew_;  ///< null for a small network
  StepCost step_cost_;
  std::atomic<bool> comes_soon_{false};  ///< the next step, whoever calls or does not
  std::atomic<bool> may_expire_{false};  ///< recordings

  ThreadRole strand_;
  Simulation simulation_ ABSL_GUARDED_BY(strand_);
  JobRunner runner_ ABSL_GUARDED_BY(strand_);
  Guard guard_ ABSL_GUARDED_BY(strand_);
  std::vector<int> alive_ ABSL_GUARDED_BY(strand_);  ///< TendPorts' own
  RunState state_ ABSL_GUARDED_BY(strand_);
  ClockSpec clock_ ABSL_GUARDED_BY(strand_);
  Pacer pacer_ ABSL_GUARDED_BY(strand_);
  SpeedGauge gauge_ ABSL_GUARDED_BY(strand_);
  Admission::Share share_ ABSL_GUARDED_BY(strand_);
  /// The slice makes no step beyond it; INT64_MAX: no bound.
  int64_t horizon_ ABSL_GUARDED_BY(strand_) = INT64_MAX;
  Timing timing_ ABSL_GUARDED_BY(strand_);
  Clock::Time told_overrun_at_ ABSL_GUARDED_BY(strand_);
  absl::Status failure_ ABSL_GUARDED_BY(strand_);
  absl::Status storage_ ABSL_GUARDED_BY(strand_);  ///< why nothing can be kept
  bool stands_still_ ABSL_GUARDED_BY(strand_) = false;
  /// The lease whose jobs are run, and its job that was taken and is not done, begun or not.
  std::shared_ptr<Lease> driving_ ABSL_GUARDED_BY(strand_);
  DriveJob* job_ ABSL_GUARDED_BY(strand_) = nullptr;
  int64_t turns_overdrawn_ ABSL_GUARDED_BY(strand_) = 0;

  mutable Mutex mu_;
  CondVar over_;  ///< end_is_over_
  std::deque<Order> orders_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<Lease> lease_ ABSL_GUARDED_BY(mu_);
  std::vector<std::shared_ptr<FeedInlet>> feeds_ ABSL_GUARDED_BY(mu_);
  Recordings recordings_ ABSL_GUARDED_BY(mu_);
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status ended_ ABSL_GUARDED_BY(mu_);
  bool end_is_over_ ABSL_GUARDED_BY(mu_) = false;

  mutable Mutex status_mu_;
  InstanceStatus status_ ABSL_GUARDED_BY(status_mu_);
};

}  // namespace prospero
