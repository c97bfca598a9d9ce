#pragma once

#include "server/model_kind.h"

namespace prospero::server {

/// Layered networks of Latent Equilibrium, from v1::LatentEquilibriumSpec.
ModelKind LatentEquilibriumKind();

}  // namespace prospero::server
