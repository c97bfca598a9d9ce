#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace prospero {

/// An error about one field of a request or spec. `path` names it as a client would write
/// it, from the part that the callee was given ("populations[1].tau_m_ms"); `message` says what
/// is wrong, what was given and what is allowed. Path and reason travel in the payload.
absl::Status InvalidField(absl::string_view path, absl::string_view message);

/// An error with a stable reason for programs (UPPER_SNAKE, as in proto/README.md).
absl::Status Error(absl::StatusCode code, absl::string_view reason, absl::string_view message);

/// The same error with `key` = `value` for programs to read.
absl::Status WithMetadata(absl::Status status, absl::string_view key, absl::string_view value);

/// The same error with `prefix` before its field path, if it has one.
absl::Status UnderField(absl::Status status, absl::string_view prefix);

/// Empty when the error names no field.
std::string FieldPath(const absl::Status& status);
/// Empty when the error has no reason of its own.
std::string Reason(const absl::Status& status);
/// Calls visit(key, value) for each piece of metadata.
template <class Visitor>
void VisitMetadata(const absl::Status& status, Visitor visit);

}  // namespace prospero

#include "engine/core/errors_inl.h"
