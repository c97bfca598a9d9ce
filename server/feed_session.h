#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "prospero/v1/simulation_service.pb.h"
#include "server/host.h"

namespace prospero::server {

/// One Feed stream. The reactor owns itself; the host must outlive it.
grpc::ServerReadReactor<v1::FeedRequest>* MakeFeedSession(Host* host,
                                                          grpc::CallbackServerContext* context,
                                                          v1::FeedResponse* response);

}  // namespace prospero::server
