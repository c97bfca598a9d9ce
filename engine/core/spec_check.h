#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace prospero {

// What the specs of all models are checked with. kInvalidArgument names the field.

/// "<field>: must be <wish>, got <got>".
absl::Status Refuse(absl::string_view field, absl::string_view wish, double got);

/// Letters, digits and _, starting with a letter, at most `max_length`; of the field "name".
absl::Status CheckName(absl::string_view name, size_t max_length = 63);

/// One value or `size` values, each finite and >= `minimum`; `wish` names the minimum.
absl::Status CheckValues(absl::string_view field, const std::vector<double>& values, int64_t size,
                         double minimum, absl::string_view wish);

/// Time constants [ms]: one or `size` values, each finite and >= dt.
absl::Status CheckTau(absl::string_view field, const std::vector<double>& tau, int64_t size,
                      double dt);

/// Finite and >= 0.
absl::Status CheckNotNegative(absl::string_view field, double value);

/// 0, or finite and >= dt: a time constant [ms] of something that may be left out.
absl::Status CheckOptionalTau(absl::string_view field, double tau, double dt);

}  // namespace prospero
