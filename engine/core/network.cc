#include "engine/core/network.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"

namespace prospero {
namespace {

template <class Real>
bool AllFinite(const Variable& variable) {
  std::vector<Real> values(static_cast<size_t>(variable.size()));
  variable.Read(values.data());
  for (const Real value : values) {
    if (!std::isfinite(value)) return false;
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
