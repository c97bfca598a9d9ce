#pragma once

#include <grpcpp/impl/service_type.h>

#include <memory>

#include "server/host.h"

namespace prospero::server {

/// v1::StateService on top of `host`, which must outlive it.
std::unique_ptr<grpc::Service> MakeStateService(Host* host);

}  // namespace prospero::server
