#pragma once

#include "absl/status/statusor.h"
#include "engine/models/microcircuit/microcircuit.h"
#include "prospero/v1/microcircuit.pb.h"

namespace prospero::server {

/// The engine's spec. kInvalidArgument names the field ("layers[1].noise.sigma") of a number that
/// is not finite, an unknown enum value, or a field that the input does not have; everything else
/// is checked by CheckMicrocircuit.
absl::StatusOr<MicrocircuitSpec> FromProto(const v1::MicrocircuitSpec& spec);

}  // namespace prospero::server
