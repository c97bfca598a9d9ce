#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/store/database.h"
#include "server/store/migrations.h"

namespace prospero::server {

/// What marks the file as ours: application_id of its header.
constexpr int64_t kApplicationId = 0x50525370;

/// Sets those of the first 100 bytes of a database right that are the same in all of ours. True
/// when there was something to set right.
bool RightHeader(std::string* header);

/// Reads everything: the structure of the file, the tables, and each row, against its checksum and
/// the tally. A sentence for each kind of damage; none: all that was committed is there.
/// kFailedPrecondition (DATA_DIR_TOO_NEW); kUnavailable (DISK_ERROR).
absl::StatusOr<std::vector<std::string>> FindDamage(const Database& database,
                                                    absl::Span<const Migration> migrations);

}  // namespace prospero::server
