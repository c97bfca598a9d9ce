// What a network's clock asks of its strand.

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/runtime/hosted_instance.h"

namespace prospero {
namespace {

/// Overruns are told at most so often.
constexpr std::chrono::seconds kBetweenOverruns(1);

/// A network that makes a step within this time finds a job without being called.
constexpr double kSoonHz = 100.0;

const char* NameOf(ClockMode mode) {
  switch (mode) {
    case ClockMode::kLockstep:
      return "LOCKSTEP";
    case ClockMode::kFree:
      return "FREE";
    case ClockMode::kRealtime:
      return "REALTIME";
  }
  return "";
}

std::string Describe(const ClockSpec& clock) {
  std::string words = absl::StrCat("the clock is ", NameOf(clock.mode));
  if (clock.mode == ClockMode::kRealtime) absl::StrAppend(&words, " at speed ", clock.speed);
  return words;
}

}  // namespace

absl::StatusOr<Admission::Demand> HostedInstance::DemandOf(const ClockSpec& clock) {
  int64_t cost = step_cost_.ns();
  if (cost < 0) {
    if (auto status = CheckNotFailed(); !status.ok()) return status;
    cost = simulation_.Rehearse(*options_.time);
    step_cost_.Add(cost, 1);
  }
  return Admission::Demand{cost, Pacer(options_.dt, clock).rate_hz()};
}

void HostedInstance::SetClock(const ClockSpec& clock, Done<Cursor> done) {
  if (auto status = clock.Check(); !status.ok()) {
    if (done) done(status);
    return;
  }
  PostChange(std::move(done), [this, wanted = clock.Normal()] {
    strand_.AssertHeld();
    if (clock_ == wanted) return absl::OkStatus();
    if (wanted.mode != ClockMode::kRealtime) {
      share_.GiveBack();
    } else if (options_.admission != nullptr) {
      const auto demand = DemandOf(wanted);
      if (!demand.ok()) return demand.status();
      if (auto status = options_.admission->Take(*demand, &share_); !status.ok()) return status;
    }
    clock_ = wanted;
    if (wanted.mode == ClockMode::kRealtime) pacer_.Restart(wanted, options_.time->Now());
    StateChanged();
    Tell(Event::Kind::kClockChanged, Describe(clock_));
    return absl::OkStatus();
  });
}

void HostedInstance::TryClock(const ClockSpec& clock, Done<Cursor> done) {
  if (auto status = clock.Check(); !status.ok()) {
    if (done) done(status);
    return;
  }
  PostChange(std::move(done), [this, wanted = clock.Normal()] {
    strand_.AssertHeld();
    if (wanted.mode != ClockMode::kRealtime || options_.admission == nullptr) {
      return absl::OkStatus();
    }
    const auto demand = DemandOf(wanted);
    return demand.ok() ? options_.admission->Check(*demand, share_) : demand.status();
  });
}

void HostedInstance::StateChanged() { comes_soon_.store(paced() && pacer_.rate_hz() >= kSoonHz); }

void HostedInstance::BeginPace(Clock::Time now) {
  const Cursor cursor = simulation_.cursor();
  gauge_.Look(now, cursor.epoch, cursor.step);
  horizon_ = INT64_MAX;
  if (paced()) {
    const int64_t overruns = pacer_.overruns();
    horizon_ = cursor.step + pacer_.Due(now);
    if (pacer_.overruns() > overruns) TellOverrun(now);
  }
  clock_signals_.Show(pacer_, paced(), gauge_.speed(), step_cost_.ns());
}

void HostedInstance::TellOverrun(Clock::Time now) {
  if (now - told_overrun_at_ < kBetweenOverruns) return;
  told_overrun_at_ = now;
  Tell(Event::Kind::kOverrun,
       absl::StrCat("steps came ", pacer_.lag_ms(), " ms late; so far ", pacer_.overruns(),
                    " overruns, ", pacer_.skipped(), " steps left out"));
}

void HostedInstance::EndPace(int64_t steps) {
  timing_ = {};
  if (horizon_ != INT64_MAX) pacer_.Made(steps);
  if (paced()) {
    timing_ = {steps_are_left() ? pacer_.due_at() : pacer_.wake_at(), pacer_.deadline()};
  }
  if (const auto look = guard_.next_look(); look.has_value()) timing_ = Earlier(timing_, {*look});
}

}  // namespace prospero
