#pragma once

#include <functional>
#include <vector>

#include "engine/runtime/clock.h"
#include "engine/runtime/commands.h"
#include "engine/runtime/observer.h"
#include "engine/runtime/safety.h"
#include "engine/runtime/simulation.h"

namespace prospero {

/// Carries out a network's safety: looks at the time once a slice, and while the network is unsafe
/// freezes its plasticity and lets its inputs and commands fall back. On the strand only.
class Guard {
 public:
  using Tell = std::function<void(Event::Kind kind, const std::string& message, int variable)>;

  /// `tell` is called for what happens; variable -1: none.
  Guard(Simulation& simulation, Commands& commands, Tell tell)
      : simulation_(simulation), commands_(commands), tell_(std::move(tell)) {}

  /// The spec has been checked.
  void Declare(SafetySpec spec, Clock::Time now);
  bool unsafe() const { return safety_.unsafe(); }

  enum class Clockwork : uint8_t { kPaused, kTicks, kLockstep };
  /// At the begin of a slice. `alive`: inputs that had frames.
  void BeginSlice(Clock::Time now, Clockwork clock, bool driven, const std::vector<int>& alive);
  /// In a slice: a driver's job gives these inputs frames.
  void Frames(const std::vector<int>& inputs, Clock::Time now);
  /// When BeginSlice should come next though nothing else asks for it; none: it need not.
  absl::optional<Clock::Time> next_look() const;

 private:
  /// Nothing is silent any more.
  void Suspend();
  void Look(Clock::Time now);
  void Carry(const Safety::Changes& changes);
  void Silence(size_t position);

  Simulation& simulation_;
  Commands& commands_;
  const Tell tell_;
  Safety safety_;
  std::vector<std::string> fallbacks_;  ///< of the inputs, whole; empty: hold
  Clockwork clock_ = Clockwork::kLockstep;
  Safety::Changes changes_;
};

}  // namespace prospero
