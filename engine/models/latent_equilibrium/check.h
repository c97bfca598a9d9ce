#pragma once

#include "absl/status/status.h"
#include "engine/core/network.h"
#include "engine/models/latent_equilibrium/geometry.h"
#include "engine/models/latent_equilibrium/latent_equilibrium.h"

namespace prospero {

/// Checks every field of the spec, and the counts of neurons and weights, which it puts into
/// `footprint`. Errors as CheckLatentEquilibrium.
absl::Status CheckSpec(const LatentEquilibriumSpec& spec, const NetworkOptions& options,
                       const NetworkLimits& limits, Footprint& footprint);

/// What a layer is checked against.
struct LayerPlace {
  const LatentEquilibriumSpec& spec;
  const double dt;  ///< [ms]
  size_t index = 0;
  LayerGeometry below;
  bool has_noise_below = false;
  int64_t output_size = 0;  ///< of the last layer; 0: not known yet

  bool is_first() const { return index == 0; }
  bool is_last() const { return index + 1 == spec.layers.size(); }
};

/// Name, kind and extents, so that GeometryOf can be called.
absl::Status CheckGeometry(const LatentEquilibriumLayer& layer, const LayerPlace& place);

/// All the rest.
absl::Status CheckLayer(const LatentEquilibriumLayer& layer, const LayerGeometry& geometry,
                        const LayerPlace& place);

}  // namespace prospero
