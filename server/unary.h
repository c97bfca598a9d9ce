#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "absl/strings/string_view.h"
#include "server/call_log.h"
#include "server/convert/status.h"
#include "server/host.h"
#include "server/request_cache.h"

namespace prospero::server {

/// Answers a unary call by `call`, logs it, and refuses it while the server drains. A call about a
/// network that is being brought back waits for it, if it `awaits`.
template <class Request, class Response>
grpc::ServerUnaryReactor* Answer(Host& host, LogLevel level, absl::string_view method,
                                 absl::string_view network, grpc::CallbackServerContext* context,
                                 const Request* request, Response* response,
                                 void (*call)(Host&, const Request&, Reply<Response>),
                                 bool awaits = true) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const auto log = std::make_shared<CallLog>(&host, level, method, *context);
  log->set_network(network);
  const Reply<Response> reply = [reactor, response, log](absl::StatusOr<Response> answer) {
    log->Finish(answer.status());
    if (answer.ok()) *response = *std::move(answer);
    reactor->Finish(ToGrpc(answer.status()));
  };
  const auto begin = [&host, request, call, reply] {
    if (absl::Status open = host.CheckOpen(); !open.ok()) return reply(open);
    call(host, *request, reply);
  };
  awaits ? host.AwaitNetwork(network, begin) : begin();
  return reactor;
}

}  // namespace prospero::server
