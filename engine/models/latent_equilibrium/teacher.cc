#include "engine/models/latent_equilibrium/teacher.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/core/describe.h"
#include "engine/core/loss.h"

namespace prospero {

template <class Real>
LayerTeacher<Real>::LayerTeacher(const LatentEquilibriumSpec& spec,
                                 const LayerActivity<Real>& layer)
    : spec_(spec), layer_(layer) {}

template <class Real>
void LayerTeacher<Real>::WantMemory(Arena& arena) {
  arena.Want(&target_, layer_.count());
  if (spec_.tau_target > 0) arena.Want(&target_low_, layer_.count());
  for (Real** scalar : {&teach_, &beta_, &loss_}) arena.Want(scalar, 1);
}

template <class Real>
void LayerTeacher<Real>::Register(VariableTable& variables) {
  const auto scalar = [&](absl::string_view symbol, Real* data, absl::string_view description) {
    return variables.Add(Describe(layer_.Name(symbol), Role::kInput, {}, data, "1", description));
  };
  const int teach = scalar("teach", teach_, "1 while the target holds, else 0");
  variables.Bound(teach, 0.0, 1.0);
  Variable target = layer_.Show("target", Role::kInput, target_, "what the layer should say");
  target.presence = teach;
  variables.Add(std::move(target));
  variables.Bound(scalar("beta", beta_, "strength of the teacher"), 0.0,
                  std::numeric_limits<double>::infinity());
  if (target_low_ == nullptr) return;
  variables.Add(layer_.Show("target_low", Role::kState, target_low_, "low-passed target"));
}

template <class Real>
void LayerTeacher<Real>::Reset() {
  std::fill_n(target_, layer_.count(), Real{0});
  if (target_low_ != nullptr) std::fill_n(target_low_, layer_.count(), Real{0});
  *teach_ = 0;
  *beta_ = static_cast<Real>(spec_.beta);
  *loss_ = 0;
}

template <class Real>
void LayerTeacher<Real>::ClearPadding() {
  FillPadding(layer_.layout, Real{0}, target_);
  if (target_low_ != nullptr) FillPadding(layer_.layout, Real{0}, target_low_);
}

template <class Real>
const Real* LayerTeacher<Real>::Target(Real dt) {
  if (target_low_ == nullptr) return target_;
  LowPass<Real>(layer_.AllIn(target_), dt / static_cast<Real>(spec_.tau_target),
                layer_.All(target_low_));
  return target_low_;
}

template <class Real>
void LayerTeacher<Real>::Teach(Real dt, const Real* u_ahead, Real* e) {
  layer_.All(e).setZero();
  *loss_ = 0;
  if (*teach_ == Real{0}) return;
  const bool of_rate = spec_.target_error == LatentEquilibriumSpec::TargetError::kRate;
  const Real* const compared = of_rate ? layer_.r : u_ahead;
  const Real* const target = Target(dt);
  double loss = 0;
  for (int64_t trial = 0; trial < layer_.batch; ++trial) {
    const int64_t at = trial * layer_.stride;
    loss += prospero::Teach(Loss::kMse, *beta_, target + at, compared + at, layer_.size, e + at);
    if (of_rate) Gate<Real>(layer_.In(layer_.r_prime, trial), layer_.Of(e, trial));
  }
  *loss_ = static_cast<Real>(loss / static_cast<double>(layer_.batch));
}

template class LayerTeacher<float>;
template class LayerTeacher<double>;

}  // namespace prospero
