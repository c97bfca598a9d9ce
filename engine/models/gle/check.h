#pragma once

#include "absl/status/status.h"
#include "engine/core/network.h"
#include "engine/models/gle/gle.h"

namespace prospero {

/// Checks every field of the spec, and the counts of neurons and weights, which it puts into
/// `footprint`. Errors as CheckGle.
absl::Status CheckSpec(const GleSpec& spec, const NetworkOptions& options,
                       const NetworkLimits& limits, Footprint& footprint);

}  // namespace prospero
