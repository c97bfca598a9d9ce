#include "server/store/salvage.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "engine/core/errors.h"
#include "server/store/tally.h"

namespace prospero::server {
namespace {

bool IsDamage(const absl::Status& status) {
  return absl::IsDataLoss(status) || absl::IsInternal(status);
}

/// Puts rows into a database, whatever has the same key stays.
class Copier {
 public:
  static absl::StatusOr<Copier> Make(const Database& to, Table table) {
    absl::StatusOr<Statement> put = to.Prepare(
        absl::StrCat("INSERT OR IGNORE INTO ", NameOf(table), " VALUES (?, ?, ?, ?, ?)"));
    if (!put.ok()) return put.status();
    return Copier(*std::move(put));
  }
  absl::Status Put(const RowView& row) {
    put_.Bind(1, row.key.uid).Bind(2, row.key.number).Bind(3, row.key.id);
    put_.BindBlob(4, row.content).Bind(5, static_cast<int64_t>(row.checksum));
    return put_.Finish();
  }

 private:
  explicit Copier(Statement put) : put_(std::move(put)) {}
  Statement put_;
};

class Salvager {
 public:
  Salvager(const Database& from, const Database& to, std::vector<std::string>* findings)
      : from_(from), to_(to), findings_(*findings) {}

  absl::Status CopyTable(Table table) {
    absl::StatusOr<Copier> copier = Copier::Make(to_, table);
    if (!copier.ok()) return copier.status();
    std::string last[2];  // uids where the ways forwards and backwards ended
    for (bool backwards : {false, true}) {
      absl::Status lost_place;
      const absl::Status visited = VisitRows(from_, table, backwards, [&](const RowView& row) {
        last[backwards] = std::string(row.key.uid);
        if (row.intact) return copier->Put(row);
        damaged_.insert(Describe(table, row.key));
        if (table == Table::kJournal) suspects_.insert(std::string(row.key.uid));
        return absl::OkStatus();
      });
      if (visited.ok()) return absl::OkStatus();
      if (!IsDamage(visited)) return visited;
      if (backwards) {
        unreadable_.insert(table);
        if (table == Table::kJournal) SuspectBetween(last[0], last[1]);
      }
    }
    return table == Table::kJournal ? CopyJournalsOneByOne(&*copier) : absl::OkStatus();
  }

  /// What it had to leave out.
  absl::Status Tell(const absl::StatusOr<Tally>& kept, int64_t least_commit) {
    if (kept.ok() && kept->commit < least_commit) {
      findings_.push_back(absl::StrCat("the last ", least_commit - kept->commit,
                                       " commits are missing: the end of the write-ahead log is "
                                       "damaged or gone"));
      all_suspect_ = true;
    }
    const absl::StatusOr<Tally> saved = Tally::Count(to_);
    if (!saved.ok()) return saved.status();
    for (Table table : kAllTables) {
      if (table == Table::kMeta) continue;
      const bool lost = kept.ok() && !saved->Agrees(*kept, table);
      if (lost) {
        findings_.push_back(absl::StrCat("of ", kept->rows(table), " rows of ", NameOf(table), " ",
                                         saved->rows(table), " could be saved"));
      } else if (!kept.ok() && unreadable_.count(table) > 0) {
        findings_.push_back(absl::StrCat("some rows of ", NameOf(table), " could not be saved"));
      }
      if (lost && table == Table::kJournal && suspects_.empty()) all_suspect_ = true;
    }
    constexpr size_t kNamed = 20;
    size_t named = 0;
    for (const std::string& row : damaged_) {
      if (++named > kNamed) break;
      findings_.push_back(absl::StrCat(row, " was damaged and is left out"));
    }
    if (damaged_.size() > kNamed) {
      findings_.push_back(absl::StrCat(damaged_.size() - kNamed, " more rows were damaged"));
    }
    const bool none = saved->rows(Table::kNetworks) == 0 &&
                      (kept.ok() ? kept->rows(Table::kNetworks) > 0
                                 : unreadable_.count(Table::kNetworks) > 0 || !damaged_.empty());
    if (none) return Error(absl::StatusCode::kDataLoss, "DATA_LOSS", "no network can be read");
    return absl::OkStatus();
  }

  absl::Status NoteSuspects() const {
    const std::vector<std::string> uids(suspects_.begin(), suspects_.end());
    return NoteLostEnds(to_, all_suspect_ ? nullptr : &uids);
  }

 private:
  std::set<std::string> Uids() const {
    std::set<std::string> uids;
    for (Table table : {Table::kNetworks, Table::kSpecs}) {
      // A copy of what could be read: it reads.
      VisitRows(to_, table, /*backwards=*/false, [&uids](const RowView& row) {
        uids.insert(std::string(row.key.uid));
        return absl::OkStatus();
      }).IgnoreError();
    }
    return uids;
  }

