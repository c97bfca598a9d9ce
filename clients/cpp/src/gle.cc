#include "prospero/client/gle.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "part.h"

namespace prospero::client::gle {

namespace {

v1::GleFeedback FeedbackOf(v1::FeedbackPath path, const absl::optional<v1::Initializer>& B) {
  v1::GleFeedback feedback;
  feedback.set_path(path);
  SetPart(B, feedback, &v1::GleFeedback::mutable_initializer);
  return feedback;
}

}  // namespace

v1::GleFeedback Random(const absl::optional<v1::Initializer>& B) {
  return FeedbackOf(v1::FEEDBACK_PATH_RANDOM, B);
}

v1::GleFeedback Direct(const absl::optional<v1::Initializer>& B, const std::string& output) {
  v1::GleFeedback feedback = FeedbackOf(v1::FEEDBACK_PATH_DIRECT, B);
  feedback.set_output(output);
  return feedback;
}

v1::GleFeedback Aligned(const v1::Alignment& alignment, const absl::optional<v1::Initializer>& B) {
  v1::GleFeedback feedback = FeedbackOf(v1::FEEDBACK_PATH_ALIGNED, B);
  *feedback.mutable_alignment() = alignment;
  return feedback;
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
  SetPart(synapses.initializer, projection, &v1::GleProjection::mutable_initializer);
  SetPart(synapses.plasticity, projection, &v1::GleProjection::mutable_plasticity);
  SetPart(synapses.feedback, projection, &v1::GleProjection::mutable_feedback);
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
    using Wire = v1::GlePopulation::Bias;
    SetPart(neurons.bias->initializer, *population.mutable_bias(), &Wire::mutable_initializer);
    SetPart(neurons.bias->plasticity, *population.mutable_bias(), &Wire::mutable_plasticity);
  }
  SetPart(neurons.tau_m_plasticity, population, &v1::GlePopulation::mutable_tau_m_plasticity);
  SetPart(neurons.noise, population, &v1::GlePopulation::mutable_noise);
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
