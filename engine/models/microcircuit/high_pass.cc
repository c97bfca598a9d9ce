#include "engine/models/microcircuit/high_pass.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/describe.h"
#include "engine/core/kernels.h"

namespace prospero::microcircuit {

template <class Real>
HighPassedRates<Real>::HighPassedRates(std::string layer, int64_t size, int64_t batch,
                                       double tau_hp, double dt)
    : layer_(std::move(layer)), size_(size), batch_(batch), first_tau_hp_(tau_hp), dt_(dt) {}

template <class Real>
void HighPassedRates<Real>::WantMemory(Arena& arena) {
  h_.WantMemory(batch_, size_, arena);
  arena.Want(&tau_hp_, 1);
}

template <class Real>
void HighPassedRates<Real>::Register(VariableTable& variables) {
  variables.Add(Describe(absl::StrCat(layer_, ".h"), Role::kState, {batch_, size_}, h_.data(), "1",
                         "high-pass filtered rate"));
  *tau_hp_ = static_cast<Real>(first_tau_hp_);
  const int tau_hp = variables.Add(Describe(absl::StrCat(layer_, ".tau_hp"), Role::kParameter, {},
                                            tau_hp_, "ms", "time constant of the high-pass"));
  variables.Bound(tau_hp, dt_, std::numeric_limits<double>::infinity());
}

template <class Real>
void HighPassedRates<Real>::Move(const Soma<Real>& soma) {
  HighPass<Real>(soma.r().all(), soma.r_before().all(), static_cast<Real>(dt_) / *tau_hp_,
                 h_.all());
}

template class HighPassedRates<float>;
template class HighPassedRates<double>;

}  // namespace prospero::microcircuit
