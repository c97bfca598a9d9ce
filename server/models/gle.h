#pragma once

#include "server/model_kind.h"

namespace prospero::server {

/// Networks of Generalized Latent Equilibrium, from v1::GleSpec.
ModelKind GleKind();

}  // namespace prospero::server
