// Those who are let in to a network, and its end.

#include <algorithm>
#include <atomic>
#include <cassert>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "engine/runtime/hosted_instance.h"
#include "engine/runtime/observer_check.h"

namespace prospero {
namespace {

class LeaseHolder final : public Driver {
 public:
  LeaseHolder(std::shared_ptr<HostedInstance> instance, std::shared_ptr<Lease> lease)
      : instance_(std::move(instance)), lease_(std::move(lease)) {}
  ~LeaseHolder() override { LeaseHolder::Detach("it gave the lease back"); }

  void Submit(DriveJob* job) override { instance_->Submit(*lease_, job); }
  int64_t in_flight() const override { return lease_->in_flight(); }
  bool at_work() const override { return lease_->at_work(); }
  void Detach(absl::string_view why) override {
    lease_->Detach(why);
    instance_->Forget(lease_.get());
  }

 private:
  const std::shared_ptr<HostedInstance> instance_;
  const std::shared_ptr<Lease> lease_;
};

class RecordingReader final : public Observer {
 public:
  RecordingReader(std::shared_ptr<HostedInstance> instance, std::shared_ptr<Recorder> recorder,
                  std::shared_ptr<RingReader> reader)
      : instance_(std::move(instance)),
        recorder_(std::move(recorder)),
        ring_(recorder_->ring()),
        reader_(std::move(reader)) {}
  ~RecordingReader() override { RecordingReader::Cancel(); }

  bool Take(int64_t max_samples, int64_t max_bytes, Observed* out) override {
    return ring_->Take(*reader_, max_samples, max_bytes, out);
  }
  absl::Status end() const override { return ring_->end(*reader_); }
  void Cancel() override {
    ring_->Cancel(*reader_);
    if (left_.exchange(true)) return;
    instance_->ForgetObserver(recorder_.get());
    recorder_.reset();
  }

 private:
  const std::shared_ptr<HostedInstance> instance_;
  std::shared_ptr<Recorder> recorder_;  ///< until it was left
  const std::shared_ptr<SampleRing> ring_;
  const std::shared_ptr<RingReader> reader_;
  std::atomic<bool> left_{false};
};

absl::Status CheckInputs(const std::vector<int>& inputs, const VariableTable& variables) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    const int index = inputs[i];
    const bool known = index >= 0 && index < variables.size();
    if (known && variables[index].role == Role::kInput) continue;
    return InvalidField(absl::StrCat("inputs[", i, "]"),
                        known ? absl::StrCat("'", variables[index].name, "' is not an input")
                              : absl::StrCat("the network has no variable ", index));
  }
  return absl::OkStatus();
}

/// Presence follows from the jobs' rows: nobody writes it.
void RemovePresence(std::vector<int>& inputs, const VariableTable& variables) {
  for (const Variable& variable : variables) {
    inputs.erase(std::remove(inputs.begin(), inputs.end(), variable.presence), inputs.end());
  }
}

}  // namespace

absl::StatusOr<std::shared_ptr<Driver>> HostedInstance::Attach(DriverOptions options) {
  if (auto status = CheckInputs(options.inputs, variables_); !status.ok()) return status;
  RemovePresence(options.inputs, variables_);
  const bool preempt = options.preempt;
  const auto lease = std::make_shared<Lease>(std::move(options));
  {
    const MutexLock lock(mu_);
    if (!ended_.ok()) return ended_;
    if (draining_) return Draining();
    if (lease_ != nullptr && !preempt) return LeaseHeld();
    auto status = Enqueue([this, lease, displaced = lease_](const absl::Status&) {
      strand_.AssertHeld();
      Adopt(lease, displaced.get());
    });
    if (!status.ok()) return status;
    lease_ = lease;
  }
  Wake();
  return std::make_shared<LeaseHolder>(Self(), lease);
}

void HostedInstance::Adopt(std::shared_ptr<Lease> lease, Lease* displaced) {
  AbandonJob();  // Of the lease before, if it is not done: Close hands it back.
  simulation_.WriteDown();
  if (driving_ != nullptr) {
    SayGoodbye(driving_->detached() ? driving_->farewell() : "another one took the lease");
  }
  driving_ = std::move(lease);
  if (!driving_->passing()) {
    simulation_.Tell({Event::Kind::kDriverCame, simulation_.cursor(), "a driver took the lease"});
  }
  const LeaseVisit visit(displaced);
  if (!visit) return;
  const Cursor cursor = simulation_.cursor();
  displaced->Close(LeaseLost(), cursor);
  displaced->Notify({Event::Kind::kLeaseLost, cursor, "another driver took the lease"});
}

