#pragma once

#include <cstdint>

namespace prospero {

/// The rule by which one array of parameters changes in one step.
enum class Rule : uint8_t {
  kFixed,     ///< w stays
  kPlainSgd,  ///< w − η g: the common case of kSgd, without clipping and decay
  kSgd,
  kMomentum,
  kAdam,
  kLowPass,
};

/// What one step does to one array w with its descent gradient g (see Plasticity):
///
///   g ← clamp(g, ±clip),   w ← clamp(w − η (optimizer(g) + weight_decay w), ±bound)
///
/// `m` and `v2` are laid out as the array.
template <class Real>
struct Update {
  Rule rule = Rule::kFixed;
  Real eta = 0;  ///< learning rate of this step
  Real weight_decay = 0;
  Real clip = 0;   ///< infinite: none
  Real bound = 0;  ///< infinite: none
  Real momentum = 0;
  Real beta1 = 0;
  Real beta2 = 0;
  Real epsilon = 0;
  Real m_scale = 0;    ///< kAdam: 1 / (1 − β₁ᵗ)
  Real v2_scale = 0;   ///< kAdam: 1 / √(1 − β₂ᵗ)
  Real mix = 0;        ///< kLowPass: m ← m + mix (g − m)
  Real* m = nullptr;   ///< kMomentum, kAdam, kLowPass
  Real* v2 = nullptr;  ///< kAdam
};

/// What an update did, counted only while somebody watches.
struct UpdateCount {
  int64_t swallowed = 0;      ///< updates that were not zero but left the value as it was
  double squared_change = 0;  ///< Σ (w_new − w_old)²
};

/// Applies `update` to `count` values, a multiple of a padded row: g is the gradient.
template <class Real>
void UpdateArray(const Update<Real>& update, const Real* g, int64_t count, Real* w);

}  // namespace prospero
