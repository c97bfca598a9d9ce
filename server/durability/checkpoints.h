#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/record.h"

namespace prospero::server {

struct Host;

/// A recovery would replay so much that it is time for a checkpoint; or something was not written
/// down. Cheap.
bool CheckpointIsDue(const Record& record);

/// Takes a checkpoint: copied on the strand, written elsewhere, adopted by the keeper; what is not
/// needed any more is removed. Then calls `done`, on any thread. One at a time for each network:
/// kAlreadyExists while one is on its way. kFailedPrecondition when the network has failed: its
/// state cannot be put back. Errors of memory and disk; the network loses nothing by them.
/// `with`: written in the same transaction as the checkpoint.
void TakeCheckpoint(Host& host, const std::shared_ptr<Record>& record,
                    std::function<void(const absl::Status&)> done,
                    std::function<std::vector<Write>()> with = {});

/// The blob is a checkpoint of the network at `mark`, where it stood at `cursor`: its keeper adopts
/// it. Returns what is to be posted for that.
std::vector<Write> AdoptCheckpoint(Keeper& keeper, const std::string& blob,
                                   const Keeper::Mark& mark, const Cursor& cursor);

/// Writes a snapshot of the network to a blob. It takes time; not on a strand or gRPC's threads.
absl::Status WriteSnapshotBlob(Host& host, const Record& record, const Snapshot& snapshot,
                               const std::string& blob);

/// Removes the network's checkpoints and restores that no recovery needs any more.
void RemoveDeadBlobs(Host& host, const Keeper& keeper);

}  // namespace prospero::server
