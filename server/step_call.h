#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "prospero/v1/simulation_service.pb.h"
#include "server/host.h"

namespace prospero::server {

/// One unary Step. The reactor owns itself; the host must outlive it.
grpc::ServerUnaryReactor* MakeStepCall(Host* host, grpc::CallbackServerContext* context,
                                       const v1::StepRequest& request, v1::StepResponse* response);

}  // namespace prospero::server
