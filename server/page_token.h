#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace prospero::server {

/// Where a list goes on: after this id, with the same filter. Opaque to clients and URL-safe.
std::string MakePageToken(absl::string_view after, absl::string_view filter);

/// The id; empty for an empty token. kInvalidArgument, naming "page_token", unless it was made
/// with this filter.
absl::StatusOr<std::string> ReadPageToken(absl::string_view token, absl::string_view filter);

}  // namespace prospero::server
