#pragma once

#include <string>

#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace prospero::client {

/// A snapshot that CreateSnapshot takes.
struct SnapshotOptions {
  std::string id = {};  ///< lower-case letters, digits and -; empty: the server chooses
  std::string description = {};
  absl::optional<absl::Duration> ttl = {};  ///< the server deletes it then; none: it stays
  /// Of the call: a large network takes as long as its disk.
  absl::optional<absl::Duration> timeout = {};
};

/// How Export copies a file.
struct ExportOptions {
  /// A stream that broke goes on where it was, until nothing has come for so long.
  absl::Duration patience = absl::Seconds(60);
};

}  // namespace prospero::client
