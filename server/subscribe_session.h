#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "prospero/v1/simulation_service.pb.h"
#include "server/host.h"

namespace prospero::server {

// One stream of samples. The reactors own themselves; the host must outlive them.

grpc::ServerBidiReactor<v1::SubscribeRequest, v1::SubscribeResponse>* MakeSubscribeSession(
    Host* host, grpc::CallbackServerContext* context);

grpc::ServerWriteReactor<v1::WatchResponse>* MakeWatchSession(Host* host,
                                                              grpc::CallbackServerContext* context,
                                                              const v1::WatchRequest& request);

}  // namespace prospero::server
