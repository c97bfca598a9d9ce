#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/store/store.h"

namespace prospero::server {

struct StoreOptions {
  std::string directory;  ///< made when it is missing
  /// Everything is in memory, blobs in a temporary directory that goes with the store; `directory`
  /// is not looked at.
  bool ephemeral = false;
};

/// A store in one directory: an SQLite database and files. README.md says what is in it and which
/// damage is noticed when.
///
/// kFailedPrecondition: DATA_DIR_IN_USE, DATA_DIR_UNUSABLE, DATA_DIR_TOO_NEW. kDataLoss (DATA_LOSS)
/// when not even the networks can be read. kResourceExhausted (DISK_FULL), kUnavailable
/// (DISK_ERROR).
absl::StatusOr<std::unique_ptr<Store>> OpenStore(const StoreOptions& options);

}  // namespace prospero::server
