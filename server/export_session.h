#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "prospero/v1/state_service.pb.h"
#include "server/host.h"

namespace prospero::server {

/// One stream of a snapshot's file. The reactor owns itself; the host must outlive it.
grpc::ServerWriteReactor<v1::ExportSnapshotResponse>* MakeExportSession(
    Host* host, grpc::CallbackServerContext* context, const v1::ExportSnapshotRequest& request);

}  // namespace prospero::server