void HostedInstance::Forget(const Lease* lease) {
  {
    const MutexLock lock(mu_);
    if (lease_.get() != lease) return;
    lease_.reset();
  }
  Wake();
}

absl::StatusOr<std::shared_ptr<Observer>> HostedInstance::Observe(ObserverSpec spec,
                                                                  std::function<void()> on_ready) {
  auto checked = CheckObserver(spec, variables_);
  if (!checked.ok()) return checked;
  auto entered = EnterRecording(spec);
  if (!entered.ok()) return entered.status();
  const std::shared_ptr<Recorder> recorder = *std::move(entered);
  const auto reader = std::make_shared<RingReader>(spec, std::move(on_ready));
  auto observer = std::make_shared<RecordingReader>(Self(), recorder, reader);
  auto status = Post([this, recorder, reader, spec = std::move(spec)](const absl::Status& ended) {
    strand_.AssertHeld();
    if (!ended.ok()) return recorder->ring()->Refuse(*reader, ended);
    if (recorder->ring()->cancelled(*reader)) return;
    simulation_.Join(recorder, reader, spec, options_.time->Now());
  });
  if (!status.ok()) return status;
  return observer;
}

absl::StatusOr<std::shared_ptr<Recorder>> HostedInstance::EnterRecording(const ObserverSpec& spec) {
  auto present = Enter(spec.selections, nullptr);
  if (!present.ok() || *present != nullptr) return present;
  auto made = Recorder::Make(variables_, spec.selections, spec.retained_bytes, options_.recording);
  if (!made.ok()) return made;
  return Enter(spec.selections, *std::move(made));
}

absl::StatusOr<std::shared_ptr<Recorder>> HostedInstance::Enter(
    const std::vector<Selection>& selections, std::shared_ptr<Recorder> made) {
  const MutexLock lock(mu_);
  if (!ended_.ok()) return ended_;
  if (recordings_.readers() >= options_.max_observers) {
    return WithMetadata(Error(absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED",
                              absl::StrCat("the network has ", recordings_.readers(),
                                           " observers, which is all it may have")),
                        "limit", "max_observers");
  }
  if (auto present = recordings_.Enter(selections)) return present;
  if (made != nullptr) recordings_.Add(selections, made);
  return made;
}

void HostedInstance::ForgetObserver(const Recorder* recorder) {
  {
    const MutexLock lock(mu_);
    recordings_.Leave(recorder, options_.time->Now());
  }
  may_expire_.store(true);
  Wake();
}

void HostedInstance::DropExpired() {
  {
    const MutexLock lock(mu_);
    if (!recordings_.any_idle()) return;
  }
  may_expire_.store(true);
  Wake();
}

void HostedInstance::DropRecordings() {
  std::vector<std::shared_ptr<Recorder>> expired;
  {
    const MutexLock lock(mu_);
    expired = recordings_.TakeExpired(options_.time->Now(), options_.recording.retention);
  }
  for (const auto& recorder : expired) simulation_.Drop(recorder.get());
}

void HostedInstance::End(absl::Status why) {
  assert(!why.ok());
  {
    const MutexLock lock(mu_);
    if (!ended_.ok()) {
      while (!end_is_over_) over_.Wait(mu_);
      return;
    }
    ended_ = why;
  }
  scheduler_->Remove(this);
  strand_.AssertHeld();  // No slice runs any more.
  AbandonJob();
  simulation_.WriteDown();
  std::deque<Order> orders;
  std::shared_ptr<Lease> lease;
  {
    const MutexLock lock(mu_);
    orders.swap(orders_);
    lease.swap(lease_);
  }
  for (Order& order : orders) order(why);
  if (const LeaseVisit visit(lease.get()); visit) {
    lease->Close(why, simulation_.cursor());
    lease->NotifyEnd(why);
  }
  simulation_.inputs().EndFeeds(why);
  simulation_.EndRecorders(why);
  simulation_.SetJournal(nullptr);
  driving_.reset();
  share_.GiveBack();
  const MutexLock lock(mu_);
  end_is_over_ = true;
  over_.SignalAll();
}

}  // namespace prospero
