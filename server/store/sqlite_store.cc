#include "server/store/sqlite_store.h"

#include <deque>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "engine/core/mutex.h"
#include "server/store/data_directory.h"
#include "server/store/database_file.h"
#include "server/store/directory_mark.h"
#include "server/store/disk_blobs.h"
#include "server/store/sqlite_reader.h"
#include "server/store/sqlite_writer.h"
#include "server/store/wal_trimmer.h"

namespace prospero::server {
namespace {

/// Readers and the committer have connections of their own. In memory there is one connection:
/// then a commit also holds the readers' mutex, which is taken before write_mu_.
class SqliteStore final : public Store {
 public:
  SqliteStore(DataDirectory directory, std::unique_ptr<Blobs> blobs)
      : directory_(std::move(directory)), blobs_(std::move(blobs)) {}

  ~SqliteStore() override {
    // The last connection writes the log into the database.
    trimmer_.reset();
    MutexLock read(read_mu_);
    MutexLock write(write_mu_);
    writer_.reset();
    writing_.CheckpointWhenClosed(true);
    { const Database gone = std::move(reading_); }
    { const Database gone = std::move(writing_); }
    if (mark_.has_value()) mark_->Sync().IgnoreError();
  }

  absl::Status OpenInMemory() {
    ephemeral_ = true;
    MutexLock read(read_mu_);
    MutexLock write(write_mu_);
    absl::StatusOr<Database> database = Database::Open("", /*create=*/true);
    if (!database.ok()) return database.status();
    writing_ = *std::move(database);
    if (absl::Status made = Migrate(writing_, Migrations()); !made.ok()) return made;
    const absl::StatusOr<Tally> tally = Tally::Load(writing_);
    if (!tally.ok()) return tally.status();
    reader_.emplace(&writing_, &findings_);
    return StartWriter(*tally);
  }

  absl::Status OpenOnDisk() {
    MutexLock read(read_mu_);
    MutexLock write(write_mu_);
    absl::StatusOr<CheckedDatabase> checked =
        OpenDatabaseFile(directory_, Migrations(), &findings_);
    if (!checked.ok()) return checked.status();
    was_damaged_ = HasDamagedDatabase(directory_);
    writing_ = std::move(checked->database);
    const std::string path = directory_.Path("prospero.db");
    absl::StatusOr<Database> reading = Database::Open(path, /*create=*/false);
    if (!reading.ok()) return reading.status();
    reading_ = *std::move(reading);
    if (absl::Status configured = Configure(reading_); !configured.ok()) return configured;
    reader_.emplace(&reading_, &findings_);
    absl::StatusOr<std::unique_ptr<WalTrimmer>> trimmer = WalTrimmer::Make(path);
    if (!trimmer.ok()) return trimmer.status();
    trimmer_ = *std::move(trimmer);
    absl::StatusOr<DirectoryMark> mark = DirectoryMark::Open(directory_.Path("MARK"));
    if (!mark.ok()) return mark.status();
    mark_.emplace(*std::move(mark));
    mark_->Write(checked->tally.commit);
    if (absl::Status synced = SyncDirectory(directory_.path()); !synced.ok()) return synced;
    return StartWriter(checked->tally);
  }

  absl::Status Commit(const std::vector<Write>& writes) override {
    if (!ephemeral_) return CommitAlone(writes);
    MutexLock lock(read_mu_);
    return CommitAlone(writes);
  }

  absl::StatusOr<std::vector<store::StoredNetwork>> Networks() override {
    MutexLock lock(read_mu_);
    return reader_->Networks();
  }
  absl::StatusOr<v1::NetworkSpec> Spec(absl::string_view uid) override {
    MutexLock lock(read_mu_);
    return reader_->Spec(uid);
  }
  absl::StatusOr<std::vector<store::StoredCheckpoint>> Checkpoints(absl::string_view uid) override {
    MutexLock lock(read_mu_);
    return reader_->Checkpoints(uid);
  }
  absl::StatusOr<std::vector<store::StoredSnapshot>> Snapshots(absl::string_view uid) override {
    MutexLock lock(read_mu_);
    return reader_->Snapshots(uid);
  }
  absl::StatusOr<std::vector<store::StoredAnswer>> Answers() override {
    MutexLock lock(read_mu_);
    return reader_->Answers();
  }
  absl::StatusOr<Extent> JournalExtent(absl::string_view uid, int64_t from) override {
    MutexLock lock(read_mu_);
    return reader_->JournalExtent(uid, from);
  }
  absl::StatusOr<std::unique_ptr<JournalReader>> ReadJournal(absl::string_view uid,
                                                             int64_t from) override {
    return std::make_unique<PieceReader>(this, std::string(uid), from);
  }

