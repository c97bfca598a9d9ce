// What the neurons of a layer do in a step.

#include <algorithm>

#include "engine/core/activation.h"
#include "engine/core/kernels.h"
#include "engine/core/normal.h"
#include "engine/models/latent_equilibrium/neurons.h"

namespace prospero {
namespace {

/// One trial's part of the descent gradient that draws a membrane time constant to the
/// prospective one:
///
///   g ← g − (τ − τ_m) u̇² / B
template <class Real>
void AddMatchGradient(ConstRow<Real> tau, ConstRow<Real> tau_m, ConstRow<Real> u_dot,
                      Real one_over_batch, Row<Real> g) {
  g -= one_over_batch * ((tau - tau_m) * u_dot.square());
}

}  // namespace

template <class Real>
void LayerNeurons<Real>::AdvanceNoise(const Step& step) {
  if (noise_.has_value()) noise_->Advance(step);
}

template <class Real>
void LayerNeurons<Real>::BeginInput() {
  for (int64_t trial = 0; trial < layer_.batch; ++trial) {
    Real* const s = s_ + trial * layer_.stride;
    if (places_ == 1) {
      std::copy_n(b_, layer_.size, s);
    } else {
      for (int64_t c = 0; c < channels_; ++c) std::fill_n(s + c * places_, places_, b_[c]);
    }
    std::fill(s + layer_.size, s + layer_.stride, Real{0});
  }
}

template <class Real>
void LayerNeurons<Real>::Move(const Step& step, bool started) {
  const Real gamma = static_cast<Real>(spec_.gamma);
  const Real dt = static_cast<Real>(step.dt);
  const Row<Real> drive(drive_, layer_.stride);
  for (int64_t trial = 0; trial < layer_.batch; ++trial) {
    Row<Real> s = layer_.Of(s_, trial);
    if (noise_.has_value()) s += layer_.In(noise_->xi(), trial);
    Row<Real>(drive_, layer_.stride) = s;
    Drive<Real>(gamma, layer_.In(layer_.e, trial), drive);
    if (e_sent_ != nullptr) layer_.Of(e_sent_, trial) = -s;
    Leak<Real>(Shared(drive_), Shared(tau_m_), layer_.In(u_, trial), s);
    LookAhead<Real>(layer_.In(s_, trial), Shared(tau_), dt, layer_.Of(u_, trial),
                    layer_.Of(u_ahead_, trial));
    if (e_sent_ != nullptr) layer_.Of(e_sent_, trial) += layer_.In(u_ahead_, trial);
    Speak(step, started, trial);
  }
}

template <class Real>
void LayerNeurons<Real>::Speak(const Step& step, bool started, int64_t trial) {
  const int64_t at = trial * layer_.stride;
  Row<Real> r = layer_.Of(layer_.r, trial);
  std::copy_n(layer_.r + at, layer_.stride, before_);
  Activate(layer_spec_.activation, u_ahead_ + at, layer_.size, layer_.stride, layer_.r + at,
           layer_.r_prime + at);
  if (rate_noise_ != nullptr) AddRateNoise(step, trial);
  if (spec_.tau_rate > 0) {
    const Real share = static_cast<Real>(step.dt / spec_.tau_rate);
    r = Shared(before_) + share * (r - Shared(before_));
  }
  if (h_ == nullptr) return;
  // The rates of the first step come from nowhere: they are no change.
  HighPass<Real>(layer_.In(layer_.r, trial), started ? Shared(before_) : layer_.In(layer_.r, trial),
                 static_cast<Real>(step.dt) / *tau_hp_, layer_.Of(h_, trial));
}

template <class Real>
void LayerNeurons<Real>::AddRateNoise(const Step& step, int64_t trial) {
  FillNormal(seed_, rate_noise_stream_, step.index, trial, layer_.stride, white_);
  std::fill(white_ + layer_.size, white_ + layer_.stride, Real{0});
  layer_.Of(layer_.r, trial) += *rate_noise_ * Shared(white_);
}

template <class Real>
void LayerNeurons<Real>::Learn(bool learning) {
  LearnBias(learning);
  LearnTau(learning);
}

template <class Real>
void LayerNeurons<Real>::LearnBias(bool learning) {
  const Update<Real> update = bias_learner_.Next(learning);
  if (update.rule == Rule::kFixed) return;
  std::fill_n(b_dot_, per_channel_.stride, Real{0});
  const Real share = Real{1} / static_cast<Real>(layer_.batch * places_);
  for (int64_t trial = 0; trial < layer_.batch; ++trial) {
    const Real* const e = layer_.e_next + trial * layer_.stride;
    if (places_ == 1) {
      AddBiasGradient<Real>({e, layer_.stride}, share, {b_dot_, layer_.stride});
      continue;
    }
    for (int64_t c = 0; c < channels_; ++c) {
      Real sum = 0;
      for (int64_t k = 0; k < places_; ++k) sum += e[c * places_ + k];
      b_dot_[c] -= share * sum;
    }
  }
  UpdateArray(update, b_dot_, per_channel_.stride, b_);
}

template <class Real>
void LayerNeurons<Real>::LearnTau(bool learning) {
  const Update<Real> update = tau_m_learner_.Next(learning);
  if (update.rule == Rule::kFixed) return;
  Row<Real> g(drive_, layer_.stride);
  g.setZero();
  const Real one_over_batch = Real{1} / static_cast<Real>(layer_.batch);
  for (int64_t trial = 0; trial < layer_.batch; ++trial) {
    AddMatchGradient<Real>(Shared(tau_), Shared(tau_m_), layer_.In(s_, trial), one_over_batch,
                           {drive_, layer_.stride});
  }
  UpdateArray(update, drive_, layer_.stride, tau_m_);
  KeepAbove<Real>(static_cast<Real>(dt_), {tau_m_, layer_.stride});
}

template class LayerNeurons<float>;
template class LayerNeurons<double>;

}  // namespace prospero
