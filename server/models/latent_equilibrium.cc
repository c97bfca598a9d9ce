#include "server/models/latent_equilibrium.h"

#include "engine/models/latent_equilibrium/latent_equilibrium.h"
#include "server/convert/latent_equilibrium.h"
#include "server/models/recipe.h"

namespace prospero::server {
namespace {

absl::Status CheckCounts(const v1::LatentEquilibriumSpec& spec, const NetworkLimits& limits) {
  return CheckCount("max_populations", limits.max_populations, spec.layers_size(), "layers");
}

}  // namespace

ModelKind LatentEquilibriumKind() {
  return KindOf<v1::LatentEquilibriumSpec, LatentEquilibriumSpec>(
      "latent_equilibrium", "Layers of Latent Equilibrium: dense, convolution, pooling",
      v1::NetworkSpec::kLatentEquilibrium,
      {&v1::NetworkSpec::latent_equilibrium, CheckCounts, FromProto, CheckLatentEquilibrium,
       MakeLatentEquilibrium});
}

}  // namespace prospero::server
