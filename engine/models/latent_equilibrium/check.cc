#include "engine/models/latent_equilibrium/check.h"

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "engine/core/arena.h"
#include "engine/core/errors.h"
#include "engine/core/spec_check.h"

namespace prospero {
namespace {

using Spec = LatentEquilibriumSpec;

absl::Status CheckInputShape(const std::vector<int64_t>& shape) {
  if (shape.empty() || shape.size() > 3) {
    return InvalidField("input_shape",
                        absl::StrCat("must have 1 to 3 extents, got ", shape.size()));
  }
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] >= 1) continue;
    return InvalidField(absl::StrCat("input_shape[", d, "]"),
                        absl::StrCat("must be >= 1, got ", shape[d]));
  }
  return absl::OkStatus();
}

absl::Status CheckFilters(const Spec& spec, double dt) {
  if (auto status = CheckOptionalTau("tau_rate_ms", spec.tau_rate, dt); !status.ok()) return status;
  if (auto status = CheckOptionalTau("tau_error_ms", spec.tau_error, dt); !status.ok()) {
    return status;
  }
  if (auto status = CheckOptionalTau("tau_target_ms", spec.tau_target, dt); !status.ok()) {
    return status;
  }
  absl::string_view set;
  if (spec.tau_rate != 0) set = "tau_rate_ms";
  if (spec.tau_target != 0) set = "tau_target_ms";
  if (spec.errors_from_rate_potential) set = "errors_from_rate_potential";
  if (spec.order == Spec::Order::kLayered || set.empty()) return absl::OkStatus();
  return InvalidField(set, "must not be set with ORDER_DYNAMICS, which does not know it");
}

absl::Status CheckErrorsFromRatePotential(const Spec& spec) {
  if (!spec.errors_from_rate_potential) return absl::OkStatus();
  constexpr absl::string_view kField = "errors_from_rate_potential";
  if (spec.gamma != 1) {
    return InvalidField(kField,
                        absl::StrCat("must not be set unless gamma is 1, got gamma ", spec.gamma));
  }
  if (spec.feedback != FeedbackPath::kDirect) return absl::OkStatus();
  return InvalidField(kField,
                      "must not be set with FEEDBACK_PATH_DIRECT, where only the output sends "
                      "errors");
}

absl::Status CheckWhole(const Spec& spec, double dt) {
  if (auto status = CheckInputShape(spec.input_shape); !status.ok()) return status;
  if (spec.layers.empty()) return InvalidField("layers", "must have at least one layer");
  if (auto status = CheckNotNegative("beta", spec.beta); !status.ok()) return status;
  if (!(spec.gamma >= -1 && spec.gamma <= 1)) return Refuse("gamma", "in [-1, 1]", spec.gamma);
  if (auto status = CheckFilters(spec, dt); !status.ok()) return status;
  return CheckErrorsFromRatePotential(spec);
}

/// Weights of a layer, W and B.
int64_t CountWeights(const LatentEquilibriumLayer& layer, const LayerGeometry& geometry,
                     const LayerPlace& place) {
  if (IsPool(layer)) return 0;
  const std::vector<int64_t> W = geometry.weights(place.below);
  const int64_t forward = SaturatingMul(W[0], W[1]);
  int64_t backward = 0;
  if (place.spec.feedback == FeedbackPath::kDirect) {
    if (!place.is_last()) backward = SaturatingMul(geometry.size(), place.output_size);
  } else if (place.spec.feedback != FeedbackPath::kTranspose && !place.is_first()) {
    backward = forward;
  }
  return SaturatingAdd(forward, backward);
}

/// The geometry of each layer, once names and extents are right and within the limits.
absl::Status CheckGeometries(const Spec& spec, const NetworkOptions& options,
                             const NetworkLimits& limits, std::vector<LayerGeometry>& geometries,
                             Footprint& footprint) {
  absl::flat_hash_set<std::string> names = {"input"};
  LayerPlace place{.spec = spec, .dt = options.dt, .below = {spec.input_shape, absl::nullopt}};
  footprint.neurons = place.below.size();
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const LatentEquilibriumLayer& layer = spec.layers[i];
    place.index = i;
    absl::Status status = CheckGeometry(layer, place);
    if (status.ok() && !names.insert(layer.name).second) {
      status = InvalidField("name",
                            absl::StrCat("must be unique and not 'input', got '", layer.name, "'"));
    }
    if (!status.ok()) return UnderField(status, absl::StrCat("layers[", i, "]"));
    geometries.push_back(GeometryOf(layer, place.below));
    place.below = geometries.back();
    footprint.neurons = SaturatingAdd(footprint.neurons, place.below.size());
  }
  return CheckLimit("max_neurons", footprint.neurons, limits.max_neurons);
}

}  // namespace

absl::Status CheckSpec(const Spec& spec, const NetworkOptions& options, const NetworkLimits& limits,
                       Footprint& footprint) {
  const auto count = static_cast<int64_t>(spec.layers.size());
  if (auto status = CheckLimit("max_populations", count + 1, limits.max_populations);
      !status.ok()) {
    return status;
  }
  if (auto status = CheckLimit("max_projections", count, limits.max_projections); !status.ok()) {
    return status;
  }
  if (auto status = CheckWhole(spec, options.dt); !status.ok()) return status;
  std::vector<LayerGeometry> geometries;
  if (auto status = CheckGeometries(spec, options, limits, geometries, footprint); !status.ok()) {
    return status;
  }
  LayerPlace place{.spec = spec, .dt = options.dt, .below = {spec.input_shape, absl::nullopt}};
  place.output_size = geometries.back().size();
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const LatentEquilibriumLayer& layer = spec.layers[i];
    place.index = i;
    if (auto status = CheckLayer(layer, geometries[i], place); !status.ok()) {
      return UnderField(status, absl::StrCat("layers[", i, "]"));
    }
    footprint.weights = SaturatingAdd(footprint.weights, CountWeights(layer, geometries[i], place));
    place.below = geometries[i];
    place.has_noise_below = layer.noise.has_value() || (IsPool(layer) && place.has_noise_below);
  }
  return CheckLimit("max_weights", footprint.weights, limits.max_weights);
}

}  // namespace prospero
