#pragma once

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "server/store/database.h"

namespace prospero::server {

/// Takes a database from one version of the format to the next.
struct Migration {
  absl::Status (*run)(const Database& database);
};

/// The n-th takes version n to n + 1; the first one makes the tables. They are never changed once
/// a version was released: a new one is added behind them.
absl::Span<const Migration> Migrations();

/// Takes a database to the newest version, all in one transaction, and tallies it anew.
/// kFailedPrecondition (DATA_DIR_TOO_NEW) when it is newer than that.
absl::Status Migrate(const Database& database, absl::Span<const Migration> migrations);

}  // namespace prospero::server
