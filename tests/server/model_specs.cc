#include "tests/server/model_specs.h"

namespace prospero::server {
namespace {

v1::NetworkSpec Empty() {
  v1::NetworkSpec spec;
  spec.set_dt_ms(0.1);
  spec.set_precision(v1::DATA_TYPE_FLOAT64);
  spec.set_seed(7);
  return spec;
}

void SetPlasticity(v1::Plasticity* plasticity, double learning_rate) {
  plasticity->set_learning_rate(learning_rate);
}

void SetNoise(v1::Noise* noise) {
  noise->set_sigma(0.1);
  noise->set_tau_ms(1.0);
}

void SetAlignment(v1::Alignment* alignment) {
  alignment->set_tau_hp_ms(1.0);
  SetPlasticity(alignment->mutable_plasticity(), 0.05);
  alignment->mutable_plasticity()->set_weight_decay(0.01);
}

v1::GlePopulation* AddPopulation(v1::NetworkSpec* spec, const std::string& name, int64_t size,
                                 v1::GlePopulation::Role role) {
  v1::GlePopulation* population = spec->mutable_gle()->add_populations();
  population->set_name(name);
  population->set_size(size);
  population->set_role(role);
  if (role == v1::GlePopulation::ROLE_INPUT) return population;
  population->set_activation(v1::ACTIVATION_TANH);
  population->add_tau_m_ms(1.0);
  return population;
}

v1::LatentEquilibriumLayer* AddLayer(v1::NetworkSpec* spec, const std::string& name) {
  v1::LatentEquilibriumLayer* layer = spec->mutable_latent_equilibrium()->add_layers();
  layer->set_name(name);
  return layer;
}

v1::LatentEquilibriumLayer* AddNeurons(v1::NetworkSpec* spec, const std::string& name) {
  v1::LatentEquilibriumLayer* layer = AddLayer(spec, name);
  layer->set_activation(v1::ACTIVATION_TANH);
  layer->add_tau_ms(1.0);
  SetPlasticity(layer->mutable_plasticity(), 0.02);
  SetPlasticity(layer->mutable_bias()->mutable_plasticity(), 0.02);
  return layer;
}

v1::MicrocircuitLayer* AddLayer(v1::MicrocircuitSpec* spec, const std::string& name, int64_t size) {
  v1::MicrocircuitLayer* layer = spec->add_layers();
  layer->set_name(name);
  layer->set_size(size);
  return layer;
}

}  // namespace

ModelSample GleSample() {
  v1::NetworkSpec spec = Empty();
  AddPopulation(&spec, "in", 3, v1::GlePopulation::ROLE_INPUT);
  SetNoise(AddPopulation(&spec, "hidden", 5, v1::GlePopulation::ROLE_HIDDEN)->mutable_noise());
  AddPopulation(&spec, "out", 2, v1::GlePopulation::ROLE_OUTPUT);
  for (const auto& [pre, post] : {std::pair("in", "hidden"), std::pair("hidden", "out")}) {
    v1::GleProjection* projection = spec.mutable_gle()->add_projections();
    projection->set_pre(pre);
    projection->set_post(post);
    SetPlasticity(projection->mutable_plasticity(), 0.02);
  }
  v1::GleFeedback* feedback = spec.mutable_gle()->mutable_projections(1)->mutable_feedback();
  feedback->set_path(v1::FEEDBACK_PATH_ALIGNED);
  SetAlignment(feedback->mutable_alignment());
  return {"gle", spec, "in.r", 3, "out.target", 2, "hidden", 5, "hidden_to_out.B"};
}

ModelSample LatentEquilibriumSample() {
  v1::NetworkSpec spec = Empty();
  v1::LatentEquilibriumSpec* layers = spec.mutable_latent_equilibrium();
  for (const int64_t extent : {2, 6, 6}) layers->add_input_shape(extent);
  layers->set_feedback(v1::FEEDBACK_PATH_ALIGNED);
  v1::LatentEquilibriumLayer* map = AddNeurons(&spec, "map");
  map->mutable_convolution()->set_channels(3);
  map->mutable_convolution()->add_kernel(3);
  map->mutable_convolution()->add_padding(1);
  v1::LatentEquilibriumLayer* pool = AddLayer(&spec, "pool");
  pool->mutable_pool()->add_window(2);
  v1::LatentEquilibriumLayer* dense = AddNeurons(&spec, "dense");
  dense->mutable_dense()->set_size(5);
  SetNoise(dense->mutable_noise());
  v1::LatentEquilibriumLayer* out = AddNeurons(&spec, "out");
  out->mutable_dense()->set_size(2);
  SetAlignment(out->mutable_alignment());
  return {"latent_equilibrium", spec, "input.r", 72, "out.target", 2, "dense", 5, "out.B"};
}

ModelSample MicrocircuitSample() {
  v1::NetworkSpec spec = Empty();
  v1::MicrocircuitSpec* circuit = spec.mutable_microcircuit();
  circuit->set_feedback(v1::FEEDBACK_PATH_ALIGNED);
  AddLayer(circuit, "in", 3);
  v1::MicrocircuitLayer* hidden = AddLayer(circuit, "hidden", 5);
  hidden->set_activation(v1::ACTIVATION_SIGMOID);
  SetPlasticity(hidden->mutable_forward()->mutable_plasticity(), 0.02);
  SetPlasticity(hidden->mutable_to_interneurons()->mutable_plasticity(), 0.02);
  SetPlasticity(hidden->mutable_from_interneurons()->mutable_plasticity(), 0.02);
  SetAlignment(hidden->mutable_alignment());
  SetNoise(hidden->mutable_noise());
  v1::MicrocircuitLayer* out = AddLayer(circuit, "out", 2);
  out->set_activation(v1::ACTIVATION_SIGMOID);
  SetPlasticity(out->mutable_forward()->mutable_plasticity(), 0.02);
  return {"microcircuit", spec, "in.r", 3, "out.target", 2, "hidden", 5, "hidden.B"};
}

std::vector<ModelSample> ModelSamples() {
  return {GleSample(), LatentEquilibriumSample(), MicrocircuitSample()};
}

}  // namespace prospero::server
