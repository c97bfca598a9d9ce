#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "engine/core/arena.h"
#include "engine/core/learner.h"
#include "engine/core/network.h"
#include "engine/core/noise.h"
#include "engine/core/padding.h"
#include "engine/core/variable.h"
#include "engine/models/latent_equilibrium/activity.h"
#include "engine/models/latent_equilibrium/latent_equilibrium.h"

namespace prospero {

/// The neurons of one layer, between its input s and its rates r.
template <class Real>
class LayerNeurons {
 public:
  /// Keeps references to all but dt. `channels`: neurons that differ in place only share a bias.
  LayerNeurons(const LatentEquilibriumSpec& spec, const LatentEquilibriumLayer& layer,
               LayerActivity<Real>& activity, int64_t channels, int64_t fan_in, double dt);

  void WantMemory(Arena& arena);
  void Register(VariableTable& variables);
  void ResetState();
  void ResetWeights(uint64_t seed);
  /// Draws are keyed by `seed` from now on.
  void KeyNoise(uint64_t seed);
  /// As Learner::ClearPadding.
  void ClearPadding();

  void AdvanceNoise(const Step& step);
  /// s ← b
  void BeginInput();
  /// s + ξ and γ e move the membranes; the rates follow. `started`: this is not the first step.
  void Move(const Step& step, bool started);
  /// b from e_next, τ_m from the membranes.
  void Learn(bool learning);
  bool finite() const;

  Real* s() { return s_; }
  const Real* u_ahead() const { return u_ahead_; }
  /// What goes to the layer below, before the weights.
  const Real* sent() const { return e_sent_ != nullptr ? e_sent_ : layer_.e; }
  /// The high-passed rates; null: nobody needs them.
  const Real* h() const { return h_; }

 private:
  bool tau_m_changes() const { return layer_spec_.tau_spread > 0 || tau_m_learner_.exists(); }
  void RegisterArrays(VariableTable& variables);
  void RegisterParameters(VariableTable& variables);
  void SetTau();
  void SpreadTau(uint64_t seed, absl::string_view symbol, Real minimum, Real* tau) const;
  void Speak(const Step& step, bool started, int64_t trial);
  void AddRateNoise(const Step& step, int64_t trial);
  void LearnBias(bool learning);
  void LearnTau(bool learning);

  ConstRow<Real> Shared(const Real* array) const { return {array, layer_.stride}; }

  const LatentEquilibriumSpec& spec_;
  const LatentEquilibriumLayer& layer_spec_;
  LayerActivity<Real>& layer_;
  const int64_t channels_;
  const int64_t places_;  ///< neurons of a channel
  const int64_t fan_in_;
  const double dt_;           ///< [ms]
  const Layout per_neuron_;   ///< [size]
  const Layout per_channel_;  ///< [channels]
  absl::optional<Noise<Real>> noise_;
  Learner<Real> bias_learner_;
  Learner<Real> tau_m_learner_;
  uint64_t seed_ = 0;  ///< of the rate noise
  const uint64_t rate_noise_stream_;

  Real* u_ = nullptr;  ///< [batch × stride], as all up to h
  Real* u_ahead_ = nullptr;
  Real* s_ = nullptr;  ///< summed input; after Move u̇
  Real* e_sent_ = nullptr;
  Real* h_ = nullptr;
  Real* b_ = nullptr;           ///< [channels]
  Real* b_dot_ = nullptr;       ///< its gradient
  Real* tau_ = nullptr;         ///< [stride], as all below; [ms]
  Real* tau_m_ = nullptr;       ///< [ms]
  Real* drive_ = nullptr;       ///< of one trial; then the gradient of τ_m
  Real* before_ = nullptr;      ///< rates of one trial
  Real* white_ = nullptr;       ///< rate noise of one trial
  Real* rate_noise_ = nullptr;  ///< scalars
  Real* tau_hp_ = nullptr;      ///< [ms]
};

}  // namespace prospero
