#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "engine/core/mutex.h"
#include "engine/runtime/clock.h"
#include "engine/runtime/cursor.h"
#include "server/durability/keeper.h"
#include "server/store/store.h"

namespace prospero::server {

/// The snapshots of one network: those that are on disk, by id, and the ids of those that are being
/// written. Thread-safe; its mutex is held when the keeper's is taken.
class Shelf : public std::enable_shared_from_this<Shelf> {
 public:
  struct Options {
    std::string network;  ///< its id
    int64_t max_snapshots = 1000;
    const Clock* time = &Clock::Real();  ///< tells when snapshots expire
  };
  /// `rows`: of the store.
  Shelf(Options options, std::shared_ptr<Keeper> keeper,
        std::vector<store::StoredSnapshot> rows = {});

  /// Adds writes to those that a snapshot is kept with.
  using More = std::function<void(const v1::Snapshot&, std::vector<Write>*)>;

  /// An id that is taken for a snapshot on its way; free again when the claim goes unpublished.
  class Claim {
   public:
    ~Claim();
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    const std::string& id() const { return id_; }
    /// A blob for its file; nobody else has the key.
    const std::string& blob() const { return blob_; }
    /// Posts the snapshot, with name and time filled in, and what `more` adds, if it is there. It
    /// stays for `ttl`, if there is one. kNotFound (NETWORK_NOT_FOUND) when the network was
    /// deleted.
    absl::Status Post(v1::Snapshot snapshot, absl::optional<absl::Duration> ttl,
                      const More& more = {});
    /// It is on disk: from now on it can be found. kNotFound as Post.
    absl::StatusOr<v1::Snapshot> Publish();

   private:
    friend class Shelf;
    Claim(std::shared_ptr<Shelf> shelf, std::string id, int64_t seq);
    const std::shared_ptr<Shelf> shelf_;
    const std::string id_;
    const int64_t seq_;
    const std::string blob_;
    Clock::Time expires_ = Clock::kNever;
    store::StoredSnapshot row_;
    bool posted_ = false;
    bool published_ = false;
  };
  /// An empty id: the shelf chooses. kAlreadyExists (SNAPSHOT_EXISTS); kResourceExhausted
  /// (LIMIT_EXCEEDED, max_snapshots_per_network); kNotFound (NETWORK_NOT_FOUND).
  absl::StatusOr<std::shared_ptr<Claim>> Take(absl::string_view id) ABSL_LOCKS_EXCLUDED(mu_);

  /// kAlreadyExists (SNAPSHOT_EXISTS) when the id is taken.
  absl::Status CheckFree(absl::string_view id) const ABSL_LOCKS_EXCLUDED(mu_);
  /// kNotFound (SNAPSHOT_NOT_FOUND).
  absl::StatusOr<store::StoredSnapshot> Find(absl::string_view id) const ABSL_LOCKS_EXCLUDED(mu_);
  /// At most `count`, the newest first, of those older than the one numbered `before`.
  std::vector<store::StoredSnapshot> Before(int64_t before, size_t count) const
      ABSL_LOCKS_EXCLUDED(mu_);
  /// Posts that it is gone, and `more`; the blob is the caller's, once that is on disk. kNotFound
  /// (SNAPSHOT_NOT_FOUND).
  absl::StatusOr<store::StoredSnapshot> Remove(absl::string_view id, std::vector<Write> more = {})
      ABSL_LOCKS_EXCLUDED(mu_);
  /// Notes, and posts, what was found out about the file; OK: it is good.
  void Judge(absl::string_view id, const absl::Status& damage) ABSL_LOCKS_EXCLUDED(mu_);

  /// Where the network was when its policy took the newest one.
  absl::optional<Cursor> last_of_policy() const ABSL_LOCKS_EXCLUDED(mu_);
  /// Ids of those that have expired, and of those of the policy but for the newest `keep`, if that
  /// is given.
  std::vector<std::string> Spent(absl::optional<int32_t> keep) const ABSL_LOCKS_EXCLUDED(mu_);
  /// The number that the next snapshot gets.
  int64_t next_seq() const ABSL_LOCKS_EXCLUDED(mu_);

  /// The right to write an upload, until the last copy goes. kUnavailable (UPLOAD_BUSY) while
  /// somebody else has it; kResourceExhausted (LIMIT_EXCEEDED) beyond 16 uploads at a time.
  absl::StatusOr<std::shared_ptr<void>> OpenUpload(const std::string& upload)
      ABSL_LOCKS_EXCLUDED(mu_);

  /// The network is being deleted: no snapshot is posted any more. kFailedPrecondition
  /// (HAS_SNAPSHOTS), and no change, when there are any and it is not forced.
  absl::Status Close(bool force) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Entry {
    store::StoredSnapshot row;
    Clock::Time expires = Clock::kNever;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  absl::StatusOr<Entries::const_iterator> FindEntry(absl::string_view id) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status CheckOpen() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool IsTaken(absl::string_view id) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return entries_.contains(id) || claimed_.contains(id);
  }
  Clock::Time Expiry(absl::optional<absl::Duration> ttl) const;
  /// The newest first.
  std::vector<const Entry*> ByAge() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Options options_;
  const std::shared_ptr<Keeper> keeper_;
  mutable Mutex mu_;
  Entries entries_ ABSL_GUARDED_BY(mu_);
  std::set<std::string, std::less<>> claimed_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> uploads_ ABSL_GUARDED_BY(mu_);
  int64_t next_seq_ ABSL_GUARDED_BY(mu_) = 1;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

/// The same error, as one about a snapshot whose file is not what was written: kDataLoss
/// (SNAPSHOT_DAMAGED).
absl::Status SnapshotDamaged(absl::string_view name, const absl::Status& found);

/// Blobs of snapshots of a network that have no row: what was being written when the server was
/// killed. They go. To be called before any claim is taken.
void RemoveOrphans(Blobs& blobs, const std::string& uid,
                   const std::vector<store::StoredSnapshot>& rows);

}  // namespace prospero::server
