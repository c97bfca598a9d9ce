#include "prospero/client/gle.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace prospero::client::gle {

v1::Plasticity Sgd(double learning_rate) {
  v1::Plasticity plasticity;
  plasticity.mutable_sgd();
  plasticity.set_learning_rate(learning_rate);
  return plasticity;
}

v1::Plasticity Momentum(double learning_rate, double momentum) {
  v1::Plasticity plasticity;
  plasticity.mutable_momentum()->set_momentum(momentum);
  plasticity.set_learning_rate(learning_rate);
  return plasticity;
}

v1::Plasticity Adam(double learning_rate) {
  v1::Plasticity plasticity;
  plasticity.mutable_adam();
  plasticity.set_learning_rate(learning_rate);
  return plasticity;
}

v1::Initializer Constant(double value) {
  v1::Initializer initializer;
  initializer.set_constant(value);
  return initializer;
}

v1::Initializer Uniform(double low, double high) {
  v1::Initializer initializer;
  initializer.mutable_uniform()->set_low(low);
  initializer.mutable_uniform()->set_high(high);
  return initializer;
}

v1::Initializer Normal(double mean, double std) {
  v1::Initializer initializer;
  initializer.mutable_normal()->set_mean(mean);
  initializer.mutable_normal()->set_std(std);
  return initializer;
}

v1::Initializer FanIn(double gain) {
  v1::Initializer initializer;
  initializer.mutable_fan_in()->set_gain(gain);
  return initializer;
}

v1::Initializer Values(v1::Tensor values) {
  v1::Initializer initializer;
  *initializer.mutable_values() = std::move(values);
  return initializer;
}

SpecBuilder& SpecBuilder::Seed(uint64_t seed) {
  spec_.set_seed(seed);
  return *this;
}

SpecBuilder& SpecBuilder::Precision(v1::DataType precision) {
  spec_.set_precision(precision);
  return *this;
}

SpecBuilder& SpecBuilder::BatchSize(int32_t trials) {
  spec_.set_batch_size(trials);
  return *this;
}

SpecBuilder& SpecBuilder::Input(const std::string& name, int64_t size) {
  v1::GlePopulation& population = *spec_.mutable_gle()->add_populations();
  population.set_name(name);
  population.set_size(size);
  population.set_role(v1::GlePopulation::ROLE_INPUT);
  return *this;
}

SpecBuilder& SpecBuilder::Hidden(const std::string& name, int64_t size, const Neurons& neurons) {
  AddPopulation(name, size, v1::GlePopulation::ROLE_HIDDEN, neurons);
  return *this;
}

SpecBuilder& SpecBuilder::Output(const std::string& name, int64_t size, const Neurons& neurons) {
  AddPopulation(name, size, v1::GlePopulation::ROLE_OUTPUT, neurons);
  return *this;
}

SpecBuilder& SpecBuilder::Project(const std::string& pre, const std::string& post,
                                  const Synapses& synapses) {
  v1::GleProjection& projection = *spec_.mutable_gle()->add_projections();
  projection.set_name(synapses.name);
  projection.set_pre(pre);
  projection.set_post(post);
  if (synapses.initializer.has_value()) *projection.mutable_initializer() = *synapses.initializer;
  if (synapses.plasticity.has_value()) *projection.mutable_plasticity() = *synapses.plasticity;
  return *this;
}

void SpecBuilder::AddPopulation(const std::string& name, int64_t size, v1::GlePopulation::Role role,
                                const Neurons& neurons) {
  v1::GlePopulation& population = *spec_.mutable_gle()->add_populations();
  population.set_name(name);
  population.set_size(size);
  population.set_role(role);
  population.set_activation(neurons.activation);
  population.mutable_tau_m_ms()->Add(neurons.tau_m_ms.begin(), neurons.tau_m_ms.end());
  population.mutable_tau_r_ms()->Add(neurons.tau_r_ms.begin(), neurons.tau_r_ms.end());
  population.set_gamma(neurons.gamma);
  population.set_error_mode(neurons.instantaneous_errors
                                ? v1::GlePopulation::ERROR_MODE_INSTANTANEOUS
                                : v1::GlePopulation::ERROR_MODE_PROSPECTIVE);
  if (neurons.bias.has_value()) {
    v1::GlePopulation::Bias& bias = *population.mutable_bias();
    if (neurons.bias->initializer.has_value()) {
      *bias.mutable_initializer() = *neurons.bias->initializer;
    }
    if (neurons.bias->plasticity.has_value()) {
      *bias.mutable_plasticity() = *neurons.bias->plasticity;
    }
  }
  if (neurons.tau_m_plasticity.has_value()) {
    *population.mutable_tau_m_plasticity() = *neurons.tau_m_plasticity;
  }
  population.set_loss(neurons.loss);
  if (neurons.beta.has_value()) population.set_beta(*neurons.beta);
}

v1::NetworkSpec Chain(const std::vector<int64_t>& sizes, const ChainOptions& options) {
  Neurons hidden{.activation = options.activation,
                 .tau_m_ms = {options.tau_m_ms},
                 .gamma = options.gamma,
                 .instantaneous_errors = options.instantaneous_errors};
  if (options.tau_r_ms.has_value()) hidden.tau_r_ms = {*options.tau_r_ms};
  if (options.bias) hidden.bias = Bias{.plasticity = options.plasticity};
  Neurons output = hidden;
  output.activation = options.output_activation;
  output.loss = options.loss;
  output.beta = options.beta;

  SpecBuilder builder(options.dt_ms);
  builder.Seed(options.seed).Precision(options.precision).BatchSize(options.batch_size);
  std::string pre;
  for (size_t layer = 0; layer < sizes.size(); ++layer) {
    std::string name = sizes.size() == 3 ? "hidden" : absl::StrCat("hidden", layer);
    if (layer == 0) {
      builder.Input(name = "input", sizes[layer]);
    } else if (layer + 1 == sizes.size()) {
      builder.Output(name = "output", sizes[layer], output);
    } else {
      builder.Hidden(name, sizes[layer], hidden);
    }
    if (layer > 0) builder.Project(pre, name, {.plasticity = options.plasticity});
    pre = std::move(name);
  }
  return builder.Build();
}

}  // namespace prospero::client::gle
