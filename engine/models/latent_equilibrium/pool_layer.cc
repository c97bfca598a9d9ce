#include "engine/models/latent_equilibrium/pool_layer.h"

#include <algorithm>

#include "engine/core/describe.h"
#include "engine/core/kernels.h"

namespace prospero {

template <class Real>
PoolLayer<Real>::PoolLayer(const LatentEquilibriumLayer& layer, const Window& window,
                           LayerActivity<Real>& below, LayerActivity<Real>& activity,
                           bool has_noise_below, double dt)
    : kind_(std::get<LatentEquilibriumLayer::Pool>(layer.kind).kind),
      window_(window),
      below_(below),
      layer_(activity),
      has_noise_below_(has_noise_below) {
  if (layer.noise.has_value()) {
    noise_.emplace(*layer.noise, layer.name, activity.size, activity.batch, dt);
  }
}

template <class Real>
void PoolLayer<Real>::WantMemory(Arena& arena) {
  if (is_max()) arena.Want(&winners_, SaturatingMul(layer_.batch, layer_.size));
  if (has_noise()) arena.Want(&xi_total_, layer_.count());
  if (noise_.has_value()) noise_->WantMemory(arena);
}

template <class Real>
void PoolLayer<Real>::Register(VariableTable& variables) {
  if (noise_.has_value()) noise_->Register(variables, layer_.shape);
  if (!has_noise()) return;
  variables.Add(layer_.Show("xi_total", Role::kState, xi_total_,
                            "noise of the pooled rates, with that of the layer below"));
  layer_.noise = xi_total_;
}

template <class Real>
void PoolLayer<Real>::ResetState() {
  if (xi_total_ != nullptr) std::fill_n(xi_total_, layer_.count(), Real{0});
  if (noise_.has_value()) noise_->ResetState();
}

template <class Real>
void PoolLayer<Real>::KeyNoise(uint64_t seed) {
  if (noise_.has_value()) noise_->Key(seed);
}

template <class Real>
void PoolLayer<Real>::ClearPadding() {
  if (xi_total_ != nullptr) FillPadding(layer_.layout, Real{0}, xi_total_);
  if (noise_.has_value()) noise_->ClearPadding();
}

/// here ← the window's winner in, or mean of, an array of the layer below, in one trial.
template <class Real>
void PoolLayer<Real>::Take(const Real* below, Real* here, int64_t trial) const {
  const Real* const from = below + trial * below_.stride;
  Real* const to = here + trial * layer_.stride;
  if (!is_max()) return TakeMean(window_, from, to);
  const int64_t* const winners = winners_ + trial * layer_.size;
  for (int64_t i = 0; i < layer_.size; ++i) to[i] = from[winners[i]];
}

template <class Real>
void PoolLayer<Real>::AdvanceNoise(const Step& step) {
  for (int64_t trial = 0; trial < layer_.batch; ++trial) {
    if (is_max()) {
      FindGreatest(window_, below_.r + trial * below_.stride, winners_ + trial * layer_.size);
    }
    if (has_noise_below_) Take(below_.noise, xi_total_, trial);
  }
  if (!noise_.has_value()) return;
  noise_->Advance(step);
  if (!has_noise_below_) layer_.All(xi_total_).setZero();
  layer_.All(xi_total_) += layer_.AllIn(noise_->xi());
}

template <class Real>
void PoolLayer<Real>::HandErrorsOn(int64_t trial) {
  layer_.Of(layer_.e, trial) = layer_.In(layer_.e_sum, trial);
  if (!layer_.above_has_slope) {
    Gate<Real>(layer_.In(layer_.r_prime, trial), layer_.Of(layer_.e, trial));
  }
  if (below_.is_input()) return;
  const Real* const e = layer_.e + trial * layer_.stride;
  Real* const e_sum = below_.e_sum + trial * below_.stride;
  if (!is_max()) return SpreadMean(window_, e, e_sum);
  const int64_t* const winners = winners_ + trial * layer_.size;
  for (int64_t i = 0; i < layer_.size; ++i) e_sum[winners[i]] += e[i];
}

template <class Real>
void PoolLayer<Real>::TakeRates(int64_t trial) {
  Take(below_.r, layer_.r, trial);
  if (noise_.has_value()) layer_.Of(layer_.r, trial) += layer_.In(noise_->xi(), trial);
  if (is_max() && !below_.is_input()) {
    Take(below_.r_prime, layer_.r_prime, trial);
  } else {
    std::fill_n(layer_.r_prime + trial * layer_.stride, layer_.size, Real{1});
  }
}

template <class Real>
void PoolLayer<Real>::Advance(const Step& /*step*/, bool /*learning*/, bool /*started*/) {
  if (!below_.is_input()) std::fill_n(below_.e_sum, below_.count(), Real{0});
  for (int64_t trial = 0; trial < layer_.batch; ++trial) {
    HandErrorsOn(trial);
    TakeRates(trial);
  }
}

template class PoolLayer<float>;
template class PoolLayer<double>;

}  // namespace prospero
