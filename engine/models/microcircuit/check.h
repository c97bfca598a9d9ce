#pragma once

#include "absl/status/status.h"
#include "engine/core/network.h"
#include "engine/models/microcircuit/microcircuit.h"

namespace prospero::microcircuit {

/// Checks every field of the spec, and the counts of neurons and weights, which it puts into
/// `footprint`. Errors as CheckMicrocircuit.
absl::Status CheckSpec(const MicrocircuitSpec& spec, const NetworkOptions& options,
                       const NetworkLimits& limits, Footprint& footprint);

}  // namespace prospero::microcircuit
