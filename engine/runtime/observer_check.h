#pragma once

#include "absl/status/status.h"
#include "engine/core/variable.h"
#include "engine/runtime/observer.h"

namespace prospero {

/// kInvalidArgument names the field ("selections[1].slice", "capacity").
absl::Status CheckObserver(const ObserverSpec& spec, const VariableTable& variables);

}  // namespace prospero
