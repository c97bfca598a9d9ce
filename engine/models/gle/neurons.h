#pragma once

#include <cstdint>
#include <string>

#include "absl/types/optional.h"
#include "engine/core/arena.h"
#include "engine/core/kernels.h"
#include "engine/core/learner.h"
#include "engine/core/network.h"
#include "engine/core/noise.h"
#include "engine/core/padding.h"
#include "engine/core/variable.h"
#include "engine/models/gle/gle.h"

namespace prospero {

/// What the projections into a population make of it.
struct Afferents {
  int64_t fan_in = 0;   ///< number of all presynaptic neurons
  double tau_hp = 0.0;  ///< [ms], of h; 0: nobody aligns with it
};

/// One population of a GLE network: its arrays, its variables and its part of a step.
/// Arrays of neurons are [batch × size], row after row, padded as PaddedRow says.
template <class Real>
class Neurons {
 public:
  /// Keeps a reference to `spec`.
  Neurons(const GlePopulation& spec, const Afferents& afferents, int64_t batch, double dt);

  void WantMemory(Arena& arena);
  /// The table is that of gle.h.
  void Register(VariableTable& variables);
  void ResetState();
  void ResetWeights(uint64_t seed);
  /// Noise is keyed by `seed` from now on.
  void KeyNoise(uint64_t seed);
  /// As Learner::ClearPadding.
  void ClearPadding();

  /// The errors of this step, from what the targets sent in the step before; then clears
  /// e_bottom and s for the synapses to add to. Not for inputs.
  void SenseErrors(Real dt);
  /// The noise, potentials, rates and learned arrays of this step. Not for inputs.
  void Move(const Step& step, bool learning);

  bool is_input() const { return spec_.role == PopulationRole::kInput; }
  bool is_output() const { return spec_.role == PopulationRole::kOutput; }
  bool finite() const;
  /// Of the last step; 0 without a target.
  Real loss() const { return *loss_; }
  /// 1/2 Σ e², mean over the batch.
  double Energy() const;

  int64_t size() const { return spec_.size; }
  int64_t stride() const { return stride_; }
  const Real* r() const { return r_; }
  const Real* e() const { return e_; }
  Real* s() const { return s_; }
  Real* e_bottom() const { return e_bottom_; }
  /// Noise as the last step left it. Only where there is some.
  const Real* xi() const { return noise_->xi(); }
  /// High-pass filtered rate as the last step left it; null where nobody aligns with it.
  const Real* h() const { return h_; }

 private:
  Row<Real> Of(Real* neurons, int64_t trial) const { return {neurons + trial * stride_, stride_}; }
  ConstRow<Real> In(const Real* neurons, int64_t trial = 0) const {
    return {neurons + trial * stride_, stride_};
  }
  bool tau_is_bounded() const { return spec_.tau_min > 0 || tau_m_learner_.exists(); }
  Variable AddArray(absl::string_view symbol, Role role, Real* data, absl::string_view unit,
                    absl::string_view description, VariableTable& variables) const;
  void RegisterInput(VariableTable& variables);
  void RegisterNeurons(VariableTable& variables);
  void RegisterParameters(VariableTable& variables);
  void RegisterOutput(VariableTable& variables);
  void RegisterHighPass(VariableTable& variables);
  void SetTau();
  void ReceiveTarget(int64_t trial);
  void LearnBias(bool learning);
  void LearnTau(bool learning);

  const GlePopulation& spec_;
  const Afferents afferents_;
  const int64_t batch_;
  const int64_t stride_;
  const Layout per_trial_;   ///< [batch × size]
  const Layout per_neuron_;  ///< [size]
  const Real dt_;            ///< [ms]
  const Real tau_min_;       ///< [ms]
  Learner<Real> bias_learner_;
  Learner<Real> tau_m_learner_;
  absl::optional<Noise<Real>> noise_;

  Real* r_ = nullptr;
  Real* r_prime_ = nullptr;
  Real* u_ = nullptr;
  Real* v_ = nullptr;
  Real* e_bottom_ = nullptr;
  Real* inst_e_ = nullptr;
  Real* e_ = nullptr;
  Real* u_ahead_ = nullptr;
  Real* s_ = nullptr;  ///< summed input; after Move u̇
  Real* h_ = nullptr;  ///< null where nobody aligns with it
  Real* y_ = nullptr;
  Real* target_ = nullptr;

  Real* b_ = nullptr;      ///< [stride], as all below
  Real* tau_m_ = nullptr;  ///< [ms]
  Real* tau_r_ = nullptr;  ///< [ms]
  Real* dot_ = nullptr;    ///< a derivative, rates of the step before, then a gradient

  Real* gamma_ = nullptr;  ///< scalars
  Real* teach_ = nullptr;
  Real* beta_ = nullptr;
  Real* loss_ = nullptr;
  Real* tau_hp_ = nullptr;        ///< [ms], of h
  Real* trial_weight_ = nullptr;  ///< [batch]
};

}  // namespace prospero