  Blobs& blobs() override { return *blobs_; }

  std::vector<std::string> findings() const override {
    MutexLock lock(read_mu_);
    return findings_;
  }
  bool may_have_lost_rows() const override {
    MutexLock lock(read_mu_);
    return was_damaged_ || !findings_.empty();
  }

 private:
  class PieceReader final : public JournalReader {
   public:
    PieceReader(SqliteStore* store, std::string uid, int64_t from)
        : store_(*store), uid_(std::move(uid)), next_(from) {}

    absl::StatusOr<absl::optional<std::string>> Next() override {
      if (!end_.ok()) return end_;
      if (pieces_.empty()) {
        MutexLock lock(store_.read_mu_);
        auto pieces = store_.reader_->Pieces(uid_, next_);
        if (!pieces.ok()) return end_ = pieces.status();
        pieces_ = *std::move(pieces);
      }
      if (pieces_.empty()) return absl::optional<std::string>();
      SqliteReader::Piece piece = std::move(pieces_.front());
      pieces_.pop_front();
      if (chain_.has_value() && *chain_ != piece.before) {
        return end_ = Error(absl::StatusCode::kDataLoss, "DATA_LOSS",
                            absl::StrCat("piece ", next_, " of the journal of the network ", uid_,
                                         " does not follow the one before it"));
      }
      chain_ = piece.checksum;
      ++next_;
      return absl::optional<std::string>(std::move(piece.bytes));
    }

   private:
    SqliteStore& store_;
    const std::string uid_;
    int64_t next_;
    absl::optional<uint64_t> chain_;
    std::deque<SqliteReader::Piece> pieces_;
    absl::Status end_;
  };

  absl::Status StartWriter(const Tally& tally) ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_) {
    absl::StatusOr<std::unique_ptr<SqliteWriter>> writer = SqliteWriter::Make(&writing_, tally);
    if (!writer.ok()) return writer.status();
    writer_ = *std::move(writer);
    return absl::OkStatus();
  }

  absl::Status CommitAlone(const std::vector<Write>& writes) ABSL_LOCKS_EXCLUDED(write_mu_) {
    MutexLock lock(write_mu_);
    absl::Status done = writer_->Commit(writes);
    if (!done.ok() || ephemeral_) return done;
    mark_->Write(writer_->commit());
    trimmer_->Grown();
    return absl::OkStatus();
  }

  const DataDirectory directory_;  // it goes last
  const std::unique_ptr<Blobs> blobs_;
  bool ephemeral_ = false;
  mutable Mutex read_mu_;
  Mutex write_mu_ ABSL_ACQUIRED_AFTER(read_mu_);
  std::vector<std::string> findings_ ABSL_GUARDED_BY(read_mu_);
  bool was_damaged_ ABSL_GUARDED_BY(read_mu_) = false;  ///< now, or before: it is still there
  Database reading_ ABSL_GUARDED_BY(read_mu_);
  Database writing_ ABSL_GUARDED_BY(write_mu_);
  absl::optional<SqliteReader> reader_ ABSL_GUARDED_BY(read_mu_);
  std::unique_ptr<SqliteWriter> writer_ ABSL_GUARDED_BY(write_mu_);
  absl::optional<DirectoryMark> mark_ ABSL_GUARDED_BY(write_mu_);
  std::unique_ptr<WalTrimmer> trimmer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenStore(const StoreOptions& options) {
  absl::StatusOr<DataDirectory> directory =
      options.ephemeral ? DataDirectory::MakeTemporary() : DataDirectory::Open(options.directory);
  if (!directory.ok()) return directory.status();
  absl::StatusOr<std::unique_ptr<Blobs>> blobs = OpenDiskBlobs(directory->path());
  if (!blobs.ok()) return blobs.status();
  auto store = std::make_unique<SqliteStore>(*std::move(directory), *std::move(blobs));
  const absl::Status opened = options.ephemeral ? store->OpenInMemory() : store->OpenOnDisk();
  if (!opened.ok()) return opened;
  return store;
}

}  // namespace prospero::server
