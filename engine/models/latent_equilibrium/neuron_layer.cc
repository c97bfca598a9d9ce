#include "engine/models/latent_equilibrium/neuron_layer.h"

#include "engine/core/kernels.h"

namespace prospero {

template <class Real>
NeuronLayer<Real>::NeuronLayer(const LatentEquilibriumSpec& spec,
                               const LatentEquilibriumLayer& layer,
                               const absl::optional<Window>& window, LayerActivity<Real>& below,
                               LayerActivity<Real>& activity, const LayerActivity<Real>& output,
                               double dt)
    : spec_(spec),
      layer_(activity),
      is_direct_(spec.feedback == FeedbackPath::kDirect && &activity != &output),
      neurons_(spec, layer, activity, activity.shape[0],
               window.has_value() ? window->patch() : below.size, dt),
      synapses_(spec, layer, window, below, activity, output) {
  if (&activity == &output) teacher_.emplace(spec, activity);
}

template <class Real>
void NeuronLayer<Real>::WantMemory(Arena& arena) {
  neurons_.WantMemory(arena);
  synapses_.WantMemory(arena);
  if (teacher_.has_value()) teacher_->WantMemory(arena);
}

template <class Real>
void NeuronLayer<Real>::Register(VariableTable& variables) {
  neurons_.Register(variables);
  synapses_.Register(variables);
  if (teacher_.has_value()) teacher_->Register(variables);
}

template <class Real>
void NeuronLayer<Real>::ResetState() {
  neurons_.ResetState();
  if (teacher_.has_value()) teacher_->Reset();
}

template <class Real>
void NeuronLayer<Real>::ResetWeights(uint64_t seed) {
  neurons_.ResetWeights(seed);
  synapses_.ResetWeights(seed);
}

template <class Real>
void NeuronLayer<Real>::ClearPadding() {
  neurons_.ClearPadding();
  synapses_.ClearPadding();
  if (teacher_.has_value()) teacher_->ClearPadding();
}

/// e_next ← what the layer above sends, times the slope, through the low-pass of errors; what has
/// to wait a step waits before it.
template <class Real>
void NeuronLayer<Real>::HandDown(Real dt) {
  if (!layer_.above_has_slope) {
    Gate<Real>(layer_.AllIn(layer_.r_prime), layer_.All(layer_.e_sum));
  }
  const Real share = spec_.tau_error > 0 ? dt / static_cast<Real>(spec_.tau_error) : Real{1};
  const auto low_pass = [&](Real* e) {
    if (spec_.tau_error > 0) return LowPass<Real>(layer_.AllIn(layer_.e_sum), share, layer_.All(e));
    layer_.All(e) = layer_.AllIn(layer_.e_sum);
  };
  if (layer_.e_bottom != nullptr) {
    layer_.All(layer_.e_next) = layer_.AllIn(layer_.e_bottom);
    return low_pass(layer_.e_bottom);
  }
  layer_.All(layer_.e_next) = layer_.AllIn(layer_.e);
  low_pass(layer_.e_next);
}

/// e_next ← the error of this step. DYNAMICS feels it at once.
template <class Real>
void NeuronLayer<Real>::SenseErrors(const Step& step) {
  const Real dt = static_cast<Real>(step.dt);
  if (is_direct_) synapses_.ReceiveErrors(step);
  if (teacher_.has_value()) {
    teacher_->Teach(dt, neurons_.u_ahead(), layer_.e_next);
  } else {
    HandDown(dt);
  }
  if (spec_.order == LatentEquilibriumSpec::Order::kDynamics) {
    layer_.All(layer_.e) = layer_.AllIn(layer_.e_next);
  }
}

/// One pass over W.
template <class Real>
void NeuronLayer<Real>::MoveAtOnce(const Step& step, bool learning, bool started) {
  SenseErrors(step);
  synapses_.ReadAndLearn(step, layer_.e, learning, neurons_.s());
  neurons_.Move(step, started);
}

/// The errors of this step, or those that are sent, follow from the potentials of this step: two
/// passes over W.
template <class Real>
void NeuronLayer<Real>::MoveApart(const Step& step, bool learning, bool started) {
  if (!is_direct_) SenseErrors(step);
  synapses_.Read(step, neurons_.s());
  neurons_.Move(step, started);
  if (is_direct_) SenseErrors(step);
  synapses_.Learn(step, neurons_.sent(), learning);
}

template <class Real>
void NeuronLayer<Real>::Advance(const Step& step, bool learning, bool started) {
  const bool is_late = is_direct_ && spec_.order == LatentEquilibriumSpec::Order::kLayered;
  neurons_.BeginInput();
  if (is_late || spec_.errors_from_rate_potential) {
    MoveApart(step, learning, started);
  } else {
    MoveAtOnce(step, learning, started);
  }
  synapses_.SendErrors(step, neurons_.sent(), neurons_.h(), learning);
  neurons_.Learn(learning);
  layer_.All(layer_.e) = layer_.AllIn(layer_.e_next);
}

template class NeuronLayer<float>;
template class NeuronLayer<double>;

}  // namespace prospero
