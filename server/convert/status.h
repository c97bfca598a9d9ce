#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"

namespace prospero::server {

/// The status with its details: always google.rpc.ErrorInfo (domain "prospero", the reason and
/// metadata of `status`; without a reason of its own, the name of its code), and
/// google.rpc.BadRequest when it names a field. Long texts are cut, so that the details fit
/// into the trailing metadata of a call.
google::rpc::Status ToProto(const absl::Status& status);

/// As ToProto, for the end of a call.
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace prospero::server
