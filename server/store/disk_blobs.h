#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/store/blobs.h"

namespace prospero::server {

/// Files in "blobs" and "uploads" of a directory. What a killed server was writing is removed.
/// Keys and names of uploads that could leave them are refused: kInvalidArgument (BAD_KEY).
absl::StatusOr<std::unique_ptr<Blobs>> OpenDiskBlobs(const std::string& directory);

}  // namespace prospero::server
