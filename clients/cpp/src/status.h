#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"

namespace prospero::client {

/// The same error, with its details as payloads under their type URLs.
absl::Status ToStatus(const google::rpc::Status& status);
/// The same error; its details come from the trailing metadata that gRPC reserves for them.
absl::Status ToStatus(const grpc::Status& status);

}  // namespace prospero::client
