#include "server/convert/latent_equilibrium.h"

#include <utility>
#include <variant>

#include "engine/core/errors.h"
#include "server/convert/components.h"
#include "server/convert/field.h"
#include "server/convert/field_reader.h"

namespace prospero::server {
namespace {

using Layer = LatentEquilibriumLayer;
using Wire = v1::LatentEquilibriumLayer;

std::vector<int64_t> Extents(const google::protobuf::RepeatedField<int64_t>& wire) {
  return {wire.begin(), wire.end()};
}

Layer::Convolution ReadConvolution(const Wire::Convolution& wire) {
  return {wire.channels(), Extents(wire.kernel()), Extents(wire.stride()), Extents(wire.padding())};
}

Layer::Pool ReadPool(const Wire::Pool& wire, FieldReader* read) {
  using Kind = Layer::Pool::Kind;
  Layer::Pool pool;
  pool.kind = read->OneOf<Kind>(wire.kind(), "pool.kind",
                                {{Wire::Pool::KIND_UNSPECIFIED, Kind::kMax},
                                 {Wire::Pool::KIND_MAX, Kind::kMax},
                                 {Wire::Pool::KIND_AVERAGE, Kind::kAverage}});
  pool.window = Extents(wire.window());
  pool.stride = Extents(wire.stride());
  return pool;
}

std::variant<Layer::Dense, Layer::Convolution, Layer::Pool> ReadKind(const Wire& wire,
                                                                     FieldReader* read) {
  switch (wire.kind_case()) {
    case Wire::kDense:
      return Layer::Dense{wire.dense().size()};
    case Wire::kConvolution:
      return ReadConvolution(wire.convolution());
    case Wire::kPool:
      return ReadPool(wire.pool(), read);
    case Wire::KIND_NOT_SET:
      read->Refuse(true, "kind", "must be set: dense, convolution or pool");
  }
  return Layer::Dense{};
}

absl::optional<Layer::Bias> ReadBias(const Wire& wire, FieldReader* read) {
  if (!wire.has_bias()) return absl::nullopt;
  Layer::Bias bias;
  bias.initializer = read->Optional<Initializer>(wire.bias().has_initializer(),
                                                 wire.bias().initializer(), "bias.initializer");
  bias.plasticity = read->Optional<Plasticity>(wire.bias().has_plasticity(),
                                               wire.bias().plasticity(), "bias.plasticity");
  return bias;
}

absl::StatusOr<Layer> ToLayer(const Wire& wire) {
  FieldReader read;
  Layer layer;
  layer.name = wire.name();
  layer.kind = ReadKind(wire, &read);
  layer.activation = read.Take(FromProto(wire.activation()));
  layer.tau = read.Numbers(wire.tau_ms(), "tau_ms");
  layer.tau_m = read.Numbers(wire.tau_m_ms(), "tau_m_ms");
  layer.tau_spread = read.Number(wire.tau_spread(), "tau_spread");
  layer.tau_m_plasticity = read.Optional<Plasticity>(wire.has_tau_m_plasticity(),
                                                     wire.tau_m_plasticity(), "tau_m_plasticity");
  layer.initializer =
      read.Optional<Initializer>(wire.has_initializer(), wire.initializer(), "initializer");
  layer.plasticity =
      read.Optional<Plasticity>(wire.has_plasticity(), wire.plasticity(), "plasticity");
  layer.bias = ReadBias(wire, &read);
  layer.noise = read.Optional<NoiseSpec>(wire.has_noise(), wire.noise(), "noise");
  layer.rate_noise = read.Number(wire.rate_noise(), "rate_noise");
  layer.feedback_initializer = read.Optional<Initializer>(
      wire.has_feedback_initializer(), wire.feedback_initializer(), "feedback_initializer");
  layer.alignment = read.Optional<Alignment>(wire.has_alignment(), wire.alignment(), "alignment");
  read.Refuse(wire.has_pool() && wire.activation() != v1::ACTIVATION_UNSPECIFIED, "activation",
              "must not be set for a pool, which has no neurons");
  if (!read.status().ok()) return read.status();
  return layer;
}

}  // namespace

absl::StatusOr<LatentEquilibriumSpec> FromProto(const v1::LatentEquilibriumSpec& wire) {
  using Spec = LatentEquilibriumSpec;
  using WireSpec = v1::LatentEquilibriumSpec;
  FieldReader read;
  Spec spec;
  spec.input_shape = Extents(wire.input_shape());
  spec.layers.reserve(static_cast<size_t>(wire.layers_size()));
  for (int i = 0; i < wire.layers_size(); ++i) {
    absl::StatusOr<Layer> layer = ToLayer(wire.layers(i));
    if (!layer.ok()) return UnderField(layer.status(), Element("layers", i));
    spec.layers.push_back(*std::move(layer));
  }
  spec.feedback = read.Take(FromProto(wire.feedback(), "feedback"));
  spec.order = read.OneOf<Spec::Order>(wire.order(), "order",
                                       {{WireSpec::ORDER_UNSPECIFIED, Spec::Order::kLayered},
                                        {WireSpec::ORDER_LAYERED, Spec::Order::kLayered},
                                        {WireSpec::ORDER_DYNAMICS, Spec::Order::kDynamics}});
  spec.target_error = read.OneOf<Spec::TargetError>(
      wire.target_error(), "target_error",
      {{WireSpec::TARGET_ERROR_UNSPECIFIED, Spec::TargetError::kRate},
       {WireSpec::TARGET_ERROR_RATE, Spec::TargetError::kRate},
       {WireSpec::TARGET_ERROR_POTENTIAL, Spec::TargetError::kPotential}});
  if (wire.has_beta()) spec.beta = read.Number(wire.beta(), "beta");
  spec.gamma = read.Number(wire.gamma(), "gamma");
  spec.tau_rate = read.Number(wire.tau_rate_ms(), "tau_rate_ms");
  spec.tau_error = read.Number(wire.tau_error_ms(), "tau_error_ms");
  spec.tau_target = read.Number(wire.tau_target_ms(), "tau_target_ms");
  spec.errors_from_rate_potential = wire.errors_from_rate_potential();
  if (!read.status().ok()) return read.status();
  return spec;
}

}  // namespace prospero::server
