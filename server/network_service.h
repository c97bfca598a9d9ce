#pragma once

#include <grpcpp/impl/service_type.h>

#include <memory>

#include "server/host.h"

namespace prospero::server {

/// v1::NetworkService on top of `host`, which must outlive it.
std::unique_ptr<grpc::Service> MakeNetworkService(Host* host);

}  // namespace prospero::server
