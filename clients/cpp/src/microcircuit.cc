#include "prospero/client/microcircuit.h"

#include "part.h"

namespace prospero::client::microcircuit {
namespace {

using Layer = v1::MicrocircuitLayer;

/// Leaves the part unset where there is nothing to say.
void SetSynapses(const Synapses& synapses, Layer& layer,
                 Layer::Synapses* (Layer::*mutable_part)()) {
  if (!synapses.initializer.has_value() && !synapses.plasticity.has_value()) return;
  Layer::Synapses& part = *(layer.*mutable_part)();
  SetPart(synapses.initializer, part, &Layer::Synapses::mutable_initializer);
  SetPart(synapses.plasticity, part, &Layer::Synapses::mutable_plasticity);
}

void SetNeurons(const Neurons& neurons, Layer& layer) {
  layer.set_activation(neurons.activation);
  SetPart(neurons.potential, layer, &Layer::mutable_potential);
  SetSynapses(neurons.forward, layer, &Layer::mutable_forward);
  SetSynapses(neurons.to_interneurons, layer, &Layer::mutable_to_interneurons);
  SetSynapses(neurons.from_interneurons, layer, &Layer::mutable_from_interneurons);
  SetPart(neurons.feedback_initializer, layer, &Layer::mutable_feedback_initializer);
  SetPart(neurons.alignment, layer, &Layer::mutable_alignment);
  SetPart(neurons.noise, layer, &Layer::mutable_noise);
  SetPart(neurons.interneuron_potential, layer, &Layer::mutable_interneuron_potential);
}

}  // namespace

SpecBuilder::SpecBuilder(double dt_ms, const Options& options) : NetworkBuilder(dt_ms) {
  v1::MicrocircuitSpec& spec = *spec_.mutable_microcircuit();
  spec.set_feedback(options.feedback);
  spec.set_connection(options.connection);
  spec.set_start(options.start);
  *spec.mutable_conductances() = options.conductances;
  if (options.prospectivity.has_value()) spec.set_prospectivity(*options.prospectivity);
  spec.set_comparison(options.comparison);
  spec.set_tau_presynaptic_ms(options.tau_presynaptic_ms);
  spec.set_tau_postsynaptic_ms(options.tau_postsynaptic_ms);
  spec.set_tau_dendrite_ms(options.tau_dendrite_ms);
  spec.set_decay(options.decay);
  spec.set_noise_scale(options.noise_scale);
  spec.set_without_high_pass(options.without_high_pass);
}

SpecBuilder& SpecBuilder::Input(const std::string& name, int64_t size) {
  AddLayer(name, size);
  return *this;
}

SpecBuilder& SpecBuilder::Hidden(const std::string& name, int64_t size, const Neurons& neurons) {
  SetNeurons(neurons, AddLayer(name, size));
  return *this;
}

SpecBuilder& SpecBuilder::Output(const std::string& name, int64_t size, const Neurons& neurons) {
  return Hidden(name, size, neurons);  // the last one is the output
}

Layer& SpecBuilder::AddLayer(const std::string& name, int64_t size) {
  Layer& layer = *spec_.mutable_microcircuit()->add_layers();
  layer.set_name(name);
  layer.set_size(size);
  return layer;
}

}  // namespace prospero::client::microcircuit
