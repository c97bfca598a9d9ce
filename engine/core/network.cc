#include "engine/core/network.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"

namespace prospero {
namespace {

/// Looks at one row after the other: the copy of a large array would be memory that nobody was
/// told of.
template <class Real>
bool AllFinite(const Variable& variable) {
  Variable row = variable;
  const int64_t rows = variable.shape.empty() ? 1 : variable.shape.front();
  const int64_t distance = variable.shape.empty() ? 0 : variable.strides.front();
  if (!row.shape.empty()) row.shape.front() = 1;
  std::vector<Real> values(static_cast<size_t>(row.size()));
  for (int64_t i = 0; i < rows; ++i) {
    row.data = static_cast<Real*>(variable.data) + i * distance;
    row.Read(values.data());
    if (!std::all_of(values.begin(), values.end(), [](Real x) { return std::isfinite(x); })) {
      return false;
    }
  }
  return true;
}

bool IsFinite(const Variable& variable) {
  return variable.type == DataType::kFloat32 ? AllFinite<float>(variable)
                                             : AllFinite<double>(variable);
}

}  // namespace

absl::Status CheckLimit(absl::string_view name, int64_t value, int64_t limit) {
  if (value <= limit) return absl::OkStatus();
  const std::string wanted = value == INT64_MAX ? "more than 2^63 - 1" : absl::StrCat(value);
  absl::Status status = Error(absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED",
                              absl::StrCat(name, " is ", limit, ", the network needs ", wanted));
  status = WithMetadata(std::move(status), "limit", name);
  status = WithMetadata(std::move(status), "max", absl::StrCat(limit));
  return WithMetadata(std::move(status), "wanted", wanted);
}

absl::Status Check(const NetworkOptions& options, const NetworkLimits& limits) {
  if (!std::isfinite(options.dt) || options.dt <= 0) {
    return InvalidField("dt_ms", absl::StrCat("must be finite and > 0, got ", options.dt));
  }
  if (options.batch_size < 1) {
    return InvalidField("batch_size", absl::StrCat("must be >= 1, got ", options.batch_size));
  }
  return CheckLimit("max_batch_size", options.batch_size, limits.max_batch_size);
}

int FindNonFinite(const VariableTable& variables) {
  int first_state = -1;
  for (int i = 0; i < variables.size(); ++i) {
    const Variable& variable = variables[i];
    if (!IsSaved(variable.role) || IsFinite(variable)) continue;
    if (variable.role == Role::kWeight || variable.role == Role::kParameter) return i;
    if (first_state < 0) first_state = i;
  }
  return first_state;
}

}  // namespace prospero
