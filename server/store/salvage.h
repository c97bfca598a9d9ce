#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "server/store/database.h"
#include "server/store/records.h"

namespace prospero::server {

/// Copies every intact row that can still be read from a damaged database into an empty one, and
/// notes where a journal may have lost its end. Adds to `findings` what was lost. kDataLoss
/// (DATA_LOSS) when not even the networks can be read.
absl::Status Salvage(const Database& from, const Database& to, int64_t least_commit,
                     std::vector<std::string>* findings);

/// Notes behind the last piece of each of these journals, or of all (null), that pieces may have
/// been lost there: whoever reads so far is told. Not in a transaction; the tally is not changed.
absl::Status NoteLostEnds(const Database& database, const std::vector<std::string>* uids);

}  // namespace prospero::server
