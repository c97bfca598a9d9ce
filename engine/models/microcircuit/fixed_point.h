#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/core/noise.h"
#include "engine/models/microcircuit/microcircuit.h"

namespace prospero {

/// Where Phaseless Alignment Learning leads the feedback weights of a layer (derived here; the
/// continuous limit agrees with Max et al., arXiv 2212.10249):
///
///   B* = scale ⟨diag(φ′) Wᵀ diag(φ′_above)⟩,    scale = κ Vx λ_a λ_above / α
///
/// W leads up; ⟨⟩ is the mean over the inputs, and with it over time. φ′ = 1 for linear neurons.
struct FeedbackFixedPoint {
  double kappa = 0;  ///< part of the variance of ξ that its product with h has
  double Vx = 0;     ///< variance of ξ, for the noise scale kConstant
  double scale = 0;  ///< infinite without decay
};

/// κ of noise that is multiplied with h, the high-pass of a rate that moves `delay` steps behind
/// it. With ρ_k, the correlation of the noise with itself k steps before, and b = dt/τ_hp,
///
///   κ = ρ_delay − b Σ_{k≥1} (1 − b)^{k−1} ρ_{delay+k}
///
/// which for Ornstein-Uhlenbeck noise, ρ_k = (1 − a)^k with a = dt/τ, is a (1 − a)^delay /
/// (a + b − a b). `tau_hp` 0: the rate itself, κ = ρ_delay. Times in ms.
double NoiseCorrelation(const NoiseSpec& noise, double tau_hp, int64_t delay, double dt);

/// For layer `layer` of a valid `spec`, hidden, kAligned, whose B learns; prospectivity 1. The
/// noise in h is 4 steps behind ξ (3 without high-pass), and one more for each layer that SKIP
/// jumps over, whose W and slopes are factors of B*, too, and its λ a factor of scale. The decay
/// kSlopes cancels the slopes, so that B* = scale Wᵀ; kGated counts half. λ_above of the output is
/// that without a target.
///
/// So one chooses σ and α: σ²/α sets the size of B, and 1/(η α) steps are its time to get there.
FeedbackFixedPoint PredictFeedback(const MicrocircuitSpec& spec, size_t layer, double dt);

}  // namespace prospero
