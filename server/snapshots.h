#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "prospero/v1/state_service.pb.h"
#include "server/host.h"
#include "server/record.h"
#include "server/request_cache.h"

namespace prospero::server {

// What the calls of v1::StateService and the policies do with the snapshots of a network.

/// A snapshot that somebody wants.
struct SnapshotWish {
  std::string id;  ///< empty: the server chooses
  std::string description;
  absl::optional<absl::Duration> ttl;
  v1::Snapshot::Origin origin = v1::Snapshot::ORIGIN_CALL;
  Shelf::More with = {};  ///< kept in the same transaction
};

/// Takes a snapshot of the present state, writes it to disk, and replies, on any thread, when it is
/// there. Returns without waiting. After an error there is none, nor will be.
/// kFailedPrecondition (NETWORK_FAILED): what has left the finite range is not kept. kUnavailable
/// (STORAGE_DEGRADED) when the disk refuses; errors as Shelf::Take and Budget::Reserve.
void KeepSnapshot(Host& host, const std::shared_ptr<Record>& record, SnapshotWish wish,
                  Reply<v1::Snapshot> reply);

/// Removes a snapshot, with `more` in the same transaction, and its file once that is on disk; then
/// calls `done`, on any thread: kUnavailable (STORAGE_DEGRADED) when it may still come back.
/// kNotFound (SNAPSHOT_NOT_FOUND), or kUnavailable, here and now, when nothing is done.
absl::Status RemoveSnapshot(Host& host, const std::shared_ptr<Record>& record,
                            const std::string& id, std::vector<Write> more,
                            std::function<void(const absl::Status&)> done);

/// A snapshot that was read from its file, and the memory that it takes.
struct LoadedSnapshot {
  std::shared_ptr<const Snapshot> snapshot;
  std::shared_ptr<Budget::Reservation> memory;
};
/// Reads the file of a snapshot, and checks all of it. It takes time; not on gRPC's threads.
/// kDataLoss (SNAPSHOT_DAMAGED), which is noted; kUnavailable (STORAGE_DEGRADED) when the disk
/// cannot be read; as Budget::Reserve.
absl::StatusOr<LoadedSnapshot> LoadSnapshot(Host& host, const Record& record,
                                            const store::StoredSnapshot& row);

/// What the disk says of a file, as clients are told: kUnavailable (STORAGE_DEGRADED).
absl::Status StorageError(const absl::Status& disk);

}  // namespace prospero::server
