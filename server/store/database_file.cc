#include "server/store/database_file.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/store/database_check.h"
#include "server/store/directory_mark.h"
#include "server/store/files.h"
#include "server/store/salvage.h"
#include "server/store/wal_scan.h"

namespace prospero::server {
namespace {

constexpr char kName[] = "prospero.db";
/// A salvaged database that waits to take the place of the damaged one.
constexpr char kSalvaged[] = "prospero.db.salvaged";
/// A damaged one that was replaced; a number follows.
constexpr char kDamaged[] = "prospero.db.damaged-";

absl::Status RemoveDatabaseFile(const std::string& path) {
  for (const char* const suffix : {"", "-wal", "-shm"}) {
    if (absl::Status removed = RemoveFile(absl::StrCat(path, suffix)); !removed.ok()) {
      return removed;
    }
  }
  return absl::OkStatus();
}

/// Puts the salvaged database into the place of the damaged one, which gets another name. It can be
/// broken off anywhere, and is finished at the next start.
absl::StatusOr<std::string> ExchangeDatabases(const DataDirectory& directory) {
  int n = 1;
  while (Exists(directory.Path(absl::StrCat(kDamaged, n)))) ++n;
  const std::string damaged = absl::StrCat(kDamaged, n);
  if (absl::Status removed = RemoveFile(directory.Path(absl::StrCat(kName, "-shm")));
      !removed.ok()) {
    return removed;
  }
  for (const char* const suffix : {"-wal", ""}) {
    const std::string old = directory.Path(absl::StrCat(kName, suffix));
    if (!Exists(old)) continue;
    const absl::Status renamed = RenameFile(old, directory.Path(absl::StrCat(damaged, suffix)));
    if (!renamed.ok()) return renamed;
  }
  absl::Status status = RenameFile(directory.Path(kSalvaged), directory.Path(kName));
  if (status.ok()) status = SyncDirectory(directory.path());
  if (!status.ok()) return status;
  return damaged;
}

absl::Status Hopeless(const DataDirectory& directory, absl::string_view why) {
  return Error(absl::StatusCode::kDataLoss, "DATA_LOSS",
               absl::StrCat("the networks in ", directory.path(), " cannot be read: ", why,
                            ". Nothing was changed. Put a backup in its place, or start with "
                            "another --data-dir and import the snapshots under ",
                            directory.Path("blobs")));
}

absl::StatusOr<Database> OpenConfigured(const std::string& path) {
  absl::StatusOr<Database> database = Database::Open(path, /*create=*/false);
  if (!database.ok()) return database.status();
  database->CheckpointWhenClosed(false);
  if (absl::Status configured = Configure(*database); !configured.ok()) return configured;
  return database;
}

/// A copy, with its log, whose header can be read.
absl::Status CopyWithRightHeader(const std::string& from, const std::string& to) {
  if (absl::Status removed = RemoveDatabaseFile(to); !removed.ok()) return removed;
  for (const char* const suffix : {"", "-wal"}) {
    if (!Exists(absl::StrCat(from, suffix))) continue;
    std::error_code error;
    std::filesystem::copy_file(absl::StrCat(from, suffix), absl::StrCat(to, suffix), error);
    if (error) return DiskError(absl::StrCat("copy ", from, suffix), error.value());
  }
  absl::StatusOr<File> file = File::Open(to, O_RDWR);
  if (!file.ok()) return file.status();
  std::string header(100, '\0');
  const absl::StatusOr<int64_t> got = ReadUpTo(*file, 0, 100, header.data(), to);
  if (!got.ok()) return got.status();
  RightHeader(&header);
  return WriteAll(*file, 0, header, to);
}

/// `damage` is what was found.
absl::Status SalvageFile(const DataDirectory& directory, absl::Span<const Migration> migrations,
                         int64_t least_commit, const std::vector<std::string>& damage,
                         std::vector<std::string>* findings) {
  const std::string source = directory.Path("prospero.db.readable");
  const std::string target = directory.Path("prospero.db.salvaging");
  std::vector<std::string> lost;
  absl::Status status = CopyWithRightHeader(directory.Path(kName), source);
  if (status.ok()) status = MakeDatabaseFile(target, migrations);
  if (status.ok()) {
    const absl::StatusOr<Database> from = OpenConfigured(source);
    absl::StatusOr<Database> to = Database::Open(target, /*create=*/false);
    status = from.status();
    if (status.ok()) status = to.status();
    if (status.ok()) status = Salvage(*from, *to, least_commit, &lost);
  }
  absl::Status removed = RemoveDatabaseFile(source);
  if (absl::IsDataLoss(status) || absl::IsInternal(status)) {
    RemoveDatabaseFile(target).IgnoreError();
    return Hopeless(directory, absl::StrCat(damage.front(), "; ", status.message()));
  }
  if (status.ok()) status = std::move(removed);
  if (status.ok()) status = RenameFile(target, directory.Path(kSalvaged));
  if (status.ok()) status = SyncDirectory(directory.path());
  if (!status.ok()) return status;
  const absl::StatusOr<std::string> old = ExchangeDatabases(directory);
  if (!old.ok()) return old.status();
  findings->push_back(
      absl::StrCat(kName, " was damaged (", damage.front(),
                   damage.size() > 1 ? absl::StrCat(", and ", damage.size() - 1, " more") : "",
                   "): it was written anew from all that could be read, the old one is ", *old));
  findings->insert(findings->end(), lost.begin(), lost.end());
  return absl::OkStatus();
}

/// Of the file as it is, which may be damaged in any way.
absl::StatusOr<std::vector<std::string>> FindDamageInFile(const std::string& path,
                                                          absl::Span<const Migration> migrations) {
  absl::StatusOr<File> file = File::Open(path, O_RDONLY);
  if (!file.ok()) return file.status();
  std::string header(100, '\0');
  const absl::StatusOr<int64_t> got = ReadUpTo(*file, 0, 100, header.data(), path);
  if (!got.ok()) return got.status();
  if (*got < 100 || RightHeader(&header)) {
    return std::vector<std::string>{"the header of the database is not what was written"};
  }
  const absl::StatusOr<Database> database = OpenConfigured(path);
  if (absl::IsDataLoss(database.status()) || absl::IsInternal(database.status())) {
    return std::vector<std::string>{std::string(database.status().message())};
  }
  if (!database.ok()) return database.status();
  return FindDamage(*database, migrations);
}

/// Commits that were on disk and are not there, or may not be there.
std::string MissingEnd(const Tally& tally, const absl::optional<DirectoryMark::Value>& mark,
                       const WalScan& wal) {
  if (mark.has_value() && mark->commit > tally.commit) {
    return absl::StrCat("the last ", mark->commit - tally.commit,
                        " commits are missing: the end of the write-ahead log is damaged or gone (",
                        wal.damaged, " frames of it were left out)");
  }
  if (mark.has_value() && mark->exact) return "";
  if (wal.header_damaged) {
    return "the header of the write-ahead log is incomplete or damaged: all of the log was left "
           "out";
  }
  if (wal.damaged + wal.unfinished == 0) return "";
  return absl::StrCat(wal.damaged + wal.unfinished,
                      " frames at the end of the write-ahead log were incomplete or damaged and "
                      "left out: they belong to a commit that was under way, or to later ones");
}

/// What was lost with the end of the log may be of any network.
absl::Status NoteMissingEnd(CheckedDatabase* checked, int64_t least_commit) {
  absl::Status status = checked->database.Run("BEGIN IMMEDIATE");
  if (status.ok()) status = NoteLostEnds(checked->database, nullptr);
  if (!status.ok()) return status;
  absl::StatusOr<Tally> tally = Tally::Count(checked->database);
  if (!tally.ok()) return tally.status();
  tally->commit = std::max(checked->tally.commit, least_commit) + 1;
  tally->version = checked->tally.version;
  status = tally->Store(checked->database);
  if (status.ok()) status = checked->database.Run("COMMIT");
  if (status.ok()) checked->tally = *tally;
  return status;
}

bool IsEmpty(const std::string& path) {
  const absl::StatusOr<File> file = File::Open(path, O_RDONLY);
  if (!file.ok()) return absl::IsNotFound(file.status());
  const absl::StatusOr<int64_t> size = SizeOfFile(*file, path);
  return size.ok() && *size == 0;
}

absl::Status MakeFirst(const DataDirectory& directory, absl::Span<const Migration> migrations,
                       const absl::optional<DirectoryMark::Value>& mark) {
  const std::string path = directory.Path(kName);
  if (mark.has_value() && mark->commit > 0) {
    return Hopeless(
        directory, absl::StrCat(kName, " is missing or empty, but had ", mark->commit, " commits"));
  }
  if (!IsEmpty(absl::StrCat(path, "-wal"))) {
    return Hopeless(directory, absl::StrCat(kName, " is missing or empty, but its log is there"));
  }
  if (absl::Status removed = RemoveDatabaseFile(path); !removed.ok()) return removed;
  const std::string fresh = absl::StrCat(path, ".new");
  if (absl::Status made = MakeDatabaseFile(fresh, migrations); !made.ok()) return made;
  if (absl::Status renamed = RenameFile(fresh, path); !renamed.ok()) return renamed;
  return SyncDirectory(directory.path());
}

}  // namespace

absl::Status Configure(const Database& database) {
  // The log is written into the database by a thread of its own (WalTrimmer).
  return database.Run(
      "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cell_size_check = ON; "
      "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = -1; PRAGMA cache_size = -16384");
}

absl::Status MakeDatabaseFile(const std::string& path, absl::Span<const Migration> migrations) {
  if (absl::Status removed = RemoveDatabaseFile(path); !removed.ok()) return removed;
  {
    const absl::StatusOr<Database> database = Database::Open(path, /*create=*/true);
    if (!database.ok()) return database.status();
    absl::Status status = database->Run(absl::StrCat(
        "PRAGMA page_size = 4096; PRAGMA auto_vacuum = NONE; PRAGMA encoding = 'UTF-8'; "
        "PRAGMA application_id = ",
        kApplicationId));
    if (!status.ok()) return status;
    const absl::StatusOr<std::string> mode = database->Text("PRAGMA journal_mode = WAL");
    if (!mode.ok()) return mode.status();
    if (*mode != "wal") {
      return Error(absl::StatusCode::kFailedPrecondition, "DATA_DIR_UNUSABLE",
                   absl::StrCat("the file system of ", path,
                                " cannot hold a write-ahead log: choose a local one"));
    }
    status = Migrate(*database, migrations);
    if (!status.ok()) return status;
  }  // Closing it writes the log into it and removes the log.
  const absl::StatusOr<File> file = File::Open(path, O_RDWR);
  if (!file.ok()) return file.status();
  return Sync(*file, path);
}

bool HasDamagedDatabase(const DataDirectory& directory) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path(), error)) {
    if (absl::StartsWith(entry.path().filename().string(), kDamaged)) return true;
  }
  return false;
}

