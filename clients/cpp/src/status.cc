#include "status.h"

#include <string>

#include "absl/strings/cord.h"

namespace prospero::client {

absl::Status ToStatus(const google::rpc::Status& status) {
  absl::Status result(static_cast<absl::StatusCode>(status.code()), status.message());
  for (const auto& detail : status.details()) {
    result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return result;
}

absl::Status ToStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) details.Clear();
  // Code and message of the call are the truth; the details only add to them.
  details.set_code(status.error_code());
  details.set_message(status.error_message());
  return ToStatus(details);
}

}  // namespace prospero::client
