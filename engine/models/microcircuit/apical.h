#pragma once

#include <cstdint>

#include "absl/types/optional.h"
#include "engine/core/arena.h"
#include "engine/core/network.h"
#include "engine/core/noise.h"
#include "engine/core/variable.h"
#include "engine/models/microcircuit/microcircuit.h"
#include "engine/models/microcircuit/neuron_array.h"
#include "engine/models/microcircuit/soma.h"
#include "engine/models/microcircuit/synapses.h"

namespace prospero::microcircuit {

/// The apical dendrites of a hidden layer, their synapses B and C, and the noise that B learns
/// from:
///
///   a = B r_above + C r_I,    g_C = ⟨a_before r_I,beforeᵀ⟩,    g_B = −⟨ξ h_aboveᵀ⟩
template <class Real>
class Apical {
 public:
  /// What B and C read in a step.
  struct Sources {
    const Soma<Real>& soma;   ///< of the layer itself
    const Soma<Real>& above;  ///< of the layer that feeds back
    const Real* h;            ///< its high-passed rates; null where B does not learn from them
    const Soma<Real>& interneurons;
  };

  /// Keeps references to `spec` and `layer`. `above_is_output`: of the layer that feeds back.
  Apical(const MicrocircuitSpec& spec, const MicrocircuitLayer& layer,
         const MicrocircuitLayer& above, bool above_is_output, int64_t batch, double dt);

  void WantMemory(Arena& arena);
  /// Returns B.
  Variable Register(VariableTable& variables);
  void ResetState();
  /// B and C; of a TRANSPOSE both are the matter of the network.
  void ResetWeights(uint64_t seed);
  void Key(uint64_t seed);
  /// As Learner::ClearPadding.
  void ClearPadding();

  /// a of this step, then B and C learn.
  void Transmit(const Sources& from, const Step& step, bool learning);

  /// What pulls on the soma in this step: a, and the noise as it was before if B learns.
  const NeuronArray<Real>& with_noise() const { return with_noise_; }
  Synapses<Real>& B() { return B_; }
  const Synapses<Real>& B() const { return B_; }
  Synapses<Real>& C() { return C_; }
  const Synapses<Real>& C() const { return C_; }

 private:
  bool copies() const { return spec_.feedback == FeedbackPath::kTranspose; }
  bool learns_in_one_pass() const;
  const Real* NoiseScale(const Soma<Real>& soma);
  const Real* LearnPre(const Sources& from) const;
  void LearnApart(const Sources& from, const Step& step);
  void DecayWhereGated(const Real* learn_pre);
  void DecayBySlopes(const Sources& from);

  const MicrocircuitSpec& spec_;
  const MicrocircuitLayer& layer_;
  const bool above_is_output_;
  const int64_t batch_;
  Synapses<Real> B_;
  Synapses<Real> C_;
  absl::optional<Noise<Real>> noise_;
  NeuronArray<Real> a_;
  NeuronArray<Real> with_noise_;
  NeuronArray<Real> minus_a_;
  NeuronArray<Real> noise_scale_;
  Real* factor_ = nullptr;  ///< one row of B, of what is taken off it
};

}  // namespace prospero::microcircuit
