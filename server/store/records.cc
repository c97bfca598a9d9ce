#include "server/store/records.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "server/store/checksum.h"

namespace prospero::server {

absl::string_view NameOf(Table table) {
  constexpr std::array<absl::string_view, kTableCount> kNames = {
      "networks", "specs", "journal", "gaps", "checkpoints", "snapshots", "answers", "meta"};
  return kNames[static_cast<size_t>(table)];
}

std::string Describe(Table table, const RowKey& key) {
  switch (table) {
    case Table::kJournal:
    case Table::kGaps:
    case Table::kCheckpoints:
      return absl::StrCat(NameOf(table), "('", key.uid, "', ", key.number, ")");
    case Table::kSnapshots:
      return absl::StrCat(NameOf(table), "('", key.uid, "', '", key.id, "')");
    default:
      return absl::StrCat(NameOf(table), "('", key.uid, "')");
  }
}

uint64_t RowChecksum(Table table, const RowKey& key, absl::string_view content) {
  const std::string name =
      absl::StrCat(NameOf(table), "/", key.uid.size(), "/", key.uid, "/", key.number, "/", key.id);
  return Checksum(content, Checksum(name));
}

RowView ReadRow(Table table, const Statement& statement) {
  RowView row;
  row.key = {statement.Bytes(0), statement.Int(1), statement.Bytes(2)};
  row.content = statement.Bytes(3);
  row.checksum = static_cast<uint64_t>(statement.Int(4));
  // A key of another type would read the same and be found nowhere.
  row.intact = statement.IsText(0) && statement.IsInt(1) && statement.IsText(2) &&
               statement.IsInt(4) && RowChecksum(table, row.key, row.content) == row.checksum &&
               (table != Table::kJournal || row.content.size() >= kChainBytes);
  return row;
}

absl::Status VisitRows(const Database& database, Table table, bool backwards,
                       absl::FunctionRef<absl::Status(const RowView&)> visit) {
  const char* const order = backwards ? " DESC" : "";
  absl::StatusOr<Statement> rows =
      database.Prepare(absl::StrCat("SELECT ", kColumns, " FROM ", NameOf(table), " ORDER BY uid",
                                    order, ", number", order, ", id", order));
  if (!rows.ok()) return rows.status();
  for (;;) {
    const absl::StatusOr<bool> row = rows->Step();
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
    if (absl::Status status = visit(ReadRow(table, *rows)); !status.ok()) return status;
  }
}

std::string JournalContent(uint64_t before, absl::string_view piece) {
  char chain[kChainBytes];
  std::memcpy(chain, &before, kChainBytes);
  return absl::StrCat(absl::string_view(chain, kChainBytes), piece);
}

uint64_t ChainOf(absl::string_view content) {
  uint64_t before = 0;
  std::memcpy(&before, content.data(), kChainBytes);
  return before;
}

}  // namespace prospero::server
