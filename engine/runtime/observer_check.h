#pragma once

#include "absl/status/status.h"
#include "engine/core/variable.h"
#include "engine/runtime/observer.h"

namespace prospero {

/// kInvalidArgument names the field ("selections[1].slice", "capacity"); kResourceExhausted
/// (LIMIT_EXCEEDED) when what is kept for a slow reader could be more than `max_bytes`.
absl::Status CheckObserver(const ObserverSpec& spec, const VariableTable& variables,
                           int64_t max_bytes);

}  // namespace prospero
