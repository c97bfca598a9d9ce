#pragma once

#include "absl/status/statusor.h"
#include "engine/core/variable.h"
#include "engine/runtime/safety.h"
#include "prospero/v1/network.pb.h"

namespace prospero::server {

/// What happens when inputs or the driver stop, checked for a network with that table. Errors name
/// the field of `safety`.
absl::StatusOr<SafetySpec> FromProto(const v1::Safety& safety, const VariableTable& table);

}  // namespace prospero::server