absl::StatusOr<CheckedDatabase> OpenDatabaseFile(const DataDirectory& directory,
                                                 absl::Span<const Migration> migrations,
                                                 std::vector<std::string>* findings) {
  const std::string path = directory.Path(kName);
  if (Exists(directory.Path(kSalvaged))) {
    const absl::StatusOr<std::string> old = ExchangeDatabases(directory);
    if (!old.ok()) return old.status();
    findings->push_back(
        absl::StrCat(kName, " was damaged and was written anew, the old one is ", *old));
  }
  const absl::optional<DirectoryMark::Value> mark = DirectoryMark::Read(directory.Path("MARK"));
  const int64_t least_commit = mark.has_value() ? mark->commit : 0;
  if (IsEmpty(path)) {
    if (absl::Status made = MakeFirst(directory, migrations, mark); !made.ok()) return made;
  }
  // It is made anew from the log.
  if (absl::Status removed = RemoveFile(absl::StrCat(path, "-shm")); !removed.ok()) return removed;
  absl::StatusOr<WalScan> wal = ScanWal(absl::StrCat(path, "-wal"));
  if (!wal.ok()) return wal.status();
  absl::StatusOr<std::vector<std::string>> damage = FindDamageInFile(path, migrations);
  if (!damage.ok()) return damage.status();
  if (!damage->empty()) {
    const absl::Status salvaged =
        SalvageFile(directory, migrations, least_commit, *damage, findings);
    if (!salvaged.ok()) return salvaged;
    *wal = WalScan();
  }
  absl::StatusOr<Database> database = OpenConfigured(path);
  if (!database.ok()) return database.status();
  if (absl::Status migrated = Migrate(*database, migrations); !migrated.ok()) return migrated;
  const absl::StatusOr<Tally> tally = Tally::Load(*database);
  if (!tally.ok()) return tally.status();
  CheckedDatabase checked{*std::move(database), *tally};
  if (const std::string missing = MissingEnd(checked.tally, mark, *wal); !missing.empty()) {
    findings->push_back(missing);
    if (absl::Status noted = NoteMissingEnd(&checked, least_commit); !noted.ok()) return noted;
  }
  return checked;
}

}  // namespace prospero::server
