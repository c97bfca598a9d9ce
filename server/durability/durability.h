#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/record.h"

namespace prospero::server {

struct Host;

/// What a network gets that asks for `wanted`: the server's default when it does not say.
/// kInvalidArgument, naming `path`, for a value that is unknown; kFailedPrecondition
/// (STORAGE_EPHEMERAL) for one that the server cannot give.
absl::StatusOr<v1::Durability> ChooseDurability(const Host& host, v1::Durability wanted,
                                                absl::string_view path);

/// Lets the journal of a network that was just made begin, unless it has none. What came before is
/// part of what it was made as.
void BeginJournal(const Record& record, Instance::Done<Cursor> done);

/// Keeps a network that was just made, with `answer` in the same transaction, and calls `done`, on
/// any thread, when it is on disk. `has_past`: it does not begin as its spec says, but with what it
/// is now. On an error it is taken back: ended, and dropped from the store.
void Establish(Host& host, const std::shared_ptr<Record>& record, bool has_past,
               std::vector<Write> answer, std::function<void(const absl::Status&)> done);

/// Changes how well a network is kept, in the turn of a call that changes it, and calls `done`, on
/// any thread, when that is on disk. A journal that begins or ends does so at a checkpoint. `with`
/// makes what is kept in the same transaction, when the record says what it has become. On an error
/// it has become nothing else: of memory and disk; kFailedPrecondition (NETWORK_FAILED).
void ChangeDurability(Host& host, const std::shared_ptr<Record>& record, v1::Durability to,
                      std::function<std::vector<Write>()> with,
                      std::function<void(const absl::Status&)> done);

/// Removes the checkpoints, restores and snapshots of a network that was dropped, where that may
/// wait. What cannot be removed stays until the server is started again.
void RemoveBlobsLater(Host& host, const std::string& uid);

}  // namespace prospero::server