  void SuspectBetween(absl::string_view first, absl::string_view last) {
    for (const std::string& uid : Uids()) {
      if (uid >= first && (last.empty() || uid <= last)) suspects_.insert(uid);
    }
  }

  /// What lies between two damaged places is found by its keys.
  absl::Status CopyJournalsOneByOne(Copier* copier) {
    for (const std::string& uid : Uids()) {
      absl::StatusOr<Statement> rows = from_.Prepare(
          absl::StrCat("SELECT ", kColumns, " FROM journal WHERE uid = ? ORDER BY number"));
      if (!rows.ok()) return IsDamage(rows.status()) ? absl::OkStatus() : rows.status();
      rows->Bind(1, uid);
      for (;;) {
        const absl::StatusOr<bool> there = rows->Step();
        if (!there.ok() && !IsDamage(there.status())) return there.status();
        if (!there.ok() || !*there) break;
        const RowView row = ReadRow(Table::kJournal, *rows);
        if (!row.intact) continue;
        if (absl::Status put = copier->Put(row); !put.ok()) return put;
      }
    }
    return absl::OkStatus();
  }

  const Database& from_;
  const Database& to_;
  std::vector<std::string>& findings_;
  std::set<std::string> damaged_;   ///< rows, as Describe says
  std::set<Table> unreadable_;      ///< tables of which a part cannot be read
  std::set<std::string> suspects_;  ///< networks whose journals may have lost their ends
  bool all_suspect_ = false;
};

/// Where a journal that may have lost its end must be continued: behind its last piece, and at
/// each checkpoint that lies further on.
absl::StatusOr<std::set<int64_t>> Ends(const Database& database, absl::string_view uid) {
  absl::StatusOr<Statement> last =
      database.Prepare("SELECT coalesce(max(number) + 1, 0) FROM journal WHERE uid = ?");
  if (!last.ok()) return last.status();
  last->Bind(1, uid);
  if (const auto row = last->Step(); !row.ok()) return row.status();
  const int64_t end = last->Int(0);
  std::set<int64_t> ends = {end};
  absl::StatusOr<Statement> checkpoints =
      database.Prepare("SELECT number FROM checkpoints WHERE uid = ? AND number > ?");
  if (!checkpoints.ok()) return checkpoints.status();
  checkpoints->Bind(1, uid).Bind(2, end);
  for (;;) {
    const absl::StatusOr<bool> row = checkpoints->Step();
    if (!row.ok()) return row.status();
    if (!*row) return ends;
    ends.insert(checkpoints->Int(0));
  }
}

}  // namespace

absl::Status NoteLostEnds(const Database& database, const std::vector<std::string>* uids) {
  std::vector<std::string> all;
  if (uids == nullptr) {
    const absl::Status visited =
        VisitRows(database, Table::kNetworks, /*backwards=*/false, [&all](const RowView& row) {
          all.emplace_back(row.key.uid);
          return absl::OkStatus();
        });
    if (!visited.ok()) return visited;
    uids = &all;
  }
  absl::StatusOr<Copier> gaps = Copier::Make(database, Table::kGaps);
  if (!gaps.ok()) return gaps.status();
  for (const std::string& uid : *uids) {
    const absl::StatusOr<std::set<int64_t>> ends = Ends(database, uid);
    if (!ends.ok()) return ends.status();
    for (int64_t end : *ends) {
      const RowKey key = {uid, end};
      const absl::Status put = gaps->Put({key, "", RowChecksum(Table::kGaps, key, ""), true});
      if (!put.ok()) return put;
    }
  }
  return absl::OkStatus();
}

absl::Status Salvage(const Database& from, const Database& to, int64_t least_commit,
                     std::vector<std::string>* findings) {
  if (absl::Status begun = to.Run("BEGIN IMMEDIATE"); !begun.ok()) return begun;
  const absl::StatusOr<Tally> kept = Tally::Load(from);
  Salvager salvager(from, to, findings);
  for (Table table : kAllTables) {
    if (table == Table::kMeta) continue;
    if (absl::Status copied = salvager.CopyTable(table); !copied.ok()) return copied;
  }
  if (absl::Status told = salvager.Tell(kept, least_commit); !told.ok()) return told;
  if (absl::Status noted = salvager.NoteSuspects(); !noted.ok()) return noted;
  absl::StatusOr<Tally> tally = Tally::Count(to);
  if (!tally.ok()) return tally.status();
  const absl::StatusOr<Tally> fresh = Tally::Load(to);
  if (!fresh.ok()) return fresh.status();
  tally->version = fresh->version;
  tally->commit = std::max(kept.ok() ? kept->commit : 0, least_commit) + 1;
  if (absl::Status stored = tally->Store(to); !stored.ok()) return stored;
  return to.Run("COMMIT");
}

}  // namespace prospero::server
