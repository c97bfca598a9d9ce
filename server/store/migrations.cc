#include "server/store/migrations.h"

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/store/tally.h"

namespace prospero::server {
namespace {

/// To version 1.
absl::Status MakeTables(const Database& database) {
  for (const char* const name :
       {"networks", "specs", "journal", "gaps", "checkpoints", "snapshots", "answers", "meta"}) {
    absl::Status made =
        database.Run(absl::StrCat("CREATE TABLE ", name,
                                  " (uid TEXT NOT NULL, number INTEGER NOT NULL, id TEXT NOT NULL, "
                                  "content BLOB NOT NULL, checksum INTEGER NOT NULL, "
                                  "PRIMARY KEY (uid, number, id)) WITHOUT ROWID"));
    if (!made.ok()) return made;
  }
  return absl::OkStatus();
}

absl::Status MigrateFrom(int64_t version, const Database& database,
                         absl::Span<const Migration> migrations) {
  Tally before;
  if (version > 0) {
    const absl::StatusOr<Tally> loaded = Tally::Load(database);
    if (!loaded.ok()) return loaded.status();
    before = *loaded;
  }
  for (const Migration& migration : migrations.subspan(static_cast<size_t>(version))) {
    if (absl::Status done = migration.run(database); !done.ok()) return done;
  }
  absl::StatusOr<Tally> tally = Tally::Count(database);
  if (!tally.ok()) return tally.status();
  tally->commit = before.commit + 1;
  tally->version = static_cast<int>(migrations.size());
  if (absl::Status stored = tally->Store(database); !stored.ok()) return stored;
  return database.Run(absl::StrCat("PRAGMA user_version = ", migrations.size()));
}

}  // namespace

absl::Span<const Migration> Migrations() {
  static constexpr Migration kMigrations[] = {{MakeTables}};
  return kMigrations;
}

absl::Status Migrate(const Database& database, absl::Span<const Migration> migrations) {
  const absl::StatusOr<int64_t> version = database.Number("PRAGMA user_version");
  if (!version.ok()) return version.status();
  if (*version < 0 || *version > static_cast<int64_t>(migrations.size())) {
    return Error(absl::StatusCode::kFailedPrecondition, "DATA_DIR_TOO_NEW",
                 absl::StrCat("the data directory has format ", *version,
                              ", and this server knows formats up to ", migrations.size(),
                              ": use the server that wrote it, or a newer one"));
  }
  if (*version == static_cast<int64_t>(migrations.size())) return absl::OkStatus();
  if (absl::Status begun = database.Run("BEGIN IMMEDIATE"); !begun.ok()) return begun;
  absl::Status done = MigrateFrom(*version, database, migrations);
  if (done.ok()) done = database.Run("COMMIT");
  if (!done.ok()) database.Run("ROLLBACK").IgnoreError();
  return done;
}

}  // namespace prospero::server
