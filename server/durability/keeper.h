#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "engine/core/mutex.h"
#include "engine/runtime/journal.h"
#include "server/store/committer.h"
#include "server/store/store.h"

namespace prospero::server {

/// Hands on to the committer what is to be kept of one network: the pieces of its journal, which it
/// numbers, its row, its checkpoints. It knows which of them a recovery would start from. Thread-
/// safe; its mutex is held when the committer's is taken.
///
///   strand:  BeginOrder  Append  done(): Post, Await  EndOrder ──▶ one transaction
class Keeper final : public Journal {
 public:
  struct Options {
    std::string uid;
    v1::Durability durability = v1::DURABILITY_NONE;
    bool ephemeral = false;  ///< nothing outlives the server
    int64_t next_seq = 0;    ///< of the next piece
    /// Of pieces on their way to the disk, from all networks [bytes]. Beyond it ASYNC frames wait;
    /// while the disk refuses nothing more is written down.
    int64_t max_backlog_bytes = int64_t{64} << 20;
  };
  /// The committer must outlive it.
  Keeper(Committer* committer, Options options);

  const std::string& uid() const { return options_.uid; }
  bool ephemeral() const { return options_.ephemeral; }
  v1::Durability durability() const ABSL_LOCKS_EXCLUDED(mu_);
  /// It does not begin or end the journal of the instance.
  void set_durability(v1::Durability durability) ABSL_LOCKS_EXCLUDED(mu_);

  // Journal, on the strand.

  void Append(absl::string_view piece, Cursor cursor) override ABSL_LOCKS_EXCLUDED(mu_);
  void BeginOrder() override ABSL_LOCKS_EXCLUDED(mu_);
  void EndOrder() override ABSL_LOCKS_EXCLUDED(mu_);

  /// Queues writes. Inside an order, on whatever thread, they go with it.
  void Post(std::vector<Write> writes) ABSL_LOCKS_EXCLUDED(mu_);
  /// Calls `then`, once, on any thread, when all that was posted so far is on disk; or with
  /// kUnavailable (STORAGE_DEGRADED): then it may still be kept later.
  void Await(Committer::Then then) ABSL_LOCKS_EXCLUDED(mu_);
  /// Calls `then` when a frame that was done may be acknowledged, as the durability says: here and
  /// now unless it is SYNC, or ASYNC with a long backlog.
  void AwaitFrame(Committer::Then then) ABSL_LOCKS_EXCLUDED(mu_);
  /// kUnavailable (STORAGE_DEGRADED) while the disk refuses.
  absl::Status CheckWritable() const { return committer_->status(); }

  /// What follows does not go on from the last piece: a recovery that comes here stops.
  void Interrupt() ABSL_LOCKS_EXCLUDED(mu_);

  // What a recovery would start from.

  /// A place in the journal: pieces from `seq` on come after what the network is now.
  struct Mark {
    int64_t seq = 0;
    int64_t bytes = 0;    ///< of all pieces before it
    bool mended = false;  ///< pieces before it were not written down
  };
  /// On the strand, where a snapshot is taken.
  Mark MakeMark() ABSL_LOCKS_EXCLUDED(mu_);
  /// There will be no checkpoint at this mark.
  void DropMark(const Mark& mark) ABSL_LOCKS_EXCLUDED(mu_);
  /// A checkpoint was written at the mark. Of the older ones only the last stays: returns the
  /// writes that let the others and their journal go, to be posted with the checkpoint's own.
  std::vector<Write> Adopt(const store::StoredCheckpoint& checkpoint, const Mark& mark)
      ABSL_LOCKS_EXCLUDED(mu_);
  /// Takes over what a recovery found, the newest first.
  void Remember(const std::vector<store::StoredCheckpoint>& checkpoints, int64_t journal_bytes)
      ABSL_LOCKS_EXCLUDED(mu_);
  /// Blobs that are still needed: of checkpoints and of restores in the journal.
  std::vector<std::string> LiveBlobs() const ABSL_LOCKS_EXCLUDED(mu_);
  /// The blob is about to be written, for a restore.
  void ExpectRestore(const std::string& blob) ABSL_LOCKS_EXCLUDED(mu_);
  /// The last piece restores the snapshot in this blob. Inside the order, after the piece.
  void NoteRestore(const std::string& blob) ABSL_LOCKS_EXCLUDED(mu_);
  /// The same, found in piece `seq` by a recovery.
  void NoteRestore(const std::string& blob, int64_t seq) ABSL_LOCKS_EXCLUDED(mu_);
  /// The restore did not come about.
  void DropRestore(const std::string& blob) ABSL_LOCKS_EXCLUDED(mu_);

  struct Journaled {
    int64_t bytes = 0;  ///< behind the newest checkpoint
    absl::optional<Cursor> checkpoint;
    /// Something was not written down: a checkpoint must be taken before anything more is.
    bool broken = false;
  };
  Journaled journaled() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Checkpoint {
    store::StoredCheckpoint row;
    int64_t bytes_before = 0;  ///< of the journal, when it was taken
  };

  void Hand(std::vector<Write> writes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Committer* const committer_;
  const Options options_;
  mutable Mutex mu_;
  v1::Durability durability_ ABSL_GUARDED_BY(mu_);
  int64_t next_seq_ ABSL_GUARDED_BY(mu_);
  int64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;  ///< of all pieces so far
  bool broken_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<Checkpoint> checkpoints_ ABSL_GUARDED_BY(mu_);  ///< the newest first, at most two
  std::multimap<int64_t, std::string> restores_ ABSL_GUARDED_BY(mu_);  ///< blobs, by the piece
  bool in_order_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<Write> order_ ABSL_GUARDED_BY(mu_);
  std::vector<Committer::Then> waiting_ ABSL_GUARDED_BY(mu_);
};

}  // namespace prospero::server
