#include "server/store/database_check.h"

#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/core/errors.h"
#include "server/store/tally.h"

namespace prospero::server {
namespace {

constexpr char kSchema[] =
    "SELECT type || ' ' || name || ' ' || tbl_name || ': ' || coalesce(sql, '') "
    "FROM sqlite_schema ORDER BY name";

/// Damage becomes a sentence; what the disk or we ourselves are to blame for stays an error.
absl::Status Note(const absl::Status& status, absl::string_view what,
                  std::vector<std::string>* damage) {
  if (status.ok()) return absl::OkStatus();
  if (!absl::IsDataLoss(status) && !absl::IsInternal(status)) return status;
  damage->push_back(absl::StrCat(what, ": ", status.message()));
  return absl::OkStatus();
}

absl::Status CheckStructure(const Database& database, std::vector<std::string>* damage) {
  const absl::StatusOr<std::string> found = database.Text("PRAGMA quick_check(5)");
  if (!found.ok()) return Note(found.status(), "the structure of the database", damage);
  if (*found == "ok") return absl::OkStatus();
  for (absl::string_view line : absl::StrSplit(*found, '\n')) {
    damage->push_back(absl::StrCat("the structure of the database: ", line));
  }
  return absl::OkStatus();
}

absl::Status CheckTables(const Database& database, absl::Span<const Migration> migrations,
                         std::vector<std::string>* damage) {
  absl::StatusOr<Database> fresh = Database::Open("", /*create=*/true);
  if (!fresh.ok()) return fresh.status();
  if (absl::Status made = Migrate(*fresh, migrations); !made.ok()) return made;
  const absl::StatusOr<std::string> expected = fresh->Text(kSchema);
  if (!expected.ok()) return expected.status();
  const absl::StatusOr<std::string> found = database.Text(kSchema);
  if (!found.ok()) return Note(found.status(), "the list of tables", damage);
  if (*found != *expected) damage->push_back("the list of tables is not what was written");
  return absl::OkStatus();
}

/// Rows must be intact, in order, and as many and the same as the tally says.
absl::Status CheckRows(const Database& database, const Tally* kept,
                       std::vector<std::string>* damage) {
  Tally found;
  for (Table table : kAllTables) {
    std::string last;
    int64_t last_number = 0;
    std::string last_id;
    const absl::Status visited =
        VisitRows(database, table, /*backwards=*/false, [&](const RowView& row) {
          if (!row.intact) damage->push_back(absl::StrCat(Describe(table, row.key), " is damaged"));
          if (found.rows(table) > 0 &&
              std::make_tuple(absl::string_view(last), last_number, absl::string_view(last_id)) >=
                  std::make_tuple(row.key.uid, row.key.number, row.key.id)) {
            damage->push_back(absl::StrCat(Describe(table, row.key), " is out of order"));
          }
          found.Add(table, row.checksum);
          last = std::string(row.key.uid);
          last_number = row.key.number;
          last_id = std::string(row.key.id);
          return absl::OkStatus();
        });
    const absl::Status noted = Note(visited, NameOf(table), damage);
    if (!noted.ok()) return noted;
    if (kept == nullptr || table == Table::kMeta || found.Agrees(*kept, table)) continue;
    damage->push_back(absl::StrCat("of ", kept->rows(table), " rows of ", NameOf(table), " ",
                                   found.rows(table),
                                   " are there, or some are not as they were written last"));
  }
  return absl::OkStatus();
}

}  // namespace

bool RightHeader(std::string* header) {
  if (header->size() < 100) return false;
  std::string right = *header;
  const auto set = [&right](size_t at, absl::string_view bytes) {
    right.replace(at, bytes.size(), bytes.data(), bytes.size());
  };
  using absl::string_view;
  set(0, string_view("SQLite format 3\0", 16));
  // Pages of 4096 bytes, write-ahead log, nothing reserved, the payload fractions.
  set(16, string_view("\x10\x00\x02\x02\x00\x40\x20\x20", 8));
  set(44, string_view("\0\0\0\4\0\0\0\0\0\0\0\0\0\0\0\1", 16));  // schema format, UTF-8
  set(64, string_view("\0\0\0\0PRSp", 8));                       // kApplicationId
  set(72, std::string(20, '\0'));
  const bool wrong = right != *header;
  *header = std::move(right);
  return wrong;
}

absl::StatusOr<std::vector<std::string>> FindDamage(const Database& database,
                                                    absl::Span<const Migration> migrations) {
  std::vector<std::string> damage;
  const absl::StatusOr<int64_t> version = database.Number("PRAGMA user_version");
  if (!version.ok()) {
    const absl::Status noted = Note(version.status(), "the database", &damage);
    return noted.ok() ? absl::StatusOr<std::vector<std::string>>(std::move(damage)) : noted;
  }
  const absl::StatusOr<Tally> kept = Tally::Load(database);
  absl::Status status = Note(kept.status(), "the database", &damage);
  const int newest = static_cast<int>(migrations.size());
  const int64_t written = kept.ok() ? kept->version : *version;
  if (written > newest) {
    return Error(absl::StatusCode::kFailedPrecondition, "DATA_DIR_TOO_NEW",
                 absl::StrCat("the data directory has format ", written,
                              ", and this server knows formats up to ", newest,
                              ": use the server that wrote it, or a newer one"));
  }
  if (kept.ok() && written != *version) {
    damage.push_back(absl::StrCat("the version of the format is ", *version, " in the header, ",
                                  written, " in the tally"));
  }
  if (status.ok()) status = CheckStructure(database, &damage);
  if (status.ok() && written >= 1) {
    status = CheckTables(database, migrations.first(static_cast<size_t>(written)), &damage);
  }
  if (status.ok()) status = CheckRows(database, kept.ok() ? &*kept : nullptr, &damage);
  if (!status.ok()) return status;
  return damage;
}

}  // namespace prospero::server
