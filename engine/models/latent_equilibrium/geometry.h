#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/optional.h"
#include "engine/models/latent_equilibrium/latent_equilibrium.h"
#include "engine/models/latent_equilibrium/window.h"

namespace prospero {

/// What a layer is, on the one below.
struct LayerGeometry {
  std::vector<int64_t> shape;     ///< [size], [channels, length] or [channels, height, width]
  absl::optional<Window> window;  ///< of a convolution or a pool

  int64_t size() const;
  /// Of W: [post, pre], of a convolution [channels, channels below × kernel]; `below`: of the
  /// layer below.
  std::vector<int64_t> weights(const LayerGeometry& below) const;
};

/// Of a layer whose lists have the lengths that Window wants.
LayerGeometry GeometryOf(const LatentEquilibriumLayer& layer, const LayerGeometry& below);

bool IsPool(const LatentEquilibriumLayer& layer);

}  // namespace prospero
