#pragma once

#include <string>

#include "absl/time/time.h"
#include "prospero/v1/network.pb.h"

namespace prospero::server {

/// What a server keeps of its networks, and how.
struct StorageOptions {
  /// Where it lies. One server at a time uses a directory.
  std::string data_dir = "prospero-data";
  /// Nothing outlives the server: `data_dir` is not touched, and `durability` is taken as NONE.
  bool ephemeral = false;
  /// Of networks that are created without one.
  v1::Durability durability = v1::DURABILITY_ASYNC;
  /// How long a write gathers others when nobody waits for it.
  absl::Duration group_commit = absl::Milliseconds(10);
  /// That bring networks back at the start; 0: the cores.
  int recovery_threads = 0;
};

/// What networks get that are created without a durability.
inline v1::Durability DefaultDurability(const StorageOptions& options) {
  return options.ephemeral ? v1::DURABILITY_NONE : options.durability;
}

}  // namespace prospero::server
