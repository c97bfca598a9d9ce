#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/store/database.h"

namespace prospero::server {

/// What the database has rows of. All tables have the same columns:
///
///   uid TEXT, number INTEGER, id TEXT   the key; what a table does not need is 0 or ''
///   content BLOB                        a message of stored.proto; of kJournal: RowChecksum of
///                                       the piece before (8 bytes), then the piece
///   checksum INTEGER                    of all of it
enum class Table : uint8_t {
  kNetworks,     ///< uid
  kSpecs,        ///< uid
  kJournal,      ///< uid, number of the piece
  kGaps,         ///< uid, number of the first piece that a salvage did not find
  kCheckpoints,  ///< uid, StoredCheckpoint.seq
  kSnapshots,    ///< uid, id
  kAnswers,      ///< request id
  kMeta,         ///< "tally": what all the others should have
};
inline constexpr std::array kAllTables = {Table::kNetworks, Table::kSpecs,       Table::kJournal,
                                          Table::kGaps,     Table::kCheckpoints, Table::kSnapshots,
                                          Table::kAnswers,  Table::kMeta};
/// Those that belong to a network.
inline constexpr std::array kNetworkTables = {Table::kNetworks,    Table::kSpecs,
                                              Table::kJournal,     Table::kGaps,
                                              Table::kCheckpoints, Table::kSnapshots};
constexpr size_t kTableCount = kAllTables.size();
/// As in SQL.
absl::string_view NameOf(Table table);

struct RowKey {
  absl::string_view uid;
  int64_t number = 0;
  absl::string_view id = "";
};
/// "journal('3f2a', 12)", for messages.
std::string Describe(Table table, const RowKey& key);

uint64_t RowChecksum(Table table, const RowKey& key, absl::string_view content);

/// A row as it was read. It borrows from its statement.
struct RowView {
  RowKey key;
  absl::string_view content;
  uint64_t checksum = 0;
  bool intact = false;  ///< it is what was written
};

constexpr absl::string_view kColumns = "uid, number, id, content, checksum";
/// Of a statement that selects kColumns.
RowView ReadRow(Table table, const Statement& statement);

/// Visits the rows in the order of their keys, or backwards. Errors as of Database; those before a
/// damaged place have been visited.
absl::Status VisitRows(const Database& database, Table table, bool backwards,
                       absl::FunctionRef<absl::Status(const RowView&)> visit);

constexpr size_t kChainBytes = 8;
std::string JournalContent(uint64_t before, absl::string_view piece);
/// Of a content of at least kChainBytes.
uint64_t ChainOf(absl::string_view content);

}  // namespace prospero::server
