#include "server/store/migrations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/core/errors.h"
#include "server/store/data_directory.h"
#include "server/store/database_check.h"
#include "server/store/database_file.h"
#include "server/store/sqlite_writer.h"
#include "store_contents.h"

namespace prospero::server {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// Gives each network a letter more, as a version of the future might.
absl::Status Rename(const Database& database) {
  std::vector<std::pair<std::string, std::string>> rows;
  absl::Status status = VisitRows(database, Table::kNetworks, false, [&](const RowView& row) {
    rows.emplace_back(row.key.uid, row.content);
    return absl::OkStatus();
  });
  for (const auto& [uid, content] : rows) {
    store::StoredNetwork network;
    network.ParseFromString(content);
    network.mutable_network()->mutable_name()->append("!");
    absl::StatusOr<Statement> put =
        database.Prepare("UPDATE networks SET content = ?, checksum = ? WHERE uid = ?");
    if (!put.ok()) return put.status();
    const std::string after = network.SerializeAsString();
    put->BindBlob(1, after);
    put->Bind(2, static_cast<int64_t>(RowChecksum(Table::kNetworks, {uid}, after)));
    put->Bind(3, uid);
    if (status.ok()) status = put->Finish();
  }
  return status;
}

absl::Status AddTable(const Database& database) {
  return database.Run("CREATE TABLE leases (uid TEXT)");
}

absl::Status Fail(const Database& database) {
  const absl::Status dropped = database.Run("DROP TABLE networks");
  return dropped.ok() ? absl::UnavailableError("the disk is full") : dropped;
}

std::vector<Migration> Future(absl::Status (*last)(const Database&)) {
  std::vector<Migration> migrations(Migrations().begin(), Migrations().end());
  migrations.push_back({Rename});
  migrations.push_back({last});
  return migrations;
}

/// A directory as today's server leaves it.
void Fill(const DataDirectory& directory) {
  std::vector<std::string> findings;
  auto checked = OpenDatabaseFile(directory, Migrations(), &findings);
  ASSERT_TRUE(checked.ok()) << checked.status();
  auto writer = *SqliteWriter::Make(&checked->database, checked->tally);
  ASSERT_TRUE(writer->Commit({Network("a", 1), Piece("a", 0, "piece")}).ok());
}

TEST(Migrations, TakeAnOlderDirectoryToTheNewestFormat) {
  const TestDirectory parent;
  const auto directory = *DataDirectory::Open(parent.path());
  Fill(directory);
  const std::vector<Migration> migrations = Future(AddTable);
  std::vector<std::string> findings;
  for (int time = 0; time < 2; ++time) {
    const auto checked = OpenDatabaseFile(directory, migrations, &findings);
    ASSERT_TRUE(checked.ok()) << checked.status();
    EXPECT_EQ(checked->tally.version, static_cast<int>(migrations.size()));
    EXPECT_EQ(*checked->database.Number("PRAGMA user_version"), checked->tally.version);
    EXPECT_THAT(*FindDamage(checked->database, migrations), IsEmpty());
    std::string content;
    ASSERT_TRUE(VisitRows(checked->database, Table::kNetworks, false, [&](const RowView& row) {
                  EXPECT_TRUE(row.intact);
                  content = std::string(row.content);
                  return absl::OkStatus();
                }).ok());
    EXPECT_THAT(content, HasSubstr("networks/of-a!"));
  }
  EXPECT_THAT(findings, IsEmpty());
}

TEST(Migrations, ChangeNothingWhenOneOfThemFails) {
  const TestDirectory parent;
  const auto directory = *DataDirectory::Open(parent.path());
  Fill(directory);
  std::vector<std::string> findings;
  EXPECT_EQ(OpenDatabaseFile(directory, Future(Fail), &findings).status().message(),
            "the disk is full");
  const auto checked = OpenDatabaseFile(directory, Migrations(), &findings);
  ASSERT_TRUE(checked.ok()) << checked.status();
  EXPECT_EQ(checked->tally.rows(Table::kNetworks), 1);
  EXPECT_THAT(findings, IsEmpty());
}

TEST(Migrations, RefuseADirectoryThatIsNewer) {
  const TestDirectory parent;
  const auto directory = *DataDirectory::Open(parent.path());
  Fill(directory);
  std::vector<std::string> findings;
  ASSERT_TRUE(OpenDatabaseFile(directory, Future(AddTable), &findings).ok());
  const absl::Status refused = OpenDatabaseFile(directory, Migrations(), &findings).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Reason(refused), "DATA_DIR_TOO_NEW");
  EXPECT_THAT(refused.message(), HasSubstr("format 3"));
  EXPECT_THAT(findings, IsEmpty());
}

}  // namespace
}  // namespace prospero::server
