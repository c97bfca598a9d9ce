#pragma once

#include <cstdint>
#include <string>

#include "engine/core/arena.h"
#include "engine/core/variable.h"
#include "engine/models/microcircuit/microcircuit.h"
#include "engine/models/microcircuit/neuron_array.h"
#include "engine/models/microcircuit/soma.h"
#include "engine/models/microcircuit/synapses.h"

namespace prospero::microcircuit {

/// The basal dendrites of a layer and their synapses W:
///
///   b = W r_below,    g_W = −⟨(r − φ(λ b_before)) r_below,beforeᵀ⟩
template <class Real>
class Basal {
 public:
  /// Keeps references to all three. `prediction`: λ, what b alone makes of the soma.
  Basal(const MicrocircuitSpec& spec, const MicrocircuitLayer& layer,
        const MicrocircuitLayer& below, int64_t batch, double prediction, double dt);

  void WantMemory(Arena& arena);
  /// Returns W.
  Variable Register(VariableTable& variables);
  void ResetState();
  void ResetWeights(uint64_t seed);
  /// As Learner::ClearPadding.
  void ClearPadding();

  /// b of this step, then W learns.
  void Transmit(const Rates<Real>& below, const Soma<Real>& soma, const Step& step, bool learning);

  const NeuronArray<Real>& b() const { return b_; }
  Synapses<Real>& W() { return W_; }
  const Synapses<Real>& W() const { return W_; }

 private:
  void Compare(const Soma<Real>& soma);
  const Real* LowPassed(const Rates<Real>& below);

  const MicrocircuitSpec& spec_;
  const MicrocircuitLayer& layer_;
  const MicrocircuitLayer& below_;
  const int64_t batch_;
  const Real prediction_;
  const Real dt_;  ///< [ms]
  Synapses<Real> W_;
  NeuronArray<Real> b_;
  NeuronArray<Real> difference_;
  NeuronArray<Real> slope_;           ///< nobody's, but φ gives it
  NeuronArray<Real> difference_low_;  ///< where there is such a filter, as the next
  NeuronArray<Real> r_low_;
};

}  // namespace prospero::microcircuit
