#include "engine/core/learner.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/describe.h"

namespace prospero {
namespace {

void AddMemory(const Variable& array, absl::string_view suffix, absl::string_view description,
               void* data, VariableTable& variables) {
  Variable memory = array;
  memory.name = absl::StrCat(array.name, suffix);
  memory.unit = std::string("1");
  memory.description = std::string(description);
  memory.role = Role::kWeight;
  memory.data = data;
  variables.Add(std::move(memory));
}

}  // namespace

template <class Real>
void Learner<Real>::WantMemory(const Layout& layout, Arena& arena) {
  if (!exists()) return;
  layout_ = layout;
  for (Real** scalar : {&eta_, &plastic_, &weight_decay_, &clip_, &bound_}) {
    arena.Want(scalar, 1);
  }
  if (plasticity_->optimizer == Optimizer::kLowPass) arena.Want(&mix_, 1);
  if (plasticity_->optimizer == Optimizer::kMomentum) arena.Want(&momentum_, 1);
  if (has_m()) arena.Want(&m_, count());
  if (!is_adam()) return;
  for (Real** scalar : {&beta1_, &beta2_, &epsilon_}) arena.Want(scalar, 1);
  for (double** scalar : {&beta1_power_, &beta2_power_}) arena.Want(scalar, 1);
  arena.Want(&v2_, count());
}

template <class Real>
void Learner<Real>::Register(const Variable& array, VariableTable& variables) {
  if (!exists()) return;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double below_one = std::nextafter(1.0, 0.0);
  const auto parameter = [&](absl::string_view suffix, absl::string_view description, double first,
                             Real* data, double maximum) {
    *data = static_cast<Real>(first);
    const int index = variables.Add(
        Describe(absl::StrCat(array.name, suffix), Role::kParameter, {}, data, "1", description));
    variables.Bound(index, 0.0, maximum);
    return index;
  };
  parameter(".eta", "learning rate, per step", plasticity_->learning_rate, eta_, kInfinity);
  parameter(".plastic", "1: learns; 0: stays", plasticity_->enabled ? 1 : 0, plastic_, 1.0);
  parameter(".weight_decay", "decoupled weight decay", plasticity_->weight_decay, weight_decay_,
            kInfinity);
  parameter(".clip", "bound of each element of the gradient; 0: none", plasticity_->clip, clip_,
            kInfinity);
  parameter(".bound", "bound of each value; 0: none", plasticity_->bound, bound_, kInfinity);
  if (plasticity_->optimizer == Optimizer::kLowPass) {
    const int mix = parameter(".mix", "what the mean of the gradient moves by in a step",
                              plasticity_->mix, mix_, 1.0);
    variables.Bound(mix, std::numeric_limits<Real>::min(), 1.0);
  }
  if (plasticity_->optimizer == Optimizer::kMomentum) {
    parameter(".momentum", "momentum", plasticity_->momentum, momentum_, below_one);
  }
  if (has_m()) AddMemory(array, ".m", "running mean of the gradient", m_, variables);
  if (!is_adam()) return;
  AddMemory(array, ".v2", "running mean of the squared gradient", v2_, variables);
  parameter(".beta1", "Adam's decay of the mean gradient", plasticity_->beta1, beta1_, below_one);
  parameter(".beta2", "Adam's decay of the mean squared gradient", plasticity_->beta2, beta2_,
            below_one);
  const int epsilon =
      parameter(".epsilon", "Adam's epsilon", plasticity_->epsilon, epsilon_, kInfinity);
  variables.Bound(epsilon, std::numeric_limits<Real>::min(), kInfinity);
  const auto power = [&](absl::string_view suffix, double* data) {
    *data = 1.0;
    variables.Add(Describe(absl::StrCat(array.name, suffix), Role::kWeight, {}, data, "1",
                           "Adam's bias correction: beta^t after t updates"));
  };
  power(".beta1_power", beta1_power_);
  power(".beta2_power", beta2_power_);
}

template <class Real>
void Learner<Real>::Forget() {
  if (has_m()) std::fill_n(m_, count(), Real{0});
  if (!is_adam()) return;
  std::fill_n(v2_, count(), Real{0});
  *beta1_power_ = *beta2_power_ = 1.0;
}

template <class Real>
void Learner<Real>::ClearPadding() {
  if (has_m()) FillPadding(layout_, Real{0}, m_);
  if (is_adam()) FillPadding(layout_, Real{0}, v2_);
}

template <class Real>
Update<Real> Learner<Real>::Next(bool learning) {
  Update<Real> update;
  if (!learning || !exists() || *plastic_ == Real{0}) return update;
  update.eta = *eta_;
  update.weight_decay = *weight_decay_;
  const auto or_none = [](Real bound) {
    return bound > Real{0} ? bound : std::numeric_limits<Real>::infinity();
  };
  update.clip = or_none(*clip_);
  update.bound = or_none(*bound_);
  update.m = m_;
  update.v2 = v2_;
  switch (plasticity_->optimizer) {
    case Optimizer::kSgd: {
      const bool plain = *clip_ <= Real{0} && *bound_ <= Real{0} && *weight_decay_ == Real{0};
      update.rule = plain ? Rule::kPlainSgd : Rule::kSgd;
      break;
    }
    case Optimizer::kMomentum:
      update.rule = Rule::kMomentum;
      update.momentum = *momentum_;
      break;
    case Optimizer::kAdam:
      update.rule = Rule::kAdam;
      update.beta1 = *beta1_;
      update.beta2 = *beta2_;
      update.epsilon = *epsilon_;
      *beta1_power_ *= static_cast<double>(*beta1_);
      *beta2_power_ *= static_cast<double>(*beta2_);
      update.m_scale = static_cast<Real>(1.0 / (1.0 - *beta1_power_));
      update.v2_scale = static_cast<Real>(1.0 / std::sqrt(1.0 - *beta2_power_));
      break;
    case Optimizer::kLowPass:
      update.rule = Rule::kLowPass;
      update.mix = *mix_;
      break;
  }
  return update;
}

template class Learner<float>;
template class Learner<double>;

}  // namespace prospero
