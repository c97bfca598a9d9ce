#pragma once

#include "server/model_kind.h"

namespace prospero::server {

/// Dendritic microcircuits, from v1::MicrocircuitSpec.
ModelKind MicrocircuitKind();

}  // namespace prospero::server
