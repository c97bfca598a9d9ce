#include "engine/models/gle/neurons.h"

#include <algorithm>

#include "engine/core/initializer.h"

namespace prospero {

template <class Real>
Neurons<Real>::Neurons(const GlePopulation& spec, const Afferents& afferents, int64_t batch,
                       double dt)
    : spec_(spec),
      afferents_(afferents),
      batch_(batch),
      stride_(PaddedRow<Real>(spec.size)),
      per_trial_{batch, spec.size, batch, stride_},
      per_neuron_{1, spec.size, 1, stride_},
      dt_(static_cast<Real>(dt)),
      tau_min_(static_cast<Real>(spec.tau_min > 0 ? spec.tau_min : dt)),
      bias_learner_(spec.bias_plasticity),
      tau_m_learner_(spec.tau_m_plasticity) {
  if (spec.noise.has_value()) noise_.emplace(*spec.noise, spec.name, spec.size, batch, dt);
}

template <class Real>
void Neurons<Real>::WantMemory(Arena& arena) {
  const int64_t trials = SaturatingMul(batch_, stride_);
  arena.Want(&r_, trials);
  if (is_input()) return;
  for (Real** array : {&r_prime_, &u_, &v_, &e_bottom_, &inst_e_, &e_, &u_ahead_, &s_}) {
    arena.Want(array, trials);
  }
  for (Real** array : {&b_, &tau_m_, &tau_r_, &dot_}) arena.Want(array, stride_);
  for (Real** scalar : {&gamma_, &loss_}) arena.Want(scalar, 1);
  bias_learner_.WantMemory(per_neuron_, arena);
  tau_m_learner_.WantMemory(per_neuron_, arena);
  if (noise_.has_value()) noise_->WantMemory(arena);
  if (afferents_.tau_hp > 0) {
    arena.Want(&h_, trials);
    arena.Want(&tau_hp_, 1);
  }
  if (!is_output()) return;
  for (Real** array : {&y_, &target_}) arena.Want(array, trials);
  for (Real** scalar : {&teach_, &beta_}) arena.Want(scalar, 1);
  arena.Want(&trial_weight_, batch_);
}

template <class Real>
void Neurons<Real>::ResetState() {
  const int64_t trials = batch_ * stride_;
  std::fill_n(r_, trials, Real{0});
  if (is_input()) return;
  for (Real* array : {r_prime_, u_, v_, e_bottom_, inst_e_, e_, u_ahead_, s_}) {
    std::fill_n(array, trials, Real{0});
  }
  *loss_ = 0;
  if (noise_.has_value()) noise_->ResetState();
  if (h_ != nullptr) std::fill_n(h_, trials, Real{0});
  if (!is_output()) return;
  for (Real* array : {y_, target_}) std::fill_n(array, trials, Real{0});
  *teach_ = 0;
  *beta_ = static_cast<Real>(spec_.beta);
  std::fill_n(trial_weight_, batch_, Real{1});
}

template <class Real>
void Neurons<Real>::ResetWeights(uint64_t seed) {
  if (is_input()) return;
  if (spec_.has_bias) {
    const Initializer first = spec_.bias_initializer.value_or(Initializer());
    const FirstValues values(first, afferents_.fan_in, seed, spec_.name + ".b");
    for (int64_t i = 0; i < size(); ++i) b_[i] = static_cast<Real>(values(i));
  }
  if (tau_is_bounded()) SetTau();
  bias_learner_.Forget();
  tau_m_learner_.Forget();
}

template <class Real>
void Neurons<Real>::KeyNoise(uint64_t seed) {
  if (noise_.has_value()) noise_->Key(seed);
}

template <class Real>
void Neurons<Real>::ClearPadding() {
  FillPadding(per_trial_, Real{0}, r_);
  if (is_input()) return;
  for (Real* array : {r_prime_, u_, v_, e_bottom_}) FillPadding(per_trial_, Real{0}, array);
  FillPadding(per_neuron_, Real{0}, b_);
  // The padding only must not divide by 0.
  for (Real* tau : {tau_m_, tau_r_}) FillPadding(per_neuron_, Real{1}, tau);
  bias_learner_.ClearPadding();
  tau_m_learner_.ClearPadding();
  if (noise_.has_value()) noise_->ClearPadding();
  if (h_ != nullptr) FillPadding(per_trial_, Real{0}, h_);
}

template <class Real>
void Neurons<Real>::SetTau() {
  const auto set = [this](const std::vector<double>& values, Real* tau) {
    for (int64_t i = 0; i < size(); ++i) {
      tau[i] = static_cast<Real>(values[values.size() == 1 ? 0 : static_cast<size_t>(i)]);
    }
  };
  set(spec_.tau_m, tau_m_);
  set(spec_.tau_r.empty() ? spec_.tau_m : spec_.tau_r, tau_r_);
}

template class Neurons<float>;
template class Neurons<double>;

}  // namespace prospero
