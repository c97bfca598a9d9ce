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

class QueueReader final : public Observer {
 public:
  QueueReader(std::shared_ptr<HostedInstance> instance, std::shared_ptr<SampleQueue> queue)
      : instance_(std::move(instance)), queue_(std::move(queue)) {}
  ~QueueReader() override { QueueReader::Cancel(); }

  bool Take(int64_t max_samples, Observed* out) override { return queue_->Take(max_samples, out); }
  absl::Status end() const override { return queue_->end(); }
  void Cancel() override {
    queue_->Cancel();
    if (!left_.exchange(true)) instance_->ForgetObserver();
  }

 private:
  const std::shared_ptr<HostedInstance> instance_;
  const std::shared_ptr<SampleQueue> queue_;
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
  auto checked = CheckObserver(spec, variables_, options_.max_observer_bytes);
  if (!checked.ok()) return checked;
  const auto queue = std::make_shared<SampleQueue>(spec.capacity, std::move(on_ready));
  auto recorder = std::make_unique<Recorder>(variables_, spec, queue);
  {
    const MutexLock lock(mu_);
    if (observers_ >= options_.max_observers) {
      return WithMetadata(Error(absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED",
                                absl::StrCat("the network has ", observers_,
                                             " observers, which is all it may have")),
                          "limit", "max_observers");
    }
    auto status =
        Enqueue([this, recorder = std::move(recorder)](const absl::Status& ended) mutable {
          strand_.AssertHeld();
          if (!ended.ok()) return recorder->queue().End(ended);
          if (recorder->queue().cancelled()) return;
          simulation_.AddRecorder(std::move(recorder), options_.time->Now());
        });
    if (!status.ok()) return status;
    ++observers_;
  }
  Wake();
  return std::make_shared<QueueReader>(Self(), queue);
}

void HostedInstance::ForgetObserver() {
  observer_left_.store(true);
  {
    const MutexLock lock(mu_);
    --observers_;
  }
  Wake();
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
  driving_.reset();
  share_.GiveBack();
  const MutexLock lock(mu_);
  end_is_over_ = true;
  over_.SignalAll();
}

}  // namespace prospero
