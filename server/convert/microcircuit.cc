#include "server/convert/microcircuit.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/convert/components.h"
#include "server/convert/field.h"
#include "server/convert/field_reader.h"

namespace prospero::server {
namespace {

using Spec = MicrocircuitSpec;
using Wire = v1::MicrocircuitSpec;

MicrocircuitSynapses ReadSynapses(const v1::MicrocircuitLayer::Synapses& wire,
                                  absl::string_view path, FieldReader* read) {
  MicrocircuitSynapses synapses;
  synapses.initializer = read->Optional<Initializer>(wire.has_initializer(), wire.initializer(),
                                                     absl::StrCat(path, ".initializer"));
  synapses.plasticity = read->Optional<Plasticity>(wire.has_plasticity(), wire.plasticity(),
                                                   absl::StrCat(path, ".plasticity"));
  return synapses;
}

absl::StatusOr<MicrocircuitLayer> ToLayer(const v1::MicrocircuitLayer& wire) {
  FieldReader read;
  MicrocircuitLayer layer;
  layer.name = wire.name();
  layer.size = wire.size();
  layer.activation = read.Take(FromProto(wire.activation()));
  layer.forward = ReadSynapses(wire.forward(), "forward", &read);
  layer.to_interneurons = ReadSynapses(wire.to_interneurons(), "to_interneurons", &read);
  layer.from_interneurons = ReadSynapses(wire.from_interneurons(), "from_interneurons", &read);
  layer.feedback_initializer = read.Optional<Initializer>(
      wire.has_feedback_initializer(), wire.feedback_initializer(), "feedback_initializer");
  layer.alignment = read.Optional<Alignment>(wire.has_alignment(), wire.alignment(), "alignment");
  layer.noise = read.Optional<NoiseSpec>(wire.has_noise(), wire.noise(), "noise");
  layer.potential = read.Optional<Initializer>(wire.has_potential(), wire.potential(), "potential");
  layer.interneuron_potential = read.Optional<Initializer>(
      wire.has_interneuron_potential(), wire.interneuron_potential(), "interneuron_potential");
  if (!read.status().ok()) return read.status();
  return layer;
}

MicrocircuitConductances ReadConductances(const Wire::Conductances& wire, FieldReader* read) {
  const MicrocircuitConductances published;
  const auto conductance = [read](double value, absl::string_view name, double usual) {
    return OrDefault(read->Number(value, absl::StrCat("conductances.", name)), usual);
  };
  MicrocircuitConductances conductances;
  conductances.leak = conductance(wire.leak(), "leak", published.leak);
  conductances.basal = conductance(wire.basal(), "basal", published.basal);
  conductances.apical = conductance(wire.apical(), "apical", published.apical);
  conductances.dendrite = conductance(wire.dendrite(), "dendrite", published.dendrite);
  conductances.interneuron = conductance(wire.interneuron(), "interneuron", published.interneuron);
  conductances.target = conductance(wire.target(), "target", published.target);
  return conductances;
}

/// What is one of several.
void ReadVariants(const Wire& wire, Spec* spec, FieldReader* read) {
  spec->connection =
      read->OneOf<Spec::Connection>(wire.connection(), "connection",
                                    {{Wire::CONNECTION_UNSPECIFIED, Spec::Connection::kLayered},
                                     {Wire::CONNECTION_LAYERED, Spec::Connection::kLayered},
                                     {Wire::CONNECTION_SKIP, Spec::Connection::kSkip}});
  spec->start =
      read->OneOf<Spec::Start>(wire.start(), "start",
                               {{Wire::START_UNSPECIFIED, Spec::Start::kSelfPredicting},
                                {Wire::START_SELF_PREDICTING, Spec::Start::kSelfPredicting},
                                {Wire::START_GIVEN, Spec::Start::kGiven}});
  spec->comparison =
      read->OneOf<Spec::Comparison>(wire.comparison(), "comparison",
                                    {{Wire::COMPARISON_UNSPECIFIED, Spec::Comparison::kRates},
                                     {Wire::COMPARISON_RATES, Spec::Comparison::kRates},
                                     {Wire::COMPARISON_POTENTIALS, Spec::Comparison::kPotentials}});
  spec->decay = read->OneOf<Spec::Decay>(wire.decay(), "decay",
                                         {{Wire::DECAY_UNSPECIFIED, Spec::Decay::kPlain},
                                          {Wire::DECAY_PLAIN, Spec::Decay::kPlain},
                                          {Wire::DECAY_GATED, Spec::Decay::kGated},
                                          {Wire::DECAY_SLOPES, Spec::Decay::kSlopes}});
  spec->noise_scale = read->OneOf<Spec::NoiseScale>(
      wire.noise_scale(), "noise_scale",
      {{Wire::NOISE_SCALE_UNSPECIFIED, Spec::NoiseScale::kConstant},
       {Wire::NOISE_SCALE_CONSTANT, Spec::NoiseScale::kConstant},
       {Wire::NOISE_SCALE_POTENTIAL, Spec::NoiseScale::kPotential},
       {Wire::NOISE_SCALE_PROSPECTIVE, Spec::NoiseScale::kProspective},
       {Wire::NOISE_SCALE_APICAL, Spec::NoiseScale::kApical}});
}

/// Refuses what is set to its default where it has no meaning: the engine does not see it.
void CheckInput(const v1::MicrocircuitLayer& wire, FieldReader* read) {
  constexpr absl::string_view kWhy = "must not be set: the input has only a name and a size";
  read->Refuse(wire.activation() != v1::ACTIVATION_UNSPECIFIED, "layers[0].activation", kWhy);
  read->Refuse(wire.has_forward(), "layers[0].forward", kWhy);
}

}  // namespace

absl::StatusOr<MicrocircuitSpec> FromProto(const v1::MicrocircuitSpec& wire) {
  FieldReader read;
  Spec spec;
  spec.layers.reserve(static_cast<size_t>(wire.layers_size()));
  for (int i = 0; i < wire.layers_size(); ++i) {
    absl::StatusOr<MicrocircuitLayer> layer = ToLayer(wire.layers(i));
    if (!layer.ok()) return UnderField(layer.status(), Element("layers", i));
    spec.layers.push_back(*std::move(layer));
  }
  if (wire.layers_size() > 0) CheckInput(wire.layers(0), &read);
  spec.feedback = read.Take(FromProto(wire.feedback(), "feedback"));
  ReadVariants(wire, &spec, &read);
  spec.conductances = ReadConductances(wire.conductances(), &read);
  if (wire.has_prospectivity()) {
    spec.prospectivity = read.Number(wire.prospectivity(), "prospectivity");
  }
  spec.tau_presynaptic = read.Number(wire.tau_presynaptic_ms(), "tau_presynaptic_ms");
  spec.tau_postsynaptic = read.Number(wire.tau_postsynaptic_ms(), "tau_postsynaptic_ms");
  spec.tau_dendrite = read.Number(wire.tau_dendrite_ms(), "tau_dendrite_ms");
  spec.without_high_pass = wire.without_high_pass();
  if (!read.status().ok()) return read.status();
  return spec;
}

}  // namespace prospero::server
