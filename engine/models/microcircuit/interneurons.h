#pragma once

#include <cstdint>

#include "engine/core/arena.h"
#include "engine/core/variable.h"
#include "engine/models/microcircuit/membrane.h"
#include "engine/models/microcircuit/microcircuit.h"
#include "engine/models/microcircuit/neuron_array.h"
#include "engine/models/microcircuit/soma.h"
#include "engine/models/microcircuit/synapses.h"

namespace prospero::microcircuit {

/// The interneurons of a hidden layer, each of which mirrors a neuron above, and their synapses V:
///
///   d = V r,    u̇_I = g_d d + g_i p_above − u_I/τ_I,    g_V = −⟨(r_I − φ(λ_d d_before)) r_beforeᵀ⟩
template <class Real>
class Interneurons {
 public:
  /// Keeps references to `spec`, `layer` and `above`, the layer that they mirror.
  Interneurons(const MicrocircuitSpec& spec, const MicrocircuitLayer& layer,
               const MicrocircuitLayer& above, const Membrane& membrane, int64_t batch, double dt);

  void WantMemory(Arena& arena);
  void Register(VariableTable& variables);
  void ResetState(uint64_t seed);
  /// Of START_GIVEN; else V is the matter of the network.
  void ResetWeights(uint64_t seed);
  /// As Learner::ClearPadding.
  void ClearPadding();

  void Fire() { soma_.Fire(dt_); }
  /// d of this step, from the rates of the layer, then V learns.
  void Transmit(const Rates<Real>& layer, const Step& step, bool learning);
  /// `above`: of the neurons that are mirrored.
  void Move(const Soma<Real>& above);

  const Soma<Real>& soma() const { return soma_; }
  Synapses<Real>& V() { return V_; }
  const Synapses<Real>& V() const { return V_; }

 private:
  void Compare();

  const MicrocircuitSpec& spec_;
  const Membrane membrane_;
  const Real dt_;  ///< [ms]
  Soma<Real> soma_;
  Synapses<Real> V_;
  NeuronArray<Real> d_;
  NeuronArray<Real> difference_;
  NeuronArray<Real> slope_;  ///< nobody's, but φ gives it
  NeuronArray<Real> s_;      ///< where d is filtered: V r
};

}  // namespace prospero::microcircuit
