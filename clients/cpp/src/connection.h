#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "durations.h"
#include "prospero/client/array.h"
#include "prospero/v1/network_service.grpc.pb.h"
#include "prospero/v1/server_service.grpc.pb.h"
#include "prospero/v1/simulation_service.grpc.pb.h"
#include "prospero/v1/state_service.grpc.pb.h"
#include "status.h"

namespace prospero::client {

/// The HTTP/2 connections and the stubs on them. Immutable, shared by everything that calls.
struct Connection {
  Connection(std::shared_ptr<grpc::Channel> open_channel,
             const std::shared_ptr<grpc::Channel>& live_channel, absl::Duration timeout);

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::NetworkService::Stub> networks;
  std::unique_ptr<v1::SimulationService::Stub> simulations;
  std::unique_ptr<v1::SimulationService::Stub> live;  ///< for observers
  std::unique_ptr<v1::ServerService::Stub> server;
  std::unique_ptr<v1::StateService::Stub> state;
  absl::Duration call_timeout;
};

/// kControl repeats calls of the control plane; kLive has a small window, in which no seconds of
/// stale samples can wait.
enum class ChannelUse { kControl, kLive };
std::shared_ptr<grpc::Channel> OpenChannel(const std::string& target, ChannelUse use);

/// A random version 4 UUID.
std::string NewRequestId();

/// "networks/{network}" from an id or a name.
std::string NetworkName(absl::string_view id);

inline Cursor ToCursor(const v1::Cursor& cursor) { return {cursor.epoch(), cursor.step()}; }

/// Makes one unary call.
template <class Stub, class Request, class Response>
absl::StatusOr<Response> Call(const Connection& /*connection*/, Stub& stub,
                              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                           Response*),
                              const Request& request, absl::Duration timeout) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return ToStatus(status);
  return response;
}

/// The same with the connection's timeout.
template <class Stub, class Request, class Response>
absl::StatusOr<Response> Call(const Connection& connection, Stub& stub,
                              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                           Response*),
                              const Request& request) {
  return Call(connection, stub, method, request, connection.call_timeout);
}

}  // namespace prospero::client
