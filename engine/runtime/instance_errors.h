#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace prospero {

/// Why a job is not run, or not to its end; and why a lease is not given.
absl::Status NetworkPaused();
/// With the metadata of `failure`: the step and the variable that did it.
absl::Status NetworkFailed(const absl::Status& failure);
absl::Status EpochChanged(absl::string_view why);
absl::Status LeaseLost();
absl::Status LeaseHeld();
absl::Status Draining();

}  // namespace prospero
