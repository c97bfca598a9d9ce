#include "server/convert/gle.h"

#include <utility>

#include "engine/core/errors.h"
#include "server/convert/components.h"
#include "server/convert/field.h"
#include "server/convert/field_reader.h"

namespace prospero::server {
namespace {

/// Refuses what an input population does not have.
void CheckInput(const v1::GlePopulation& wire, FieldReader* read) {
  constexpr absl::string_view kWhy = "must not be set: an INPUT has only a name and a size";
  read->Refuse(wire.activation() != v1::ACTIVATION_UNSPECIFIED, "activation", kWhy);
  read->Refuse(!wire.tau_m_ms().empty(), "tau_m_ms", kWhy);
  read->Refuse(!wire.tau_r_ms().empty(), "tau_r_ms", kWhy);
  read->Refuse(wire.gamma() != 0.0, "gamma", kWhy);
  read->Refuse(wire.error_mode() != v1::GlePopulation::ERROR_MODE_UNSPECIFIED, "error_mode", kWhy);
  read->Refuse(wire.has_bias(), "bias", kWhy);
  read->Refuse(wire.has_tau_m_plasticity(), "tau_m_plasticity", kWhy);
  read->Refuse(wire.tau_min_ms() != 0.0, "tau_min_ms", kWhy);
  read->Refuse(wire.has_noise(), "noise", kWhy);
}

absl::StatusOr<GlePopulation> ToPopulation(const v1::GlePopulation& wire) {
  using Wire = v1::GlePopulation;
  FieldReader read;
  GlePopulation population;
  population.name = wire.name();
  population.size = wire.size();
  population.role = read.OneOf<PopulationRole>(wire.role(), "role",
                                               {{Wire::ROLE_INPUT, PopulationRole::kInput},
                                                {Wire::ROLE_UNSPECIFIED, PopulationRole::kHidden},
                                                {Wire::ROLE_HIDDEN, PopulationRole::kHidden},
                                                {Wire::ROLE_OUTPUT, PopulationRole::kOutput}});
  population.activation = read.Take(FromProto(wire.activation()));
  population.tau_m = read.Numbers(wire.tau_m_ms(), "tau_m_ms");
  population.tau_r = read.Numbers(wire.tau_r_ms(), "tau_r_ms");
  population.gamma = read.Number(wire.gamma(), "gamma");
  population.prospective_errors = read.OneOf<bool>(wire.error_mode(), "error_mode",
                                                   {{Wire::ERROR_MODE_UNSPECIFIED, true},
                                                    {Wire::ERROR_MODE_PROSPECTIVE, true},
                                                    {Wire::ERROR_MODE_INSTANTANEOUS, false}});
  population.has_bias = wire.has_bias();
  population.bias_initializer = read.Optional<Initializer>(
      wire.bias().has_initializer(), wire.bias().initializer(), "bias.initializer");
  population.bias_plasticity = read.Optional<Plasticity>(
      wire.bias().has_plasticity(), wire.bias().plasticity(), "bias.plasticity");
  population.tau_m_plasticity = read.Optional<Plasticity>(
      wire.has_tau_m_plasticity(), wire.tau_m_plasticity(), "tau_m_plasticity");
  population.tau_min = read.Number(wire.tau_min_ms(), "tau_min_ms");
  population.loss = read.Take(FromProto(wire.loss()));
  population.beta = wire.has_beta() ? read.Number(wire.beta(), "beta") : 1.0;
  population.noise = read.Optional<NoiseSpec>(wire.has_noise(), wire.noise(), "noise");

  if (population.role == PopulationRole::kInput) CheckInput(wire, &read);
  if (population.role != PopulationRole::kOutput) {
    read.Refuse(wire.loss() != v1::LOSS_UNSPECIFIED, "loss", "is for OUTPUT populations only");
    read.Refuse(wire.has_beta(), "beta", "is for OUTPUT populations only");
  }
  if (!read.status().ok()) return read.status();
  return population;
}

GleFeedback ReadFeedback(const v1::GleFeedback& wire, FieldReader* read) {
  GleFeedback feedback;
  feedback.path = read->Take(FromProto(wire.path(), "feedback.path"));
  feedback.initializer = read->Optional<Initializer>(wire.has_initializer(), wire.initializer(),
                                                     "feedback.initializer");
  feedback.alignment =
      read->Optional<Alignment>(wire.has_alignment(), wire.alignment(), "feedback.alignment");
  feedback.output = wire.output();
  return feedback;
}

absl::StatusOr<GleProjection> ToProjection(const v1::GleProjection& wire) {
  FieldReader read;
  GleProjection projection;
  projection.name = wire.name();
  projection.pre = wire.pre();
  projection.post = wire.post();
  projection.initializer =
      read.Optional<Initializer>(wire.has_initializer(), wire.initializer(), "initializer");
  projection.plasticity =
      read.Optional<Plasticity>(wire.has_plasticity(), wire.plasticity(), "plasticity");
  projection.feedback = ReadFeedback(wire.feedback(), &read);
  if (!read.status().ok()) return read.status();
  return projection;
}

}  // namespace

absl::StatusOr<GleSpec> FromProto(const v1::GleSpec& wire) {
  GleSpec spec;
  spec.populations.reserve(static_cast<size_t>(wire.populations_size()));
  for (int i = 0; i < wire.populations_size(); ++i) {
    absl::StatusOr<GlePopulation> population = ToPopulation(wire.populations(i));
    if (!population.ok()) return UnderField(population.status(), Element("populations", i));
    spec.populations.push_back(*std::move(population));
  }
  spec.projections.reserve(static_cast<size_t>(wire.projections_size()));
  for (int i = 0; i < wire.projections_size(); ++i) {
    absl::StatusOr<GleProjection> projection = ToProjection(wire.projections(i));
    if (!projection.ok()) return UnderField(projection.status(), Element("projections", i));
    spec.projections.push_back(*std::move(projection));
  }
  return spec;
}

}  // namespace prospero::server
