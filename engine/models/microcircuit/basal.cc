#include "engine/models/microcircuit/basal.h"

#include "absl/strings/str_cat.h"
#include "engine/core/describe.h"
#include "engine/core/kernels.h"

namespace prospero::microcircuit {

template <class Real>
Basal<Real>::Basal(const MicrocircuitSpec& spec, const MicrocircuitLayer& layer,
                   const MicrocircuitLayer& below, int64_t batch, double prediction, double dt)
    : spec_(spec),
      layer_(layer),
      below_(below),
      batch_(batch),
      prediction_(static_cast<Real>(prediction)),
      dt_(static_cast<Real>(dt)),
      W_(absl::StrCat(layer.name, ".W"), layer.size, below.size, batch, layer.forward.initializer,
         layer.forward.plasticity) {}

template <class Real>
void Basal<Real>::WantMemory(Arena& arena) {
  W_.WantMemory(arena);
  for (NeuronArray<Real>* array : {&b_, &difference_, &slope_}) {
    array->WantMemory(batch_, layer_.size, arena);
  }
  if (spec_.tau_postsynaptic > 0) difference_low_.WantMemory(batch_, layer_.size, arena);
  if (spec_.tau_presynaptic > 0) r_low_.WantMemory(batch_, below_.size, arena);
}

template <class Real>
Variable Basal<Real>::Register(VariableTable& variables) {
  const auto add = [&](const MicrocircuitLayer& layer, absl::string_view symbol,
                       NeuronArray<Real>& array, absl::string_view description) {
    variables.Add(Describe(absl::StrCat(layer.name, ".", symbol), Role::kState,
                           {batch_, layer.size}, array.data(), "1", description));
  };
  add(layer_, "basal", b_, "potential of the basal dendrites");
  if (difference_low_.exists()) {
    add(layer_, "difference_low", difference_low_, "low-pass of what the basal synapses learn");
  }
  if (r_low_.exists()) {
    add(below_, "r_low", r_low_, "low-pass of the rate that the synapses upwards learn from");
  }
  return W_.Register("basal weights, [size, size below]", true, variables);
}

template <class Real>
void Basal<Real>::ResetState() {
  b_.SetZero();
  if (difference_low_.exists()) difference_low_.SetZero();
  if (r_low_.exists()) r_low_.SetZero();
}

template <class Real>
void Basal<Real>::ResetWeights(uint64_t seed) {
  W_.Reset(seed);
}

template <class Real>
void Basal<Real>::ClearPadding() {
  W_.ClearPadding();
  for (NeuronArray<Real>* array : {&b_, &difference_, &difference_low_, &r_low_}) {
    array->ClearPadding();
  }
}

template <class Real>
void Basal<Real>::Compare(const Soma<Real>& soma) {
  difference_.all() = prediction_ * b_.all();
  if (spec_.comparison == MicrocircuitSpec::Comparison::kPotentials) {
    difference_.all() = soma.u_ahead().all() - difference_.all();
  } else {
    ActivateTrials(soma.phi(), difference_, difference_, slope_);
    difference_.all() = soma.r().all() - difference_.all();
  }
  if (!difference_low_.exists()) return;
  const auto mix = static_cast<Real>(dt_ / spec_.tau_postsynaptic);
  LowPass<Real>(difference_.constant(), mix, difference_low_.all());
  difference_.all() = difference_low_.constant();
}

template <class Real>
const Real* Basal<Real>::LowPassed(const Rates<Real>& below) {
  if (!r_low_.exists()) return below.r_before;
  const auto mix = static_cast<Real>(dt_ / spec_.tau_presynaptic);
  LowPass<Real>({below.r_before, r_low_.batch() * r_low_.stride()}, mix, r_low_.all());
  return r_low_.data();
}

template <class Real>
void Basal<Real>::Transmit(const Rates<Real>& below, const Soma<Real>& soma, const Step& step,
                           bool learning) {
  const Real* learn_pre = below.r_before;
  if (W_.Begin(step, learning)) {
    Compare(soma);
    learn_pre = LowPassed(below);
  }
  b_.SetZero();
  W_.Transmit(below.r, b_.data(), difference_.data(), learn_pre);
}

template class Basal<float>;
template class Basal<double>;

}  // namespace prospero::microcircuit
