#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/store/data_directory.h"
#include "server/store/database.h"
#include "server/store/migrations.h"
#include "server/store/tally.h"

namespace prospero::server {

/// A database that was read whole and found to be what was written.
struct CheckedDatabase {
  Database database;
  Tally tally;
};

/// Opens "prospero.db" of the directory, or makes it; takes an older format to the newest; checks
/// all of it, and salvages what can be read when it is damaged. The damaged file stays beside it
/// under another name. Adds to `findings` what was found to be damaged or missing.
///
/// Errors: kDataLoss (DATA_LOSS), and no change, when nothing can be salvaged;
/// kFailedPrecondition: DATA_DIR_TOO_NEW, DATA_DIR_UNUSABLE; as Database.
absl::StatusOr<CheckedDatabase> OpenDatabaseFile(const DataDirectory& directory,
                                                 absl::Span<const Migration> migrations,
                                                 std::vector<std::string>* findings);

/// Makes an empty one of the newest format, on disk.
absl::Status MakeDatabaseFile(const std::string& path, absl::Span<const Migration> migrations);

/// Whether one that was found to be damaged still lies in the directory.
bool HasDamagedDatabase(const DataDirectory& directory);

/// How all of our connections are.
absl::Status Configure(const Database& database);

}  // namespace prospero::server
