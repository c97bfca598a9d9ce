#include "server/store/sqlite_writer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace prospero::server {
namespace {

absl::Status PrepareInto(const Database& database, const std::string& sql, Statement* statement) {
  absl::StatusOr<Statement> prepared = database.Prepare(sql);
  if (!prepared.ok()) return prepared.status();
  *statement = *std::move(prepared);
  return absl::OkStatus();
}

constexpr size_t kRememberedEnds = 100'000;
constexpr int64_t kLeastTrim = 1 << 20;  // [bytes]

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteWriter>> SqliteWriter::Make(const Database* database,
                                                                 Tally tally) {
  std::unique_ptr<SqliteWriter> writer(new SqliteWriter(database, std::move(tally)));
  if (absl::Status prepared = writer->Prepare(); !prepared.ok()) return prepared;
  if (absl::Status found = writer->FindOrphans(); !found.ok()) return found;
  return writer;
}

absl::Status SqliteWriter::Prepare() {
  absl::Status status;
  const auto prepare = [&](const std::string& sql, Statement* statement) {
    if (status.ok()) status = PrepareInto(database_, sql, statement);
  };
  for (Table table : kAllTables) {
    const absl::string_view name = NameOf(table);
    Statements& of = Of(table);
    const std::string from = absl::StrCat(" FROM ", name, " WHERE uid = ?");
    const std::string drop = absl::StrCat("DELETE", from);
    prepare(absl::StrCat("SELECT checksum", from, " AND number = ? AND id = ?"), &of.find);
    prepare(absl::StrCat(table == Table::kJournal ? "INSERT" : "INSERT OR REPLACE", " INTO ", name,
                         " VALUES (?, ?, ?, ?, ?)"),
            &of.put);
    prepare(absl::StrCat(drop, " AND number = ? AND id = ? RETURNING checksum"), &of.drop);
    prepare(absl::StrCat(drop, " AND number < ? RETURNING checksum"), &of.drop_below);
    prepare(absl::StrCat(drop, " RETURNING checksum"), &of.drop_all);
  }
  prepare("BEGIN IMMEDIATE", &begin_);
  prepare("COMMIT", &commit_);
  prepare("ROLLBACK", &rollback_);
  prepare("SELECT number, checksum FROM journal WHERE uid = ? ORDER BY number DESC LIMIT 1",
          &find_end_);
  prepare(
      "SELECT number, length(content) FROM journal WHERE uid = ? AND number < ? "
      "ORDER BY number LIMIT 512",
      &list_below_);
  return status;
}

absl::Status SqliteWriter::Commit(const std::vector<Write>& writes) {
  if (absl::Status begun = begin_.Finish(); !begun.ok()) return begun;
  const Tally before = tally_;
  const std::map<std::string, int64_t> trims_before = trims_;
  absl::Status done = Transact(writes);
  if (done.ok()) done = commit_.Finish();
  if (done.ok()) return done;
  // After some errors SQLite has rolled back already: then there is nothing to do.
  rollback_.Finish().IgnoreError();
  tally_ = before;
  trims_ = trims_before;
  ends_.clear();
  return done;
}

struct SqliteWriter::Apply {
  SqliteWriter& writer;

