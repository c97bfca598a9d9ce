#include "engine/runtime/instance_errors.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"

namespace prospero {

absl::Status NetworkPaused() {
  return Error(absl::StatusCode::kFailedPrecondition, "NETWORK_PAUSED",
               "the network is paused, start it first");
}

absl::Status NetworkFailed(const absl::Status& failure) {
  absl::Status status =
      Error(absl::StatusCode::kFailedPrecondition, "NETWORK_FAILED",
            absl::StrCat("the network has failed, reset or restore it first: ", failure.message()));
  VisitMetadata(failure, [&status](absl::string_view key, absl::string_view value) {
    status = WithMetadata(std::move(status), key, value);
  });
  return status;
}

absl::Status EpochChanged(absl::string_view why) {
  return Error(absl::StatusCode::kAborted, "EPOCH_CHANGED", why);
}

absl::Status LeaseLost() {
  return Error(absl::StatusCode::kAborted, "LEASE_LOST", "another driver took the lease");
}

absl::Status LeaseHeld() {
  return Error(absl::StatusCode::kFailedPrecondition, "LEASE_HELD",
               "the network has a driver; ask for `preempt` to take the lease from it");
}

absl::Status Draining() {
  return Error(absl::StatusCode::kUnavailable, "DRAINING", "the server shuts down");
}

}  // namespace prospero
