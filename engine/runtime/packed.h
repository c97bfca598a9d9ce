#pragma once

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/core/variable.h"

namespace prospero {

/// True when the values lie in memory row-major and without padding.
bool IsPacked(const Variable& variable);

/// One packed value, aligned to nothing.
double ReadValue(DataType type, const char* value);

/// Appends the variable's values, row-major and without padding. Allocates nothing when
/// `out` has the capacity.
void AppendPacked(const Variable& variable, std::string* out);

/// kInvalidArgument, naming path(), the variable and the first bad value, unless all of
/// `packed` is finite and within the variable's bounds.
absl::Status CheckValues(const Variable& variable, absl::string_view packed,
                         absl::FunctionRef<std::string()> path);

}  // namespace prospero
