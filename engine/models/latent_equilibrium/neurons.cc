#include "engine/models/latent_equilibrium/neurons.h"

#include <algorithm>

#include "engine/core/activation.h"
#include "engine/core/initializer.h"
#include "engine/core/normal.h"
#include "engine/core/random.h"

namespace prospero {

template <class Real>
LayerNeurons<Real>::LayerNeurons(const LatentEquilibriumSpec& spec,
                                 const LatentEquilibriumLayer& layer, LayerActivity<Real>& activity,
                                 int64_t channels, int64_t fan_in, double dt)
    : spec_(spec),
      layer_spec_(layer),
      layer_(activity),
      channels_(channels),
      places_(activity.size / channels),
      fan_in_(fan_in),
      dt_(dt),
      per_neuron_{1, activity.size, 1, activity.stride},
      per_channel_{1, channels, 1, PaddedRow<Real>(channels)},
      bias_learner_(layer.bias.has_value() ? layer.bias->plasticity : absl::nullopt),
      tau_m_learner_(layer.tau_m_plasticity),
      rate_noise_stream_(StreamOf(activity.Name("rate_noise"))) {
  if (layer.noise.has_value()) {
    noise_.emplace(*layer.noise, layer.name, activity.size, activity.batch, dt);
  }
}

template <class Real>
void LayerNeurons<Real>::WantMemory(Arena& arena) {
  for (Real** array : {&u_, &u_ahead_, &s_}) arena.Want(array, layer_.count());
  if (spec_.errors_from_rate_potential) arena.Want(&e_sent_, layer_.count());
  if (layer_spec_.alignment.has_value()) {
    arena.Want(&h_, layer_.count());
    arena.Want(&tau_hp_, 1);
  }
  for (Real** array : {&b_, &b_dot_}) arena.Want(array, per_channel_.stride);
  for (Real** array : {&tau_, &tau_m_, &drive_, &before_}) arena.Want(array, layer_.stride);
  if (layer_spec_.rate_noise > 0) {
    arena.Want(&white_, layer_.stride);
    arena.Want(&rate_noise_, 1);
  }
  if (noise_.has_value()) noise_->WantMemory(arena);
  bias_learner_.WantMemory(per_channel_, arena);
  tau_m_learner_.WantMemory(per_neuron_, arena);
}

template <class Real>
void LayerNeurons<Real>::ResetState() {
  for (Real* array : {u_, u_ahead_, s_, e_sent_, h_}) {
    if (array != nullptr) std::fill_n(array, layer_.count(), Real{0});
  }
  if (noise_.has_value()) noise_->ResetState();
  if (spec_.order != LatentEquilibriumSpec::Order::kDynamics) return;
  for (int64_t trial = 0; trial < layer_.batch; ++trial) {
    const int64_t at = trial * layer_.stride;
    Activate(layer_spec_.activation, u_ahead_ + at, layer_.size, layer_.stride, layer_.r + at,
             layer_.r_prime + at);
  }
}

template <class Real>
void LayerNeurons<Real>::ResetWeights(uint64_t seed) {
  if (layer_spec_.bias.has_value()) {
    const Initializer first = layer_spec_.bias->initializer.value_or(Initializer());
    const FirstValues values(first, fan_in_, seed, layer_.Name("b"));
    for (int64_t i = 0; i < channels_; ++i) b_[i] = static_cast<Real>(values(i));
  }
  if (tau_m_changes()) SetTau();
  if (layer_spec_.tau_spread > 0) {
    SpreadTau(seed, "tau", Real{0}, tau_);
    SpreadTau(seed, "tau_m", static_cast<Real>(dt_), tau_m_);
  }
  bias_learner_.Forget();
  tau_m_learner_.Forget();
}

template <class Real>
void LayerNeurons<Real>::SetTau() {
  const auto set = [this](const std::vector<double>& values, Real* tau) {
    for (int64_t i = 0; i < layer_.size; ++i) {
      tau[i] = static_cast<Real>(values[values.size() == 1 ? 0 : static_cast<size_t>(i)]);
    }
  };
  set(layer_spec_.tau, tau_);
  set(layer_spec_.tau_m.empty() ? layer_spec_.tau : layer_spec_.tau_m, tau_m_);
}

template <class Real>
void LayerNeurons<Real>::SpreadTau(uint64_t seed, absl::string_view symbol, Real minimum,
                                   Real* tau) const {
  const RandomStream random(seed, layer_.Name(symbol));
  for (int64_t i = 0; i < layer_.size; ++i) {
    const double factor = 1.0 + layer_spec_.tau_spread * random.Normal(i);
    const double spread = std::clamp(static_cast<double>(tau[i]) * factor, 1.0, 1000.0);
    tau[i] = std::max(static_cast<Real>(spread), minimum);
  }
}

template <class Real>
void LayerNeurons<Real>::KeyNoise(uint64_t seed) {
  seed_ = seed;
  if (noise_.has_value()) noise_->Key(seed);
}

template <class Real>
void LayerNeurons<Real>::ClearPadding() {
  for (Real* array : {u_, u_ahead_, s_, e_sent_, h_}) {
    if (array != nullptr) FillPadding(layer_.layout, Real{0}, array);
  }
  for (Real* array : {b_, b_dot_}) FillPadding(per_channel_, Real{0}, array);
  for (Real* array : {drive_, before_}) FillPadding(per_neuron_, Real{0}, array);
  // The padding only must not divide by 0.
  for (Real* tau : {tau_, tau_m_}) FillPadding(per_neuron_, Real{1}, tau);
  if (noise_.has_value()) noise_->ClearPadding();
  bias_learner_.ClearPadding();
  tau_m_learner_.ClearPadding();
}

template <class Real>
bool LayerNeurons<Real>::finite() const {
  return IsFinite<Real>(layer_.AllIn(u_)) && IsFinite<Real>(layer_.AllIn(layer_.e));
}

template class LayerNeurons<float>;
template class LayerNeurons<double>;

}  // namespace prospero
