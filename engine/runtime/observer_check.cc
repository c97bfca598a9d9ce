#include "engine/runtime/observer_check.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "engine/runtime/window.h"

namespace prospero {
namespace {

absl::Status CheckSlice(const Slice& slice, const Variable& variable) {
  if (SliceCount(slice, variable.size()) > 0) return absl::OkStatus();
  return InvalidField(
      "slice", absl::StrCat("must lie in the ", variable.size(), " values of '", variable.name,
                            "' (start >= 0, count >= 0, stride >= 1), got start ", slice.start,
                            ", count ", slice.count, ", stride ", slice.stride));
}

absl::Status CheckVariable(const Selection& selection, size_t position,
                           const VariableTable& variables) {
  const int index = selection.variables[position];
  if (index < 0 || index >= variables.size()) {
    return InvalidField(absl::StrCat("variables[", position, "]"),
                        absl::StrCat("the network has no variable ", index));
  }
  const Variable& variable = variables[index];
  if (variable.computed() && selection.aggregation != Aggregation::kLast) {
    return InvalidField("aggregation",
                        absl::StrCat("must be LAST for '", variable.name, "', which is computed"));
  }
  return selection.slice.has_value() ? CheckSlice(*selection.slice, variable) : absl::OkStatus();
}

absl::Status CheckSelection(const Selection& selection, const VariableTable& variables) {
  if (selection.variables.empty()) return InvalidField("variables", "must name at least one");
  if (selection.every_steps < 1) {
    return InvalidField("every_steps", absl::StrCat("must be >= 1, got ", selection.every_steps));
  }
  if (!std::isfinite(selection.max_rate_hz) || selection.max_rate_hz < 0) {
    return InvalidField("max_rate_hz",
                        absl::StrCat("must be finite and >= 0, got ", selection.max_rate_hz));
  }
  if (selection.on_change.has_value() &&
      !(std::isfinite(*selection.on_change) && *selection.on_change >= 0)) {
    return InvalidField("on_change",
                        absl::StrCat("must be finite and >= 0, got ", *selection.on_change));
  }
  for (size_t i = 0; i < selection.variables.size(); ++i) {
    if (auto status = CheckVariable(selection, i, variables); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckObserver(const ObserverSpec& spec, const VariableTable& variables) {
  if (spec.selections.empty()) return InvalidField("selections", "must have at least one");
  if (spec.capacity < 1) {
    return InvalidField("capacity", absl::StrCat("must be >= 1, got ", spec.capacity));
  }
  if (spec.retained_bytes < 1) {
    return InvalidField("retained_bytes", absl::StrCat("must be >= 1, got ", spec.retained_bytes));
  }
  for (size_t i = 0; i < spec.selections.size(); ++i) {
    const absl::Status status = CheckSelection(spec.selections[i], variables);
    if (!status.ok()) return UnderField(status, absl::StrCat("selections[", i, "]"));
  }
  return absl::OkStatus();
}

}  // namespace prospero
