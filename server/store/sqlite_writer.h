#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/database.h"
#include "server/store/records.h"
#include "server/store/store.h"
#include "server/store/tally.h"

namespace prospero::server {

/// Puts writes into the tables, a transaction for each commit. For one thread at a time.
class SqliteWriter {
 public:
  /// The database must outlive it; `tally` is what it has in it.
  static absl::StatusOr<std::unique_ptr<SqliteWriter>> Make(const Database* database, Tally tally);

  /// As Store::Commit. kInternal for a piece whose number is not the next one's.
  absl::Status Commit(const std::vector<Write>& writes);
  /// Number of the last commit.
  int64_t commit() const { return tally_.commit; }

 private:
  struct Statements {
    Statement find;  ///< checksum of the row of a key
    Statement put;
    Statement drop;        ///< of a key
    Statement drop_below;  ///< of a uid, numbers below
    Statement drop_all;    ///< of a uid
  };
  /// Of a journal.
  struct End {
    int64_t next = 0;  ///< number of the next piece; -1: any
    uint64_t chain = 0;
  };
  /// What one kind of write does.
  struct Apply;

  explicit SqliteWriter(const Database* database, Tally tally)
      : database_(*database), tally_(std::move(tally)) {}
  absl::Status Prepare();
  absl::Status Transact(const std::vector<Write>& writes);
  absl::Status Put(Table table, const RowKey& key, absl::string_view content);
  absl::Status Append(const AppendPiece& piece);
  absl::StatusOr<End> FindEnd(const std::string& uid);
  /// Runs a statement that drops rows and returns their checksums.
  absl::Status Drop(Table table, Statement* statement);
  absl::Status DropKey(Table table, const RowKey& key);
  absl::Status DropBelow(Table table, absl::string_view uid, int64_t number);
  absl::Status DropNetworkRows(absl::string_view uid);
  /// Journals of networks that a server was still dropping when it ended.
  absl::Status FindOrphans();
  /// Drops about so many bytes of what is to be trimmed: a long journal would hold up a commit.
  absl::Status TrimSome(int64_t bytes);
  Statements& Of(Table table) { return statements_[static_cast<size_t>(table)]; }

  const Database& database_;
  Tally tally_;
  std::array<Statements, kTableCount> statements_;
  Statement begin_, commit_, rollback_, find_end_, list_below_;
  absl::flat_hash_map<std::string, End> ends_;  ///< of journals written to since the last error
  std::map<std::string, int64_t> trims_;        ///< journals whose pieces below a number are to go
};

}  // namespace prospero::server
