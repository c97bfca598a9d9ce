#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace prospero {

/// An error about one field of a request or spec. `path` names it as a client would write
/// it, from the part that the callee was given ("populations[1].tau_m_ms"); `message` says what
/// is wrong, what was given and what is allowed. The status reads "<path>: <message>"; path and
/// the reason INVALID_FIELD travel in the payload.
absl::Status InvalidField(absl::string_view path, absl::string_view message);

/// As InvalidField, with another code and reason.
absl::Status FieldError(absl::StatusCode code, absl::string_view reason, absl::string_view path,
                        absl::string_view message);

/// An error with a stable reason for programs (UPPER_SNAKE, as in proto/README.md).
absl::Status Error(absl::StatusCode code, absl::string_view reason, absl::string_view message);

/// The same error with `key` = `value` for programs to read.
absl::Status WithMetadata(absl::Status status, absl::string_view key, absl::string_view value);

/// The same error with `prefix` before its field path and in its message, if it has one:
/// "spec" and "populations[1]" give "spec.populations[1]", "populations" and "[1]" give
/// "populations[1]".
absl::Status UnderField(absl::Status status, absl::string_view prefix);

/// Empty when the error names no field.
std::string FieldPath(const absl::Status& status);
/// Empty when the error has no reason of its own.
std::string Reason(const absl::Status& status);
/// Calls visit(key, value) for each piece of metadata, in the order of the keys.
void VisitMetadata(
    const absl::Status& status,
    const std::function<void(absl::string_view key, absl::string_view value)>& visit);

}  // namespace prospero
