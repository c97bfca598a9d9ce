#pragma once

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "engine/core/arena.h"
#include "engine/core/describe.h"
#include "engine/core/variable.h"
#include "engine/models/microcircuit/microcircuit.h"
#include "engine/models/microcircuit/neuron_array.h"
#include "engine/models/microcircuit/soma.h"

namespace prospero::microcircuit {

/// The rates that are written from outside, and those of the step before.
template <class Real>
class Input {
 public:
  /// Keeps a reference to `layer`.
  Input(const MicrocircuitLayer& layer, int64_t batch) : layer_(layer), batch_(batch) {}

  void WantMemory(Arena& arena) {
    r_.WantMemory(batch_, layer_.size, arena);
    r_before_.WantMemory(batch_, layer_.size, arena);
  }
  void Register(VariableTable& variables) {
    const auto add = [&](absl::string_view symbol, Role role, NeuronArray<Real>& array,
                         absl::string_view description) {
      variables.Add(Describe(absl::StrCat(layer_.name, ".", symbol), role, {batch_, layer_.size},
                             array.data(), "1", description));
    };
    add("r", Role::kInput, r_, "rate, written from outside");
    add("r_before", Role::kState, r_before_, "rate in the last step");
  }
  void ResetState() {
    r_.SetZero();
    r_before_.SetZero();
  }
  /// As Learner::ClearPadding.
  void ClearPadding() {
    r_.ClearPadding();
    r_before_.ClearPadding();
  }
  /// At the end of a step.
  void Remember() { r_before_.all() = r_.constant(); }

  Rates<Real> rates() const { return {r_.data(), r_before_.data()}; }

 private:
  const MicrocircuitLayer& layer_;
  const int64_t batch_;
  NeuronArray<Real> r_, r_before_;
};

}  // namespace prospero::microcircuit
