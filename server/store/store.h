#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/variant.h"
#include "server/store/blobs.h"
#include "server/store/stored.pb.h"

namespace prospero::server {

// What can be kept. Networks are known by their uids: a name can be used again.

/// The spec of a network that is new; before its PutNetwork.
struct PutSpec {
  std::string uid;
  v1::NetworkSpec spec;
};
struct PutNetwork {
  std::string uid;
  store::StoredNetwork row;
};
/// With its spec, journal, checkpoints and snapshots; their blobs are the caller's.
struct DropNetwork {
  std::string uid;
};
/// Numbers grow. One that is left out stands for what was not written down: a reader that comes
/// there stops.
struct AppendPiece {
  std::string uid;
  int64_t seq = 0;
  std::string piece;
};
/// Pieces with a lower number go: a part with this commit, the rest with later ones.
struct TrimJournal {
  std::string uid;
  int64_t from = 0;
};
/// Its number is its `seq`: one with the same number is replaced.
struct PutCheckpoint {
  std::string uid;
  store::StoredCheckpoint row;
};
/// Checkpoints with a lower number go; their blobs are the caller's.
struct TrimCheckpoints {
  std::string uid;
  int64_t from = 0;
};
struct PutSnapshot {
  std::string uid;
  std::string id;
  store::StoredSnapshot row;
};
struct DropSnapshot {
  std::string uid;
  std::string id;
};
struct PutAnswer {
  store::StoredAnswer row;
};
struct DropAnswer {
  std::string request_id;
};
using Write =
    absl::variant<PutSpec, PutNetwork, DropNetwork, AppendPiece, TrimJournal, PutCheckpoint,
                  TrimCheckpoints, PutSnapshot, DropSnapshot, PutAnswer, DropAnswer>;

/// The pieces of one network's journal, one after the other.
class JournalReader {
 public:
  virtual ~JournalReader() = default;
  /// None behind the last one. kDataLoss (DATA_LOSS) for a piece that is damaged or missing, or
  /// may be missing, and from then on: those before it were good.
  virtual absl::StatusOr<absl::optional<std::string>> Next() = 0;
};

/// What outlives the server: networks, their journals, checkpoints, snapshots and the answers to
/// requests, and beside them blobs. Thread-safe; Commit is for one thread at a time.
class Store {
 public:
  virtual ~Store() = default;

  /// Keeps all of it, in this order, or nothing; it is on disk when this returns OK.
  /// kResourceExhausted (DISK_FULL) or kUnavailable (DISK_ERROR), with what the disk said; it can
  /// be tried again.
  virtual absl::Status Commit(const std::vector<Write>& writes) = 0;

  // What is there. kDataLoss (DATA_LOSS) for rows that are damaged.

  /// The most recently used first. A damaged row is left out and named in findings().
  virtual absl::StatusOr<std::vector<store::StoredNetwork>> Networks() = 0;
  virtual absl::StatusOr<v1::NetworkSpec> Spec(absl::string_view uid) = 0;
  /// The newest first; damaged ones are left out and named in findings().
  virtual absl::StatusOr<std::vector<store::StoredCheckpoint>> Checkpoints(
      absl::string_view uid) = 0;
  virtual absl::StatusOr<std::vector<store::StoredSnapshot>> Snapshots(absl::string_view uid) = 0;
  /// The oldest first.
  virtual absl::StatusOr<std::vector<store::StoredAnswer>> Answers() = 0;
  /// From piece `from` on.
  virtual absl::StatusOr<std::unique_ptr<JournalReader>> ReadJournal(absl::string_view uid,
                                                                     int64_t from) = 0;
  /// Number and bytes of the pieces from `from` on, as far as they are there; also of those behind
  /// a gap, so that `end` is free for the next piece.
  struct Extent {
    int64_t end = 0;  ///< one more than the last piece's number; `from` when there is none
    int64_t bytes = 0;
  };
  virtual absl::StatusOr<Extent> JournalExtent(absl::string_view uid, int64_t from) = 0;

  virtual Blobs& blobs() = 0;

  /// What was found to be damaged since it was opened, for the log: one sentence each.
  virtual std::vector<std::string> findings() const = 0;
  /// Rows may have been lost, now or before: a blob that no row names may be all that is left.
  virtual bool may_have_lost_rows() const = 0;
};

}  // namespace prospero::server
