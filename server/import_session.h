#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "prospero/v1/state_service.pb.h"
#include "server/host.h"

namespace prospero::server {

/// One upload of a snapshot. The reactor owns itself; the host must outlive it.
grpc::ServerReadReactor<v1::ImportSnapshotRequest>* MakeImportSession(
    Host* host, grpc::CallbackServerContext* context, v1::ImportSnapshotResponse* response);

}  // namespace prospero::server
