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
  std::string network;    ///< "networks/{network}"
  std::string uid;        ///< of the network
  std::string model;      ///< "gle"
  std::string precision;  ///< "FLOAT32"
  double dt_ms = 0.0;
  v1::NetworkSpec spec;
  Cursor cursor;
  uint64_t seed = 0;
  uint64_t noise_seed = 0;
  std::string build;
  absl::Time create_time;
};

/// Gives the bytes of a snapshot's file to `sink`, piece by piece; its errors.
absl::Status WriteSnapshot(const Snapshot& snapshot, const SnapshotInfo& info,
                           const Blobs::Sink& sink);

/// kDataLoss (SNAPSHOT_DAMAGED), saying what is wrong, unless the file is whole and as it was
/// written; those of the reader. `info` may be null.
absl::StatusOr<Snapshot> ReadSnapshot(const BlobReader& reader, SnapshotInfo* info);

/// Without the arrays: only the header is read and checked.
absl::StatusOr<SnapshotInfo> ReadSnapshotInfo(const BlobReader& reader);

}  // namespace prospero::server
