#include "engine/models/latent_equilibrium/latent_equilibrium.h"

#include "engine/models/latent_equilibrium/check.h"
#include "engine/models/latent_equilibrium/network.h"
#include "engine/models/make.h"

namespace prospero {

absl::StatusOr<Footprint> CheckLatentEquilibrium(const LatentEquilibriumSpec& spec,
                                                 const NetworkOptions& options,
                                                 const NetworkLimits& limits) {
  return CheckModel<LatentEquilibriumParts>(spec, options, limits, CheckSpec);
}

absl::StatusOr<std::unique_ptr<Network>> MakeLatentEquilibrium(const LatentEquilibriumSpec& spec,
                                                               const NetworkOptions& options,
                                                               const NetworkLimits& limits) {
  return MakeModel<LatentEquilibriumNetwork>(spec, options,
                                             CheckLatentEquilibrium(spec, options, limits));
}

}  // namespace prospero
