#include "engine/runtime/guard.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace prospero {
namespace {

std::string Length(Clock::Time::duration duration) {
  return absl::FormatDuration(absl::FromChrono(duration));
}

/// The whole value that the input falls back to; empty: hold.
std::string WholeFallback(const SafetySpec::Input& input, const Variable& variable) {
  if (input.fallback == Fallback::kHold || variable.presence >= 0) return {};
  const auto bytes = static_cast<size_t>(variable.bytes());
  if (input.fallback == Fallback::kZero) return std::string(bytes, '\0');
  std::string whole;
  while (whole.size() < bytes) whole += input.fail_safe;
  return whole;
}

}  // namespace

void Guard::Declare(SafetySpec spec, Clock::Time now) {
  Suspend();  // Of the old spec.
  safety_.Declare(std::move(spec), now);
  if (clock_ != Clockwork::kTicks) safety_.Suspend();
  fallbacks_.clear();
  for (const SafetySpec::Input& input : safety_.spec().inputs) {
    fallbacks_.push_back(WholeFallback(input, simulation_.variables()[input.input]));
  }
  commands_.Declare(safety_.spec());
  Look(now);
  // What froze under the old spec is free, or frozen, under the new one.
  simulation_.Freeze(safety_.unsafe() && !safety_.spec().keep_learning);
}

void Guard::Suspend() {
  safety_.Suspend();
  for (const SafetySpec::Input& input : safety_.spec().inputs) {
    simulation_.inputs().Speak(input.input);
  }
}

void Guard::BeginSlice(Clock::Time now, Clockwork clock, bool driven,
                       const std::vector<int>& alive) {
  safety_.Driven(driven, now);
  if (clock != clock_) {
    if (clock == Clockwork::kTicks) safety_.Restart(now);
    if (clock == Clockwork::kLockstep) Suspend();
    clock_ = clock;
    Look(now);
  }
  if (clock != Clockwork::kTicks || !safety_.spec().watches()) return;
  for (const int input : alive) safety_.Frame(input, now);
  Look(now);
}

void Guard::Frames(const std::vector<int>& inputs, Clock::Time now) {
  if (clock_ != Clockwork::kTicks || safety_.spec().inputs.empty()) return;
  for (const int input : inputs) safety_.Frame(input, now);
  if (safety_.unsafe()) Look(now);
}

absl::optional<Clock::Time> Guard::next_look() const {
  return clock_ == Clockwork::kTicks ? safety_.next_look() : absl::nullopt;
}

void Guard::Look(Clock::Time now) {
  changes_.silent.clear();
  changes_.returned.clear();
  safety_.Look(now, &changes_);
  if (changes_.any()) Carry(changes_);
}

void Guard::Carry(const Safety::Changes& changes) {
  const SafetySpec& spec = safety_.spec();
  // The commands first: what they hold is of the last step that was safe.
  if (changes.became_unsafe) commands_.FallBack();
  if (changes.became_safe) commands_.Recover();
  for (const int i : changes.silent) {
    Silence(static_cast<size_t>(i));
    const SafetySpec::Input& input = spec.inputs[static_cast<size_t>(i)];
    tell_(Event::Kind::kInputSilent, absl::StrCat("no frame came for ", Length(input.timeout)),
          input.input);
  }
  for (const int i : changes.returned) {
    const SafetySpec::Input& input = spec.inputs[static_cast<size_t>(i)];
    simulation_.inputs().Speak(input.input);
    tell_(Event::Kind::kInputReturned, "a frame came again", input.input);
  }
  if (changes.driver_missing) {
    tell_(Event::Kind::kDriverMissing,
          absl::StrCat("there was no driver for ", Length(*spec.driver_timeout)), -1);
  }
  if (spec.keep_learning) return;
  if (changes.became_unsafe) {
    simulation_.Freeze(true);
    tell_(Event::Kind::kLearningFrozen, "plasticity stops while the network is unsafe", -1);
  }
  if (changes.became_safe) {
    simulation_.Freeze(false);
    tell_(Event::Kind::kLearningResumed, "plasticity goes on as it was", -1);
  }
}

void Guard::Silence(size_t position) {
  const std::string& values = fallbacks_[position];
  simulation_.inputs().Silence(safety_.spec().inputs[position].input,
                               values.empty() ? nullptr : &values);
}

}  // namespace prospero
