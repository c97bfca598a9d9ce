#include "engine/models/gle/neurons.h"

#include <algorithm>

#include "engine/core/activation.h"
#include "engine/core/initializer.h"
#include "engine/core/loss.h"

namespace prospero {

template <class Real>
Neurons<Real>::Neurons(const GlePopulation& spec, int64_t fan_in, int64_t batch, double dt)
    : spec_(spec),
      fan_in_(fan_in),
      batch_(batch),
      stride_(PaddedRow<Real>(spec.size)),
      per_trial_{batch, spec.size, batch, stride_},
      per_neuron_{1, spec.size, 1, stride_},
      dt_(static_cast<Real>(dt)),
      tau_min_(static_cast<Real>(spec.tau_min > 0 ? spec.tau_min : dt)),
      bias_learner_(spec.bias_plasticity),
      tau_m_learner_(spec.tau_m_plasticity) {}

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
    const FirstValues values(first, fan_in_, seed, spec_.name + ".b");
    for (int64_t i = 0; i < size(); ++i) b_[i] = static_cast<Real>(values(i));
  }
  if (tau_is_bounded()) SetTau();
  bias_learner_.Forget();
  tau_m_learner_.Forget();
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

template <class Real>
void Neurons<Real>::ReceiveTarget(int64_t trial) {
  const int64_t at = trial * stride_;
  Of(y_, trial) = In(r_, trial);
  if (*teach_ == Real{0}) return;
  const Real weight = trial_weight_[trial];
  const double loss =
      Teach(spec_.loss, *beta_ * weight, target_ + at, y_ + at, size(), inst_e_ + at);
  *loss_ += static_cast<Real>(static_cast<double>(weight) * loss / static_cast<double>(batch_));
}

template <class Real>
void Neurons<Real>::SenseErrors(Real dt) {
  *loss_ = 0;
  for (int64_t trial = 0; trial < batch_; ++trial) {
    Of(inst_e_, trial) = In(e_bottom_, trial);
    if (is_output()) ReceiveTarget(trial);
    Gate<Real>(In(r_prime_, trial), Of(inst_e_, trial));
    if (spec_.prospective_errors) {
      Leak<Real>(In(inst_e_, trial), In(tau_r_), In(v_, trial), Of(dot_, 0));
      LookAhead<Real>(In(dot_), In(tau_m_), dt, Of(v_, trial), Of(e_, trial));
    } else {
      Of(v_, trial) = In(inst_e_, trial);
      Of(e_, trial) = In(inst_e_, trial);
    }
    Of(e_bottom_, trial).setZero();
    Of(s_, trial) = In(b_);
  }
}

template <class Real>
void Neurons<Real>::Move(Real dt, bool learning) {
  for (int64_t trial = 0; trial < batch_; ++trial) {
    const int64_t at = trial * stride_;
    Drive<Real>(*gamma_, In(e_, trial), Of(s_, trial));
    Leak<Real>(In(s_, trial), In(tau_m_), In(u_, trial), Of(s_, trial));
    LookAhead<Real>(In(s_, trial), In(tau_r_), dt, Of(u_, trial), Of(u_ahead_, trial));
    Activate(spec_.activation, u_ahead_ + at, size(), stride_, r_ + at, r_prime_ + at);
  }
  LearnBias(learning);
  LearnTau(learning);
}

template <class Real>
void Neurons<Real>::LearnBias(bool learning) {
  const Update<Real> update = bias_learner_.Next(learning);
  if (update.rule == Rule::kFixed) return;
  Of(dot_, 0).setZero();
  const Real one_over_batch = Real{1} / static_cast<Real>(batch_);
  for (int64_t trial = 0; trial < batch_; ++trial) {
    AddBiasGradient<Real>(In(e_, trial), one_over_batch, Of(dot_, 0));
  }
  UpdateArray(update, dot_, stride_, b_);
}

template <class Real>
void Neurons<Real>::LearnTau(bool learning) {
  const Update<Real> update = tau_m_learner_.Next(learning);
  if (update.rule != Rule::kFixed) {
    Of(dot_, 0).setZero();
    const Real one_over_batch = Real{1} / static_cast<Real>(batch_);
    for (int64_t trial = 0; trial < batch_; ++trial) {
      AddTauGradient<Real>(In(e_, trial), In(s_, trial), one_over_batch, Of(dot_, 0));
    }
    UpdateArray(update, dot_, stride_, tau_m_);
  }
  if (!learning || !tau_is_bounded()) return;
  KeepAbove<Real>(tau_min_, Of(tau_m_, 0));
  KeepAbove<Real>(tau_min_, Of(tau_r_, 0));
}

template <class Real>
bool Neurons<Real>::finite() const {
  for (int64_t trial = 0; trial < batch_; ++trial) {
    if (!IsFinite<Real>(In(u_, trial)) || !IsFinite<Real>(In(e_, trial))) return false;
  }
  return true;
}

template <class Real>
double Neurons<Real>::Energy() const {
  double sum = 0;
  for (int64_t trial = 0; trial < batch_; ++trial) {
    sum += In(e_, trial).template cast<double>().square().sum();
  }
  return 0.5 * sum / static_cast<double>(batch_);
}

template class Neurons<float>;
template class Neurons<double>;

}  // namespace prospero