  absl::Status operator()(const PutSpec& put) const {
    return writer.Put(Table::kSpecs, {put.uid}, put.spec.SerializeAsString());
  }
  absl::Status operator()(const PutNetwork& put) const {
    return writer.Put(Table::kNetworks, {put.uid}, put.row.SerializeAsString());
  }
  absl::Status operator()(const DropNetwork& drop) const {
    return writer.DropNetworkRows(drop.uid);
  }
  absl::Status operator()(const AppendPiece& piece) const { return writer.Append(piece); }
  absl::Status operator()(const TrimJournal& trim) const {
    int64_t& from = writer.trims_[trim.uid];
    from = std::max(from, trim.from);
    return writer.DropBelow(Table::kGaps, trim.uid, trim.from);
  }
  absl::Status operator()(const PutCheckpoint& put) const {
    return writer.Put(Table::kCheckpoints, {put.uid, put.row.seq()}, put.row.SerializeAsString());
  }
  absl::Status operator()(const TrimCheckpoints& trim) const {
    return writer.DropBelow(Table::kCheckpoints, trim.uid, trim.from);
  }
  absl::Status operator()(const PutSnapshot& put) const {
    return writer.Put(Table::kSnapshots, {put.uid, 0, put.id}, put.row.SerializeAsString());
  }
  absl::Status operator()(const DropSnapshot& drop) const {
    return writer.DropKey(Table::kSnapshots, {drop.uid, 0, drop.id});
  }
  absl::Status operator()(const PutAnswer& put) const {
    return writer.Put(Table::kAnswers, {put.row.request_id()}, put.row.SerializeAsString());
  }
  absl::Status operator()(const DropAnswer& drop) const {
    return writer.DropKey(Table::kAnswers, {drop.request_id});
  }
};

absl::Status SqliteWriter::Transact(const std::vector<Write>& writes) {
  int64_t appended = 0;
  for (const Write& write : writes) {
    if (absl::Status applied = absl::visit(Apply{*this}, write); !applied.ok()) return applied;
    const AppendPiece* const piece = absl::get_if<AppendPiece>(&write);
    if (piece != nullptr) appended += static_cast<int64_t>(piece->piece.size());
  }
  // More goes than comes, so that it comes to an end.
  const absl::Status trimmed = TrimSome(std::max(kLeastTrim, 2 * appended));
  if (!trimmed.ok()) return trimmed;
  ++tally_.commit;
  return Put(Table::kMeta, kTallyKey, tally_.Serialize());
}

absl::Status SqliteWriter::Put(Table table, const RowKey& key, absl::string_view content) {
  Statements& of = Of(table);
  const uint64_t checksum = RowChecksum(table, key, content);
  // The tally does not count itself, and a piece is always new.
  if (table != Table::kMeta && table != Table::kJournal) {
    of.find.Bind(1, key.uid).Bind(2, key.number).Bind(3, key.id);
    const absl::StatusOr<bool> there = of.find.Step();
    if (!there.ok()) return there.status();
    if (*there) tally_.Remove(table, static_cast<uint64_t>(of.find.Int(0)));
    of.find.Reset();
  }
  of.put.Bind(1, key.uid).Bind(2, key.number).Bind(3, key.id);
  of.put.BindBlob(4, content).Bind(5, static_cast<int64_t>(checksum));
  if (absl::Status put = of.put.Finish(); !put.ok()) return put;
  if (table != Table::kMeta) tally_.Add(table, checksum);
  return absl::OkStatus();
}

absl::Status SqliteWriter::Append(const AppendPiece& piece) {
  auto end = ends_.find(piece.uid);
  if (end == ends_.end()) {
    const absl::StatusOr<End> found = FindEnd(piece.uid);
    if (!found.ok()) return found.status();
    if (ends_.size() >= kRememberedEnds) ends_.clear();
    end = ends_.emplace(piece.uid, *found).first;
  }
  if (end->second.next >= 0 && piece.seq < end->second.next) {
    return absl::InternalError(absl::StrCat("piece ", piece.seq, " of the journal of ", piece.uid,
                                            " was given where ", end->second.next,
                                            " is the next one"));
  }
  const bool goes_on = piece.seq == end->second.next;
  const std::string content = JournalContent(goes_on ? end->second.chain : 0, piece.piece);
  const RowKey key = {piece.uid, piece.seq};
  end->second = {piece.seq + 1, RowChecksum(Table::kJournal, key, content)};
  return Put(Table::kJournal, key, content);
}

absl::StatusOr<SqliteWriter::End> SqliteWriter::FindEnd(const std::string& uid) {
  find_end_.Bind(1, uid);
  const absl::StatusOr<bool> there = find_end_.Step();
  if (!there.ok()) return there.status();
  if (!*there) return End{-1, 0};
  const End end = {find_end_.Int(0) + 1, static_cast<uint64_t>(find_end_.Int(1))};
  find_end_.Reset();
  return end;
}

absl::Status SqliteWriter::Drop(Table table, Statement* statement) {
  for (;;) {
    const absl::StatusOr<bool> row = statement->Step();
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
    tally_.Remove(table, static_cast<uint64_t>(statement->Int(0)));
  }
}

absl::Status SqliteWriter::DropKey(Table table, const RowKey& key) {
  Statement& drop = Of(table).drop;
  drop.Bind(1, key.uid).Bind(2, key.number).Bind(3, key.id);
  return Drop(table, &drop);
}

absl::Status SqliteWriter::DropBelow(Table table, absl::string_view uid, int64_t number) {
  Statement& drop = Of(table).drop_below;
  drop.Bind(1, uid).Bind(2, number);
  return Drop(table, &drop);
}

absl::Status SqliteWriter::DropNetworkRows(absl::string_view uid) {
  for (Table table : kNetworkTables) {
    if (table == Table::kJournal) continue;
    Statement& drop = Of(table).drop_all;
    drop.Bind(1, uid);
    if (absl::Status dropped = Drop(table, &drop); !dropped.ok()) return dropped;
  }
  ends_.erase(std::string(uid));
  trims_[std::string(uid)] = std::numeric_limits<int64_t>::max();
  return absl::OkStatus();
}

absl::Status SqliteWriter::FindOrphans() {
  absl::StatusOr<Statement> next =
      database_.Prepare("SELECT uid FROM journal WHERE uid > ? ORDER BY uid LIMIT 1");
  if (!next.ok()) return next.status();
  absl::StatusOr<Statement> known = database_.Prepare(
      "SELECT 1 FROM specs WHERE uid = ?1 UNION SELECT 1 FROM networks WHERE uid = ?1");
  if (!known.ok()) return known.status();
  for (std::string last;;) {
    next->Bind(1, last);
    const absl::StatusOr<bool> there = next->Step();
    if (!there.ok()) return there.status();
    if (!*there) return absl::OkStatus();
    std::string uid(next->Bytes(0));
    next->Reset();
    known->Bind(1, uid);
    const absl::StatusOr<bool> has_network = known->Step();
    if (!has_network.ok()) return has_network.status();
    if (!*has_network) trims_[uid] = std::numeric_limits<int64_t>::max();
    known->Reset();
    last = std::move(uid);
  }
}

absl::Status SqliteWriter::TrimSome(int64_t bytes) {
  constexpr int64_t kRowBytes = 64;  // beside the content
  while (!trims_.empty() && bytes > 0) {
    const auto trim = trims_.begin();
    list_below_.Bind(1, trim->first).Bind(2, trim->second);
    int64_t below = -1;
    bool all = false;
    while (bytes > 0 && !all) {
      const absl::StatusOr<bool> there = list_below_.Step();
      if (!there.ok()) return there.status();
      all = !*there;
      if (all) break;
      below = list_below_.Int(0) + 1;
      bytes -= list_below_.Int(1) + kRowBytes;
    }
    list_below_.Reset();
    if (below < 0) {
      trims_.erase(trim);
      continue;
    }
    const absl::Status dropped = DropBelow(Table::kJournal, trim->first, below);
    if (!dropped.ok()) return dropped;
  }
  return absl::OkStatus();
}

}  // namespace prospero::server
