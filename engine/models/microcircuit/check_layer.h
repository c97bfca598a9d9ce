#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "engine/models/microcircuit/microcircuit.h"

namespace prospero::microcircuit {

/// Checks the fields of one layer. kInvalidArgument names the field from the layer on
/// ("noise.sigma").
absl::Status CheckLayer(const MicrocircuitSpec& spec, size_t layer, double dt);

}  // namespace prospero::microcircuit
