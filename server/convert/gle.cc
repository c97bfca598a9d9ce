#include "server/convert/gle.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "engine/core/errors.h"
#include "server/convert/components.h"
#include "server/convert/field.h"

namespace prospero::server {
namespace {

/// Reads fields one after the other and remembers the first error.
class FieldReader {
 public:
  /// The value of a part that is a message of its own, if it is there.
  template <class To, class From>
  absl::optional<To> Optional(bool present, const From& from, absl::string_view path) {
    if (!present) return absl::nullopt;
    absl::StatusOr<To> value = FromProto(from);
    if (!value.ok()) Keep(UnderField(value.status(), path));
    if (!value.ok()) return absl::nullopt;
    return *std::move(value);
  }

  template <class To, class From>
  To Enum(From from) {
    const absl::StatusOr<To> value = FromProto(from);
    Keep(value.status());
    return value.ok() ? *value : To{};
  }

  std::vector<double> Numbers(const google::protobuf::RepeatedField<double>& from,
                              absl::string_view path) {
    for (int i = 0; i < from.size(); ++i) Keep(CheckFinite(from[i], Element(path, i)));
    return {from.begin(), from.end()};
  }

  double Number(double value, absl::string_view path) {
    Keep(CheckFinite(value, path));
    return value;
  }

  void Refuse(bool present, absl::string_view path, absl::string_view why) {
    if (present) Keep(InvalidField(path, why));
  }

  void Keep(absl::Status status) {
    if (status_.ok()) status_ = std::move(status);
  }

  const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

PopulationRole ReadRole(v1::GlePopulation::Role role, FieldReader* read) {
  switch (role) {
    case v1::GlePopulation::ROLE_INPUT:
      return PopulationRole::kInput;
    case v1::GlePopulation::ROLE_UNSPECIFIED:
    case v1::GlePopulation::ROLE_HIDDEN:
      return PopulationRole::kHidden;
    case v1::GlePopulation::ROLE_OUTPUT:
      return PopulationRole::kOutput;
    default:
      read->Refuse(true, "role", absl::StrCat("is unknown: ", static_cast<int>(role)));
      return PopulationRole::kHidden;
  }
}

bool ReadErrorMode(v1::GlePopulation::ErrorMode mode, FieldReader* read) {
  const bool known = mode == v1::GlePopulation::ERROR_MODE_UNSPECIFIED ||
                     mode == v1::GlePopulation::ERROR_MODE_PROSPECTIVE ||
                     mode == v1::GlePopulation::ERROR_MODE_INSTANTANEOUS;
  read->Refuse(!known, "error_mode", absl::StrCat("is unknown: ", static_cast<int>(mode)));
  return mode != v1::GlePopulation::ERROR_MODE_INSTANTANEOUS;
}

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
}

absl::StatusOr<GlePopulation> ToPopulation(const v1::GlePopulation& wire) {
  FieldReader read;
  GlePopulation population;
  population.name = wire.name();
  population.size = wire.size();
  population.role = ReadRole(wire.role(), &read);
  population.activation = read.Enum<Activation>(wire.activation());
  population.tau_m = read.Numbers(wire.tau_m_ms(), "tau_m_ms");
  population.tau_r = read.Numbers(wire.tau_r_ms(), "tau_r_ms");
  population.gamma = read.Number(wire.gamma(), "gamma");
  population.prospective_errors = ReadErrorMode(wire.error_mode(), &read);
  population.has_bias = wire.has_bias();
  population.bias_initializer = read.Optional<Initializer>(
      wire.bias().has_initializer(), wire.bias().initializer(), "bias.initializer");
  population.bias_plasticity = read.Optional<Plasticity>(
      wire.bias().has_plasticity(), wire.bias().plasticity(), "bias.plasticity");
  population.tau_m_plasticity = read.Optional<Plasticity>(
      wire.has_tau_m_plasticity(), wire.tau_m_plasticity(), "tau_m_plasticity");
  population.tau_min = read.Number(wire.tau_min_ms(), "tau_min_ms");
  population.loss = read.Enum<Loss>(wire.loss());
  population.beta = wire.has_beta() ? read.Number(wire.beta(), "beta") : 1.0;

  if (population.role == PopulationRole::kInput) CheckInput(wire, &read);
  if (population.role != PopulationRole::kOutput) {
    read.Refuse(wire.loss() != v1::LOSS_UNSPECIFIED, "loss", "is for OUTPUT populations only");
    read.Refuse(wire.has_beta(), "beta", "is for OUTPUT populations only");
  }
  if (!read.status().ok()) return read.status();
  return population;
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
