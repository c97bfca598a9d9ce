// What a population does in a step, in the order of the equations in gle.h.

#include "engine/core/activation.h"
#include "engine/core/loss.h"
#include "engine/core/weight_pass.h"
#include "engine/models/gle/neurons.h"

namespace prospero {

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
void Neurons<Real>::Move(const Step& step, bool learning) {
  const Real dt = static_cast<Real>(step.dt);
  if (noise_.has_value()) noise_->Advance(step);
  for (int64_t trial = 0; trial < batch_; ++trial) {
    const int64_t at = trial * stride_;
    if (noise_.has_value()) Of(s_, trial) += ConstRow<Real>(noise_->xi() + at, stride_);
    Drive<Real>(*gamma_, In(e_, trial), Of(s_, trial));
    Leak<Real>(In(s_, trial), In(tau_m_), In(u_, trial), Of(s_, trial));
    LookAhead<Real>(In(s_, trial), In(tau_r_), dt, Of(u_, trial), Of(u_ahead_, trial));
    if (h_ != nullptr) Of(dot_, 0) = In(r_, trial);
    Activate(spec_.activation, u_ahead_ + at, size(), stride_, r_ + at, r_prime_ + at);
    if (h_ != nullptr) {
      HighPass<Real>(In(r_, trial), In(dot_), dt / *tau_hp_, Of(h_, trial));
    }
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

template void Neurons<float>::SenseErrors(float dt);
template void Neurons<double>::SenseErrors(double dt);
template void Neurons<float>::Move(const Step& step, bool learning);
template void Neurons<double>::Move(const Step& step, bool learning);
template bool Neurons<float>::finite() const;
template bool Neurons<double>::finite() const;
template double Neurons<float>::Energy() const;
template double Neurons<double>::Energy() const;

}  // namespace prospero
