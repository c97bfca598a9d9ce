#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "server/host.h"

namespace prospero::server {

// One stream of samples. The reactors own themselves; the host must outlive them. Messages are
// bytes: of a v1::SubscribeRequest, v1::WatchRequest and so on.

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* MakeSubscribeSession(
    Host* host, grpc::CallbackServerContext* context);

grpc::ServerWriteReactor<grpc::ByteBuffer>* MakeWatchSession(Host* host,
                                                             grpc::CallbackServerContext* context,
                                                             const grpc::ByteBuffer& request);

}  // namespace prospero::server
