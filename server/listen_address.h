#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace prospero::server {

/// Where a server listens.
struct ListenAddress {
  std::string host;         ///< without brackets; empty for a unix socket
  std::string port;         ///< digits; empty for a unix socket
  bool only_local = false;  ///< nobody on another machine can reach it

  bool is_unix() const { return host.empty(); }
};

/// Reads "host:port", "[::1]:port" or "unix:path". kInvalidArgument otherwise.
absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text);

}  // namespace prospero::server
