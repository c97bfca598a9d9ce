#include "prospero/client/latent_equilibrium.h"

#include "part.h"

namespace prospero::client::latent_equilibrium {
namespace {

using Layer = v1::LatentEquilibriumLayer;

void AddAll(const std::vector<int64_t>& extents, google::protobuf::RepeatedField<int64_t>* to) {
  to->Add(extents.begin(), extents.end());
}

void SetNeurons(const Neurons& neurons, Layer& layer) {
  layer.set_activation(neurons.activation);
  layer.mutable_tau_ms()->Add(neurons.tau_ms.begin(), neurons.tau_ms.end());
  layer.mutable_tau_m_ms()->Add(neurons.tau_m_ms.begin(), neurons.tau_m_ms.end());
  layer.set_tau_spread(neurons.tau_spread);
  SetPart(neurons.tau_m_plasticity, layer, &Layer::mutable_tau_m_plasticity);
  SetPart(neurons.plasticity, layer, &Layer::mutable_plasticity);
  SetPart(neurons.initializer, layer, &Layer::mutable_initializer);
  if (neurons.bias.has_value()) {
    SetPart(neurons.bias->initializer, *layer.mutable_bias(), &Layer::Bias::mutable_initializer);
    SetPart(neurons.bias->plasticity, *layer.mutable_bias(), &Layer::Bias::mutable_plasticity);
  }
  SetPart(neurons.noise, layer, &Layer::mutable_noise);
  layer.set_rate_noise(neurons.rate_noise);
  SetPart(neurons.feedback_initializer, layer, &Layer::mutable_feedback_initializer);
  SetPart(neurons.alignment, layer, &Layer::mutable_alignment);
}

}  // namespace

SpecBuilder::SpecBuilder(double dt_ms, const std::vector<int64_t>& input_shape,
                         const Options& options)
    : NetworkBuilder(dt_ms) {
  v1::LatentEquilibriumSpec& spec = *spec_.mutable_latent_equilibrium();
  AddAll(input_shape, spec.mutable_input_shape());
  spec.set_feedback(options.feedback);
  spec.set_order(options.order);
  spec.set_target_error(options.target_error);
  if (options.beta.has_value()) spec.set_beta(*options.beta);
  spec.set_gamma(options.gamma);
  spec.set_tau_rate_ms(options.tau_rate_ms);
  spec.set_tau_error_ms(options.tau_error_ms);
  spec.set_tau_target_ms(options.tau_target_ms);
  spec.set_errors_from_rate_potential(options.errors_from_rate_potential);
}

SpecBuilder& SpecBuilder::Dense(const std::string& name, int64_t size, const Neurons& neurons) {
  Layer& layer = Add(name);
  layer.mutable_dense()->set_size(size);
  SetNeurons(neurons, layer);
  return *this;
}

SpecBuilder& SpecBuilder::Convolution(const std::string& name, int64_t channels,
                                      const Kernel& kernel, const Neurons& neurons) {
  Layer& layer = Add(name);
  Layer::Convolution& convolution = *layer.mutable_convolution();
  convolution.set_channels(channels);
  AddAll(kernel.kernel, convolution.mutable_kernel());
  AddAll(kernel.stride, convolution.mutable_stride());
  AddAll(kernel.padding, convolution.mutable_padding());
  SetNeurons(neurons, layer);
  return *this;
}

SpecBuilder& SpecBuilder::MaxPool(const std::string& name, const Pool& pool) {
  AddPool(name, Layer::Pool::KIND_MAX, pool);
  return *this;
}

SpecBuilder& SpecBuilder::AveragePool(const std::string& name, const Pool& pool) {
  AddPool(name, Layer::Pool::KIND_AVERAGE, pool);
  return *this;
}

Layer& SpecBuilder::Add(const std::string& name) {
  Layer& layer = *spec_.mutable_latent_equilibrium()->add_layers();
  layer.set_name(name);
  return layer;
}

void SpecBuilder::AddPool(const std::string& name, Layer::Pool::Kind kind, const Pool& pool) {
  Layer& layer = Add(name);
  layer.mutable_pool()->set_kind(kind);
  AddAll(pool.window, layer.mutable_pool()->mutable_window());
  AddAll(pool.stride, layer.mutable_pool()->mutable_stride());
  SetPart(pool.noise, layer, &Layer::mutable_noise);
}

}  // namespace prospero::client::latent_equilibrium
