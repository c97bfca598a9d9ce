#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "server/store/database.h"
#include "server/store/records.h"
#include "server/store/store.h"

namespace prospero::server {

/// Reads the tables, and looks at each checksum. For one thread at a time.
class SqliteReader {
 public:
  /// The database must outlive it. Damaged rows that are left out are named in `findings`.
  SqliteReader(const Database* database, std::vector<std::string>* findings)
      : database_(*database), findings_(*findings) {}

  // As Store.
  absl::StatusOr<std::vector<store::StoredNetwork>> Networks();
  absl::StatusOr<v1::NetworkSpec> Spec(absl::string_view uid);
  absl::StatusOr<std::vector<store::StoredCheckpoint>> Checkpoints(absl::string_view uid);
  absl::StatusOr<std::vector<store::StoredSnapshot>> Snapshots(absl::string_view uid);
  absl::StatusOr<std::vector<store::StoredAnswer>> Answers();
  absl::StatusOr<Store::Extent> JournalExtent(absl::string_view uid, int64_t from);

  struct Piece {
    std::string bytes;
    uint64_t before = 0;    ///< checksum of the piece before it
    uint64_t checksum = 0;  ///< its own
  };
  /// The pieces from `from` on, without a gap, about a MiB of them; none: there is none behind.
  /// kDataLoss (DATA_LOSS) when the first of them is damaged, missing, or known to be lost.
  absl::StatusOr<std::deque<Piece>> Pieces(absl::string_view uid, int64_t from);

 private:
  /// Visits the intact rows of a table, of one network if `uid` is given.
  absl::Status Visit(Table table, const absl::optional<absl::string_view>& uid,
                     absl::FunctionRef<bool(const RowView&)> visit);
  template <class Message>
  absl::StatusOr<std::vector<Message>> Messages(Table table,
                                                const absl::optional<absl::string_view>& uid);
  absl::StatusOr<bool> IsLost(absl::string_view uid, int64_t number);
  void LeftOut(Table table, const RowKey& key);

  const Database& database_;
  std::vector<std::string>& findings_;
  std::set<std::string> left_out_;
};

}  // namespace prospero::server
