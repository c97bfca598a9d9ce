#include "engine/models/microcircuit/interneurons.h"

#include "absl/strings/str_cat.h"
#include "engine/core/describe.h"
#include "engine/core/kernels.h"

namespace prospero::microcircuit {

template <class Real>
Interneurons<Real>::Interneurons(const MicrocircuitSpec& spec, const MicrocircuitLayer& layer,
                                 const MicrocircuitLayer& above, const Membrane& membrane,
                                 int64_t batch, double dt)
    : spec_(spec),
      membrane_(membrane),
      dt_(static_cast<Real>(dt)),
      soma_(absl::StrCat(layer.name, "_inter"), above.size, batch, above.activation,
            spec.prospectivity * membrane.tau_interneuron, layer.interneuron_potential),
      V_(absl::StrCat(layer.name, ".V"), above.size, layer.size, batch,
         layer.to_interneurons.initializer, layer.to_interneurons.plasticity) {}

template <class Real>
void Interneurons<Real>::WantMemory(Arena& arena) {
  soma_.WantMemory(arena);
  V_.WantMemory(arena);
  for (NeuronArray<Real>* array : {&d_, &difference_, &slope_}) {
    array->WantMemory(soma_.batch(), soma_.size(), arena);
  }
  if (spec_.tau_dendrite > 0) s_.WantMemory(soma_.batch(), soma_.size(), arena);
}

template <class Real>
void Interneurons<Real>::Register(VariableTable& variables) {
  soma_.Register(variables);
  variables.Add(Describe(absl::StrCat(soma_.name(), ".dendrite"), Role::kState,
                         {soma_.batch(), soma_.size()}, d_.data(), "1",
                         "potential of the dendrites"));
  V_.Register("weights to the interneurons, [size above, size]", true, variables);
}

template <class Real>
void Interneurons<Real>::ResetState(uint64_t seed) {
  soma_.ResetState(seed);
  d_.SetZero();
}

template <class Real>
void Interneurons<Real>::ResetWeights(uint64_t seed) {
  V_.Reset(seed);
}

template <class Real>
void Interneurons<Real>::ClearPadding() {
  soma_.ClearPadding();
  V_.ClearPadding();
  for (NeuronArray<Real>* array : {&d_, &difference_, &s_}) array->ClearPadding();
}

template <class Real>
void Interneurons<Real>::Compare() {
  difference_.all() = static_cast<Real>(membrane_.dendrite) * d_.constant();
  ActivateTrials(soma_.phi(), difference_, difference_, slope_);
  difference_.all() = soma_.r().all() - difference_.constant();
}

template <class Real>
void Interneurons<Real>::Transmit(const Rates<Real>& layer, const Step& step, bool learning) {
  if (V_.Begin(step, learning)) Compare();
  NeuronArray<Real>& s = s_.exists() ? s_ : d_;
  s.SetZero();
  V_.Transmit(layer.r, s.data(), difference_.data(), layer.r_before);
  if (!s_.exists()) return;
  LowPass<Real>(s_.constant(), static_cast<Real>(dt_ / spec_.tau_dendrite), d_.all());
}

template <class Real>
void Interneurons<Real>::Move(const Soma<Real>& above) {
  const auto as = [](double x) { return static_cast<Real>(x); };
  Pull<Real>(as(membrane_.g.dendrite), d_.constant(), as(membrane_.g.interneuron),
             above.u_ahead().all(), as(membrane_.tau_interneuron), soma_.u().all(),
             soma_.u_dot().all());
  soma_.Move(dt_);
}

template class Interneurons<float>;
template class Interneurons<double>;

}  // namespace prospero::microcircuit
