#include "engine/models/microcircuit/layer.h"

#include "engine/models/microcircuit/structure.h"

namespace prospero::microcircuit {

template <class Real>
Layer<Real>::Layer(const MicrocircuitSpec& spec, size_t index, const Membrane& membrane,
                   const NetworkOptions& options)
    : soma(spec.layers[index].name, spec.layers[index].size, options.batch_size,
           spec.layers[index].activation,
           spec.prospectivity * (IsHidden(spec, index) ? membrane.tau_hidden : membrane.tau_output),
           spec.layers[index].potential),
      basal(spec, spec.layers[index], spec.layers[index - 1], options.batch_size,
            IsHidden(spec, index) ? membrane.basal_hidden : membrane.basal_output, options.dt),
      membrane_(membrane),
      dt_(static_cast<Real>(options.dt)) {
  const MicrocircuitLayer& layer = spec.layers[index];
  if (const auto tau_hp = TauOfHighPass(spec, index)) {
    high_pass.emplace(layer.name, layer.size, options.batch_size, *tau_hp, options.dt);
  }
  if (!IsHidden(spec, index)) {
    teacher.emplace(layer.name, layer.size, options.batch_size);
    return;
  }
  const size_t above = Above(spec, index);
  apical.emplace(spec, layer, spec.layers[above], above == OutputOf(spec), options.batch_size,
                 options.dt);
  interneurons.emplace(spec, layer, spec.layers[above], membrane, options.batch_size, options.dt);
}

template <class Real>
void Layer<Real>::WantMemory(Arena& arena) {
  soma.WantMemory(arena);
  basal.WantMemory(arena);
  if (apical.has_value()) apical->WantMemory(arena);
  if (interneurons.has_value()) interneurons->WantMemory(arena);
  if (high_pass.has_value()) high_pass->WantMemory(arena);
  if (teacher.has_value()) teacher->WantMemory(arena);
}

template <class Real>
void Layer<Real>::Register(VariableTable& variables) {
  soma.Register(variables);
  W = basal.Register(variables);
  if (apical.has_value()) B = apical->Register(variables);
  if (interneurons.has_value()) interneurons->Register(variables);
  if (high_pass.has_value()) high_pass->Register(variables);
  if (teacher.has_value()) teacher->Register(variables);
}

template <class Real>
void Layer<Real>::ResetState(uint64_t seed) {
  soma.ResetState(seed);
  basal.ResetState();
  if (apical.has_value()) apical->ResetState();
  if (interneurons.has_value()) interneurons->ResetState(seed);
  if (high_pass.has_value()) high_pass->ResetState(soma);
  if (teacher.has_value()) teacher->ResetState();
}

template <class Real>
void Layer<Real>::ResetWeights(uint64_t seed) {
  basal.ResetWeights(seed);
  if (apical.has_value()) apical->ResetWeights(seed);
  if (interneurons.has_value()) interneurons->ResetWeights(seed);
}

template <class Real>
void Layer<Real>::ClearPadding() {
  soma.ClearPadding();
  basal.ClearPadding();
  if (apical.has_value()) apical->ClearPadding();
  if (interneurons.has_value()) interneurons->ClearPadding();
  if (high_pass.has_value()) high_pass->ClearPadding();
  if (teacher.has_value()) teacher->ClearPadding();
}

template <class Real>
void Layer<Real>::Fire() {
  soma.Fire(dt_);
  if (interneurons.has_value()) interneurons->Fire();
}

template <class Real>
void Layer<Real>::TransmitFeedback(const Layer& above, const Step& step, bool learning) {
  const Real* const h = above.high_pass.has_value() ? above.high_pass->h() : nullptr;
  apical->Transmit({soma, above.soma, h, interneurons->soma()}, step, learning);
  interneurons->Transmit(soma.rates(), step, learning);
}

template <class Real>
void Layer<Real>::TransmitForward(const Rates<Real>& below, const Step& step, bool learning) {
  basal.Transmit(below, soma, step, learning);
}

template <class Real>
void Layer<Real>::Move(const Layer* above) {
  const auto as = [](double x) { return static_cast<Real>(x); };
  const ConstRow<Real> b = basal.b().all(), u = soma.u().all();
  const auto g_basal = as(membrane_.g.basal), tau_output = as(membrane_.tau_output);
  Row<Real> u_dot = soma.u_dot().all();
  if (above != nullptr) {
    Pull<Real>(g_basal, b, as(membrane_.g.apical), apical->with_noise().all(),
               as(membrane_.tau_hidden), u, u_dot);
    interneurons->Move(above->soma);
  } else if (teacher->teaches()) {
    Pull<Real>(g_basal, b, as(membrane_.g.target), teacher->target().all(), tau_output, u, u_dot);
  } else {
    Relax<Real>(as(membrane_.basal_output), b, tau_output, u, u_dot);
  }
  soma.Move(dt_);
  if (high_pass.has_value()) high_pass->Move(soma);
}

template <class Real>
bool Layer<Real>::finite() const {
  return soma.finite() && (!interneurons.has_value() || interneurons->soma().finite());
}

template class Layer<float>;
template class Layer<double>;

}  // namespace prospero::microcircuit
