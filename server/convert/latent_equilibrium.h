#pragma once

#include "absl/status/statusor.h"
#include "engine/models/latent_equilibrium/latent_equilibrium.h"
#include "prospero/v1/latent_equilibrium.pb.h"

namespace prospero::server {

/// The engine's spec. kInvalidArgument names the field ("layers[1].tau_ms[0]") of a number that
/// is not finite, an unknown enum value, a layer of no kind, or a field that a pool does not have;
/// everything else is checked by CheckLatentEquilibrium.
absl::StatusOr<LatentEquilibriumSpec> FromProto(const v1::LatentEquilibriumSpec& spec);

}  // namespace prospero::server
