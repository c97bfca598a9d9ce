#pragma once

#include <cstdint>
#include <string>

#include "engine/core/arena.h"
#include "engine/core/variable.h"
#include "engine/models/microcircuit/neuron_array.h"
#include "engine/models/microcircuit/soma.h"

namespace prospero::microcircuit {

/// The high-passed rates that a learning B listens to, ḣ = ṙ − h/τ_hp. At the start h = r.
template <class Real>
class HighPassedRates {
 public:
  /// `tau_hp` in ms.
  HighPassedRates(std::string layer, int64_t size, int64_t batch, double tau_hp, double dt);

  void WantMemory(Arena& arena);
  void Register(VariableTable& variables);
  void ResetState(const Soma<Real>& soma) { h_.all() = soma.r().all(); }
  /// As Learner::ClearPadding.
  void ClearPadding() { h_.ClearPadding(); }
  /// After the rates of a step.
  void Move(const Soma<Real>& soma);

  const Real* h() const { return h_.data(); }

 private:
  const std::string layer_;
  const int64_t size_;
  const int64_t batch_;
  const double first_tau_hp_;  ///< [ms]
  const double dt_;            ///< [ms]
  NeuronArray<Real> h_;
  Real* tau_hp_ = nullptr;
};

}  // namespace prospero::microcircuit
