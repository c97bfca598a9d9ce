// What is refused of one layer.

#include <string>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "engine/core/spec_check.h"
#include "engine/models/latent_equilibrium/check.h"

namespace prospero {
namespace {

using Spec = LatentEquilibriumLayer;

/// One value or one for each dimension, each >= minimum; none is allowed where there is a default.
absl::Status CheckExtents(absl::string_view field, const std::vector<int64_t>& values,
                          size_t dimensions, int64_t minimum, bool has_default) {
  if (values.empty() && has_default) return absl::OkStatus();
  if (values.size() != 1 && values.size() != dimensions) {
    return InvalidField(field, absl::StrCat("must have ", has_default ? "0, " : "", "1 or ",
                                            dimensions, " values, got ", values.size()));
  }
  for (size_t d = 0; d < values.size(); ++d) {
    if (values[d] >= minimum) continue;
    return InvalidField(values.size() == 1 ? std::string(field) : absl::StrCat(field, "[", d, "]"),
                        absl::StrCat("must be >= ", minimum, ", got ", values[d]));
  }
  return absl::OkStatus();
}

/// Extents are right; does the kernel lie in the layer below with its padding?
absl::Status CheckFits(absl::string_view field, const Window& window) {
  for (const int d : {0, 1}) {
    if (window.out(d) >= 1) continue;
    const auto k = static_cast<size_t>(d);
    return InvalidField(
        field, absl::StrCat("must be <= the layer below with its padding (", window.below[k],
                            " + 2 * ", window.padding[k], "), got ", window.kernel[k]));
  }
  return absl::OkStatus();
}

absl::Status CheckConvolution(const Spec::Convolution& convolution, const LayerGeometry& below) {
  const size_t dimensions = below.shape.size() - 1;
  if (convolution.channels < 1) {
    return InvalidField("channels", absl::StrCat("must be >= 1, got ", convolution.channels));
  }
  if (auto status = CheckExtents("kernel", convolution.kernel, dimensions, 1, false);
      !status.ok()) {
    return status;
  }
  if (auto status = CheckExtents("stride", convolution.stride, dimensions, 1, true); !status.ok()) {
    return status;
  }
  if (auto status = CheckExtents("padding", convolution.padding, dimensions, 0, true);
      !status.ok()) {
    return status;
  }
  return CheckFits("kernel", WindowOf(below.shape, convolution.kernel, convolution.stride, {1},
                                      convolution.padding));
}

absl::Status CheckPool(const Spec::Pool& pool, const LayerGeometry& below) {
  const size_t dimensions = below.shape.size() - 1;
  if (auto status = CheckExtents("window", pool.window, dimensions, 1, false); !status.ok()) {
    return status;
  }
  if (auto status = CheckExtents("stride", pool.stride, dimensions, 1, true); !status.ok()) {
    return status;
  }
  return CheckFits("window", WindowOf(below.shape, pool.window, pool.stride, pool.window, {}));
}

/// A pool has a name and a noise and nothing else.
absl::Status CheckPoolHasNoNeurons(const Spec& layer) {
  absl::string_view set;
  if (layer.activation != Activation::kLinear) set = "activation";
  if (!layer.tau.empty()) set = "tau_ms";
  if (!layer.tau_m.empty()) set = "tau_m_ms";
  if (layer.tau_spread != 0) set = "tau_spread";
  if (layer.tau_m_plasticity.has_value()) set = "tau_m_plasticity";
  if (layer.initializer.has_value()) set = "initializer";
  if (layer.plasticity.has_value()) set = "plasticity";
  if (layer.bias.has_value()) set = "bias";
  if (layer.rate_noise != 0) set = "rate_noise";
  if (layer.feedback_initializer.has_value()) set = "feedback_initializer";
  if (layer.alignment.has_value()) set = "alignment";
  if (set.empty()) return absl::OkStatus();
  return InvalidField(set, "must not be set for a pool, which has no neurons");
}

absl::Status CheckTaus(const Spec& layer, const LayerGeometry& geometry, double dt) {
  const int64_t size = geometry.size();
  if (auto status = CheckValues("tau_ms", layer.tau, size, 0.0, "0"); !status.ok()) return status;
  if (layer.tau_m.empty()) {
    if (auto status = CheckTau("tau_ms", layer.tau, size, dt); !status.ok()) return status;
  } else if (auto status = CheckTau("tau_m_ms", layer.tau_m, size, dt); !status.ok()) {
    return status;
  }
  if (auto status = CheckNotNegative("tau_spread", layer.tau_spread); !status.ok()) return status;
  if (!layer.tau_m_plasticity.has_value()) return absl::OkStatus();
  return UnderField(Check(*layer.tau_m_plasticity), "tau_m_plasticity");
}

absl::Status CheckBias(const Spec::Bias& bias, const LayerGeometry& geometry) {
  if (bias.initializer.has_value()) {
    if (auto status = Check(*bias.initializer, {geometry.shape[0]}); !status.ok()) {
      return UnderField(status, "initializer");
    }
  }
  if (!bias.plasticity.has_value()) return absl::OkStatus();
  return UnderField(Check(*bias.plasticity), "plasticity");
}

absl::Status CheckWeights(const Spec& layer, const LayerGeometry& geometry,
                          const LayerPlace& place) {
  if (layer.initializer.has_value()) {
    if (auto status = Check(*layer.initializer, geometry.weights(place.below)); !status.ok()) {
      return UnderField(status, "initializer");
    }
  }
  if (layer.plasticity.has_value()) {
    if (auto status = Check(*layer.plasticity); !status.ok()) {
      return UnderField(status, "plasticity");
    }
  }
  return layer.bias.has_value() ? UnderField(CheckBias(*layer.bias, geometry), "bias")
                                : absl::OkStatus();
}

absl::Status CheckNoise(const Spec& layer, double dt) {
  if (auto status = CheckNotNegative("rate_noise", layer.rate_noise); !status.ok()) return status;
  if (!layer.noise.has_value()) return absl::OkStatus();
  return UnderField(Check(*layer.noise, dt), "noise");
}

absl::Status CheckFeedback(const Spec& layer, const LayerGeometry& geometry,
                           const LayerPlace& place) {
  if (!layer.feedback_initializer.has_value()) return absl::OkStatus();
  constexpr absl::string_view kField = "feedback_initializer";
  const bool is_direct = place.spec.feedback == FeedbackPath::kDirect;
  if (place.spec.feedback == FeedbackPath::kTranspose) {
    return InvalidField(kField, "must not be set with FEEDBACK_PATH_TRANSPOSE, where B = W^T");
  }
  if (is_direct && place.is_last()) {
    return InvalidField(kField, "must not be set for the last layer: the teacher tells its error");
  }
  if (!is_direct && place.is_first()) {
    return InvalidField(kField, "must not be set for the first layer, which sends no errors on");
  }
  const std::vector<int64_t> W = geometry.weights(place.below);
  const std::vector<int64_t> B = is_direct
                                     ? std::vector<int64_t>{geometry.size(), place.output_size}
                                     : std::vector<int64_t>{W[1], W[0]};
  return UnderField(Check(*layer.feedback_initializer, B), kField);
}

absl::Status CheckAlignment(const Spec& layer, const LayerPlace& place) {
  if (!layer.alignment.has_value()) return absl::OkStatus();
  constexpr absl::string_view kField = "alignment";
  if (place.spec.feedback != FeedbackPath::kAligned) {
    return InvalidField(kField, "must not be set unless feedback is FEEDBACK_PATH_ALIGNED");
  }
  if (place.is_first()) {
    return InvalidField(kField, "must not be set for the first layer, which sends no errors on");
  }
  if (auto status = Check(*layer.alignment, place.dt); !status.ok()) {
    return UnderField(status, kField);
  }
  if (place.has_noise_below || !layer.alignment->plasticity.has_value()) return absl::OkStatus();
  return InvalidField(kField, "must not be set unless the layer below has noise to learn from");
}

}  // namespace

absl::Status CheckGeometry(const Spec& layer, const LayerPlace& place) {
  if (auto status = CheckName(layer.name); !status.ok()) return status;
  if (const auto* dense = std::get_if<Spec::Dense>(&layer.kind)) {
    if (dense->size >= 1) return absl::OkStatus();
    return InvalidField("dense.size", absl::StrCat("must be >= 1, got ", dense->size));
  }
  const absl::string_view kind = IsPool(layer) ? "pool" : "convolution";
  if (place.spec.order == LatentEquilibriumSpec::Order::kDynamics) {
    return InvalidField(kind, "must not be set with ORDER_DYNAMICS, which knows dense layers only");
  }
  if (place.below.shape.size() < 2) {
    return InvalidField(kind, "must stand on [channels, length] or [channels, height, width]");
  }
  if (!IsPool(layer)) {
    return UnderField(CheckConvolution(std::get<Spec::Convolution>(layer.kind), place.below), kind);
  }
  if (place.is_last()) {
    return InvalidField(kind, "must not be the last layer, which needs neurons to teach");
  }
  return UnderField(CheckPool(std::get<Spec::Pool>(layer.kind), place.below), kind);
}

absl::Status CheckLayer(const Spec& layer, const LayerGeometry& geometry, const LayerPlace& place) {
  if (auto status = CheckNoise(layer, place.dt); !status.ok()) return status;
  if (IsPool(layer)) return CheckPoolHasNoNeurons(layer);
  if (auto status = CheckTaus(layer, geometry, place.dt); !status.ok()) return status;
  if (auto status = CheckWeights(layer, geometry, place); !status.ok()) return status;
  if (auto status = CheckFeedback(layer, geometry, place); !status.ok()) return status;
  return CheckAlignment(layer, place);
}

}  // namespace prospero
