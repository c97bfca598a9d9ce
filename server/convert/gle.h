#pragma once

#include "absl/status/statusor.h"
#include "engine/models/gle/gle.h"
#include "prospero/v1/gle.pb.h"

namespace prospero::server {

/// The engine's spec. kInvalidArgument names the field ("populations[1].tau_m_ms[0]") of a
/// number that is not finite, an unknown enum value, or a field that has no meaning for the
/// population's role; everything else is checked by CheckGle.
absl::StatusOr<GleSpec> FromProto(const v1::GleSpec& spec);

}  // namespace prospero::server
