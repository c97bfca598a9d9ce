// What comes into a network besides its driver's jobs, and what happens when it stops.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "engine/runtime/hosted_instance.h"

namespace prospero {
namespace {

class FeedHandle final : public Feed {
 public:
  FeedHandle(std::shared_ptr<HostedInstance> instance, std::shared_ptr<FeedInlet> inlet)
      : instance_(std::move(instance)), inlet_(std::move(inlet)) {}
  ~FeedHandle() override { FeedHandle::Close(); }

  absl::Status Push(FeedFrame frame) override { return inlet_->Push(std::move(frame)); }
  void Finish() override {
    inlet_->Finish();
    instance_->Wake();
  }
  FeedSummary summary() const override { return inlet_->summary(); }
  void Close() override {
    inlet_->Close();
    instance_->ForgetFeed(inlet_.get());
  }

 private:
  const std::shared_ptr<HostedInstance> instance_;
  const std::shared_ptr<FeedInlet> inlet_;
};

absl::Status CheckFeed(const FeedOptions& options, const VariableTable& variables,
                       int64_t max_bytes) {
  const int index = options.input;
  if (index < 0 || index >= variables.size()) {
    return InvalidField("input", absl::StrCat("the network has no variable ", index));
  }
  const Variable& input = variables[index];
  const bool is_presence =
      std::any_of(variables.begin(), variables.end(),
                  [index](const Variable& other) { return other.presence == index; });
  if (input.role != Role::kInput || is_presence) {
    return InvalidField("input", absl::StrCat("'", input.name, "' is not an input"));
  }
  if (options.max_pending < 1) {
    return InvalidField("max_pending", absl::StrCat("must be > 0, got ", options.max_pending));
  }
  const int64_t row = std::max<int64_t>(input.bytes(), 1);
  if (options.max_pending <= std::max<int64_t>(max_bytes / row, 1)) return absl::OkStatus();
  return WithMetadata(
      FieldError(absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED", "max_pending",
                 absl::StrCat(options.max_pending, " frames with ", row,
                              " bytes each must be at most ", max_bytes, " bytes together")),
      "limit", "max_feed_bytes");
}

}  // namespace

absl::StatusOr<std::shared_ptr<Feed>> HostedInstance::OpenFeed(FeedOptions options) {
  auto checked = CheckFeed(options, variables_, options_.max_feed_bytes);
  if (!checked.ok()) return checked;
  if (status().clock == ClockMode::kLockstep) return ClockMismatch();
  const int input = options.input;
  const bool preempt = options.preempt;
  PortFeed feed(variables_[input], options.between, options.late, options.max_pending);
  const auto inlet = std::make_shared<FeedInlet>(variables_[input], std::move(options));
  {
    const MutexLock lock(mu_);
    if (draining_) return Draining();
    std::shared_ptr<FeedInlet> present;
    for (const auto& other : feeds_) {
      if (other->options().input == input && !other->over()) present = other;
    }
    if (present != nullptr && !preempt) return InputFed(variables_[input]);
    auto status =
        Enqueue([this, inlet, present, feed = std::move(feed)](const absl::Status& ended) mutable {
          strand_.AssertHeld();
          if (!ended.ok()) return inlet->End(ended, {});
          PortInputs& inputs = simulation_.inputs();
          if (present != nullptr) inputs.EndFeed(present.get(), FeedTaken());
          inputs.AddFeed(inlet, std::move(feed));
        });
    if (!status.ok()) return status;
    feeds_.push_back(inlet);
  }
  Wake();
  return std::make_shared<FeedHandle>(Self(), inlet);
}

void HostedInstance::ForgetFeed(const FeedInlet* inlet) {
  {
    const MutexLock lock(mu_);
    feeds_.erase(std::remove_if(feeds_.begin(), feeds_.end(),
                                [inlet](const std::shared_ptr<FeedInlet>& other) {
                                  return other.get() == inlet;
                                }),
                 feeds_.end());
  }
  Wake();
}

void HostedInstance::SetSafety(SafetySpec spec, Done<Cursor> done) {
  if (auto status = CheckSafety(spec, variables_); !status.ok()) {
    if (done) done(status);
    return;
  }
  PostChange(std::move(done), [this, spec = std::move(spec)]() mutable {
    strand_.AssertHeld();
    guard_.Declare(std::move(spec), options_.time->Now());
    return absl::OkStatus();
  });
}

void HostedInstance::TendPorts(Clock::Time now) {
  PortInputs& inputs = simulation_.inputs();
  alive_.clear();
  if (inputs.has_feeds() && clock_ == ClockMode::kLockstep) inputs.EndFeeds(ClockMismatch());
  if (inputs.has_feeds()) inputs.TakeFrames(simulation_.cursor(), &alive_);
  if (runner_.active()) {
    alive_.insert(alive_.end(), runner_.given().begin(), runner_.given().end());
  }
  const Guard::Clockwork clock = clock_ == ClockMode::kLockstep ? Guard::Clockwork::kLockstep
                                 : state_ == RunState::kRunning ? Guard::Clockwork::kTicks
                                                                : Guard::Clockwork::kPaused;
  guard_.BeginSlice(now, clock, driving_ != nullptr, alive_);
}

void HostedInstance::SayGoodbye(absl::string_view why) {
  if (driving_->passing()) return;
  simulation_.Tell(
      {Event::Kind::kDriverLeft, simulation_.cursor(), absl::StrCat("the driver has left: ", why)});
}

}  // namespace prospero
