#include "engine/models/latent_equilibrium/geometry.h"

#include "engine/core/arena.h"

namespace prospero {

int64_t LayerGeometry::size() const {
  int64_t size = 1;
  for (const int64_t extent : shape) size = SaturatingMul(size, extent);
  return size;
}

std::vector<int64_t> LayerGeometry::weights(const LayerGeometry& below) const {
  return {shape[0], window.has_value() ? window->patch() : below.size()};
}

LayerGeometry GeometryOf(const LatentEquilibriumLayer& layer, const LayerGeometry& below) {
  using Spec = LatentEquilibriumLayer;
  if (const auto* dense = std::get_if<Spec::Dense>(&layer.kind)) {
    return {{dense->size}, absl::nullopt};
  }
  LayerGeometry geometry;
  if (const auto* convolution = std::get_if<Spec::Convolution>(&layer.kind)) {
    geometry.shape = {convolution->channels};
    geometry.window =
        WindowOf(below.shape, convolution->kernel, convolution->stride, {1}, convolution->padding);
  } else {
    const auto& pool = std::get<Spec::Pool>(layer.kind);
    geometry.shape = {below.shape[0]};
    geometry.window = WindowOf(below.shape, pool.window, pool.stride, pool.window, {});
  }
  if (below.shape.size() == 3) geometry.shape.push_back(geometry.window->out(0));
  geometry.shape.push_back(geometry.window->out(1));
  return geometry;
}

bool IsPool(const LatentEquilibriumLayer& layer) {
  return std::holds_alternative<LatentEquilibriumLayer::Pool>(layer.kind);
}

}  // namespace prospero
