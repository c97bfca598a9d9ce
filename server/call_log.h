#pragma once

#include <grpcpp/server_context.h>

#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/host.h"

namespace prospero::server {

/// One call, open while this lives, as the log sees it: a single line when it ends, with method,
/// network, code, duration, peer, and the trace that the client says it belongs to (metadata
/// `x-trace-id`, or the trace id of `traceparent`). Used by one thread at a time.
class CallLog {
 public:
  /// `host` must outlive the call.
  CallLog(Host* host, LogLevel level, absl::string_view method,
          const grpc::ServerContextBase& context);

  void set_network(absl::string_view name);
  /// Only the first call counts.
  void Finish(const absl::Status& status);

 private:
  OpenCalls::Visit visit_;
  Logger* log_;
  LogLevel level_;
  std::string method_;
  std::string network_;
  std::string peer_;
  std::string trace_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace prospero::server
