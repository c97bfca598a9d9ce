#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"

/// What a server says about a refusal, beside its code and message.
///
/// Every absl::Status that this library hands out for an answer of the server carries the
/// server's google.rpc.ErrorInfo and google.rpc.BadRequest as payloads; these functions read
/// them. Errors made by the library itself (no connection, a stream that was cancelled) have
/// none, and the functions return empty answers for them. All are pure and thread-safe.
namespace prospero::client {

/// A field of the request that the server refused.
struct FieldViolation {
  std::string field;        ///< its path, such as "network.spec.gle.populations[1].tau_m_ms"
  std::string description;  ///< what is wrong with it
};

/// The stable reason, UPPER_SNAKE, such as "LEASE_HELD"; see proto/README.md. Empty: none.
std::string Reason(const absl::Status& status);

/// What belongs to the reason, such as {"step": "120"} for DIVERGED.
std::map<std::string, std::string> Metadata(const absl::Status& status);

/// The fields that were wrong, in the order of the server.
std::vector<FieldViolation> FieldViolations(const absl::Status& status);

}  // namespace prospero::client
