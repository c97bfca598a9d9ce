#include "server/store/tally.h"

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/store/stored.pb.h"

namespace prospero::server {
namespace {

absl::Status Damaged() {
  return Error(absl::StatusCode::kDataLoss, "DATA_LOSS",
               "the tally of the rows is damaged or missing");
}

}  // namespace

void Tally::Add(Table table, uint64_t checksum) {
  ++counts_[static_cast<size_t>(table)].rows;
  counts_[static_cast<size_t>(table)].sum += checksum;
}

void Tally::Remove(Table table, uint64_t checksum) {
  --counts_[static_cast<size_t>(table)].rows;
  counts_[static_cast<size_t>(table)].sum -= checksum;
}

bool Tally::Agrees(const Tally& other, Table table) const {
  return counts_[static_cast<size_t>(table)] == other.counts_[static_cast<size_t>(table)];
}

std::string Tally::Serialize() const {
  store::StoredTally tally;
  tally.set_commit(commit);
  tally.set_version(version);
  for (Table table : kAllTables) {
    store::StoredTally::Table* const counts = tally.add_tables();
    counts->set_name(std::string(NameOf(table)));
    counts->set_rows(counts_[static_cast<size_t>(table)].rows);
    counts->set_sum(counts_[static_cast<size_t>(table)].sum);
  }
  return tally.SerializeAsString();
}

absl::StatusOr<Tally> Tally::Parse(absl::string_view bytes) {
  store::StoredTally stored;
  if (!stored.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return Damaged();
  Tally tally;
  tally.commit = stored.commit();
  tally.version = stored.version();
  for (const store::StoredTally::Table& counts : stored.tables()) {
    for (Table table : kAllTables) {
      if (counts.name() != NameOf(table)) continue;
      tally.counts_[static_cast<size_t>(table)] = {counts.rows(), counts.sum()};
    }
  }
  return tally;
}

absl::StatusOr<Tally> Tally::Load(const Database& database) {
  absl::StatusOr<Tally> tally = Damaged();
  const absl::Status visited =
      VisitRows(database, Table::kMeta, /*backwards=*/false, [&](const RowView& row) {
        if (row.intact && row.key.id == kTallyKey.id) tally = Parse(row.content);
        return absl::OkStatus();
      });
  // A table that is not there, or not as it was, is damage too.
  if (absl::IsInternal(visited)) return Damaged();
  if (!visited.ok()) return visited;
  return tally;
}

absl::StatusOr<Tally> Tally::Count(const Database& database) {
  Tally tally;
  for (Table table : kAllTables) {
    if (table == Table::kMeta) continue;
    const absl::Status visited =
        VisitRows(database, table, /*backwards=*/false, [&](const RowView& row) {
          tally.Add(table, row.checksum);
          return absl::OkStatus();
        });
    if (!visited.ok()) return visited;
  }
  return tally;
}

absl::Status Tally::Store(const Database& database) const {
  absl::StatusOr<Statement> put =
      database.Prepare("INSERT OR REPLACE INTO meta VALUES (?, ?, ?, ?, ?)");
  if (!put.ok()) return put.status();
  const std::string content = Serialize();
  const uint64_t checksum = RowChecksum(Table::kMeta, kTallyKey, content);
  put->Bind(1, kTallyKey.uid).Bind(2, kTallyKey.number).Bind(3, kTallyKey.id);
  put->BindBlob(4, content).Bind(5, static_cast<int64_t>(checksum));
  return put->Finish();
}

}  // namespace prospero::server
