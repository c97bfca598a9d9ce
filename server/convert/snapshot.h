#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "google/protobuf/duration.pb.h"
#include "prospero/v1/network.pb.h"

namespace prospero::server {

/// "networks/{network}/snapshots/{snapshot}", of two ids.
std::string SnapshotName(absl::string_view network, absl::string_view snapshot);

/// The ids of a snapshot's name.
struct SnapshotIds {
  std::string network;
  std::string snapshot;
};
/// kInvalidArgument, naming `path`, when it is not one.
absl::StatusOr<SnapshotIds> SnapshotIdsOf(absl::string_view name, absl::string_view path);

/// "networks/{network}" of a snapshot's name; anything for what is none.
absl::string_view NetworkPart(absl::string_view snapshot_name);

/// kInvalidArgument, naming `path`, when it is longer than Snapshot.description may be.
absl::Status CheckDescription(absl::string_view description, absl::string_view path);

/// How long a snapshot stays. kInvalidArgument, naming `path`, unless it is > 0 and at most a
/// hundred years.
absl::StatusOr<absl::Duration> ReadTtl(const google::protobuf::Duration& ttl,
                                       absl::string_view path);

/// Snapshots that are taken by themselves.
struct SnapshotRhythm {
  absl::Duration every;  ///< from 1 s to 365 days
  int32_t keep = 10;
};
/// None when none are to be taken. Errors name the field of the policy; `max_keep` is what a
/// network may have.
absl::StatusOr<absl::optional<SnapshotRhythm>> FromProto(const v1::SnapshotPolicy& policy,
                                                         int32_t max_keep);

}  // namespace prospero::server
