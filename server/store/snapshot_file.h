#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/runtime/cursor.h"
#include "engine/runtime/snapshot.h"
#include "prospero/v1/network.pb.h"
#include "server/store/blobs.h"

namespace prospero::server {

/// What a snapshot's file says of it besides the arrays; see StateService.
struct SnapshotInfo {
  std::string network;    ///< "networks/{network}", when it was taken
  std::string uid;        ///< of the network
  std::string model;      ///< "gle"
  std::string precision;  ///< "FLOAT32"
  double dt_ms = 0.0;
  v1::NetworkSpec spec;
  std::string build;  ///< of the server
  absl::Time create_time;
  // Of the snapshot: WriteSnapshot takes them from there.
  Cursor cursor;
  uint64_t seed = 0;
  uint64_t noise_seed = 0;
};

// A file is in the format of safetensors, with the metadata that state_service.proto lists. Every
// byte of it is covered by a checksum: the header, with its length and its padding, by `checksum`,
// whose own 16 digits count as '0'; each array by its `xxh3:<name>`.
//
// Errors of reading: kDataLoss (SNAPSHOT_DAMAGED), saying what is wrong; kFailedPrecondition
// (SNAPSHOT_TOO_NEW) for a format of the future; kUnavailable (DISK_ERROR).

/// In chunks of at most 1 MiB. The error of the sink.
absl::Status WriteSnapshot(const Snapshot& snapshot, const SnapshotInfo& info,
                           const Blobs::Sink& sink);

/// Reads and checks the header alone.
absl::StatusOr<SnapshotInfo> ReadSnapshotInfo(const BlobReader& reader);

/// Reads and checks all of it, a chunk at a time.
absl::Status CheckSnapshot(const BlobReader& reader);

/// Reads and checks all of it. Takes no more memory than the file has bytes, and the header once
/// more. `info` may be null.
absl::StatusOr<Snapshot> ReadSnapshot(const BlobReader& reader, SnapshotInfo* info);

}  // namespace prospero::server
