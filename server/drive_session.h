#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "prospero/v1/simulation_service.pb.h"
#include "server/host.h"

namespace prospero::server {

/// One Drive stream. The reactor owns itself; the host must outlive it.
grpc::ServerBidiReactor<v1::DriveRequest, v1::DriveResponse>* MakeDriveSession(
    Host* host, grpc::CallbackServerContext* context);

}  // namespace prospero::server
