#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "engine/core/mutex.h"
#include "engine/runtime/instance.h"
#include "prospero/v1/network.pb.h"
#include "server/budget.h"
#include "server/durability/keeper.h"
#include "server/shelf.h"
#include "server/turns.h"

namespace prospero::server {

using Labels = google::protobuf::Map<std::string, std::string>;

/// A hosted network as the server knows it: the instance and what only the wire cares about.
/// Calls that change it take turns; streams hold it while they need it, and its memory counts
/// as spent until the last one lets go. Thread-safe; its mutex is a leaf.
class Record {
 public:
  struct Parts {
    std::string id;
    std::string uid;
    std::string model;  ///< name of the kind: "gle"
    v1::NetworkSpec spec;
    v1::Footprint footprint;
    google::protobuf::RepeatedPtrField<v1::Warning> warnings;
    Labels labels;
    absl::optional<v1::Safety> safety;
    absl::optional<v1::SnapshotPolicy> snapshot_policy;
    absl::Time create_time;
    absl::Time update_time;
    int64_t version = 1;  ///< of the etag
    absl::optional<v1::Recovery> recovery;
    Budget::Reservation memory;
    std::shared_ptr<Instance> instance;
    std::shared_ptr<Keeper> keeper;
    std::shared_ptr<Shelf> shelf;  ///< the snapshots
    std::shared_ptr<Turns> changes;
    std::shared_ptr<Turns> steps;
    std::shared_ptr<Turns> checkpoints;
  };
  explicit Record(Parts parts);

  const std::string& id() const { return parts_.id; }
  const std::string& model() const { return parts_.model; }
  const v1::NetworkSpec& spec() const { return parts_.spec; }
  const std::string& uid() const { return parts_.uid; }
  Instance& instance() const { return *parts_.instance; }
  Keeper& keeper() const { return *parts_.keeper; }
  const std::shared_ptr<Keeper>& shared_keeper() const { return parts_.keeper; }
  Shelf& shelf() const { return *parts_.shelf; }
  /// [bytes], of the network and its spec
  int64_t bytes() const { return parts_.memory.bytes(); }

  /// It came back with its server.
  bool recovered() const { return parts_.recovery.has_value(); }

  /// Calls that change the resource.
  Turns& changes() const { return *parts_.changes; }
  /// Unary steps.
  Turns& steps() const { return *parts_.steps; }
  Turns& checkpoints() const { return *parts_.checkpoints; }
  /// One is on its way.
  bool taking_checkpoint() const { return taking_checkpoint_; }
  void set_taking_checkpoint(bool taking) { taking_checkpoint_ = taking; }

  Labels labels() const ABSL_LOCKS_EXCLUDED(mu_);
  absl::optional<v1::Safety> safety() const ABSL_LOCKS_EXCLUDED(mu_);
  absl::optional<v1::SnapshotPolicy> snapshot_policy() const ABSL_LOCKS_EXCLUDED(mu_);
  /// The whole resource as it is now.
  v1::Network Describe() const ABSL_LOCKS_EXCLUDED(mu_);
  /// The same without the values of given weights.
  v1::Network Summarize() const ABSL_LOCKS_EXCLUDED(mu_);
  /// The same without the spec.
  v1::Network Outline() const ABSL_LOCKS_EXCLUDED(mu_);
  /// What a recovery has to know besides spec, checkpoints and journal, as a row for the store,
  /// where it is to be put.
  Write Row() const ABSL_LOCKS_EXCLUDED(mu_);
  /// The row in the store says of a network that is in use that it was last used long ago.
  bool RowIsStale() const ABSL_LOCKS_EXCLUDED(mu_);
  /// The same at a shutdown: the newest checkpoint has everything.
  Write CompleteRow() const ABSL_LOCKS_EXCLUDED(mu_);

  /// To be asked in one's turn. kNotFound (NETWORK_NOT_FOUND) once the network was deleted;
  /// kAborted (ETAG_MISMATCH) unless `etag` is empty or the present one.
  absl::Status CheckCurrent(absl::string_view etag) const ABSL_LOCKS_EXCLUDED(mu_);

  // Changes of the resource; each renews etag and update time.
  void SetLabels(const Labels& labels) ABSL_LOCKS_EXCLUDED(mu_);
  void SetSafety(const absl::optional<v1::Safety>& safety) ABSL_LOCKS_EXCLUDED(mu_);
  void SetSnapshotPolicy(const absl::optional<v1::SnapshotPolicy>& policy) ABSL_LOCKS_EXCLUDED(mu_);
  void Touch() ABSL_LOCKS_EXCLUDED(mu_);
  void MarkDeleted() ABSL_LOCKS_EXCLUDED(mu_);
  /// Somebody drives it: recoveries begin with what was used last.
  void Use() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  std::string Etag() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  v1::Storage Storage() const;
  void Renew() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Parts parts_;
  std::atomic<bool> taking_checkpoint_ = false;
  const v1::NetworkSpec summary_;  ///< the spec without given values
  mutable Mutex mu_;
  Labels labels_ ABSL_GUARDED_BY(mu_);
  absl::optional<v1::Safety> safety_ ABSL_GUARDED_BY(mu_);
  absl::optional<v1::SnapshotPolicy> snapshot_policy_ ABSL_GUARDED_BY(mu_);
  absl::Time update_time_ ABSL_GUARDED_BY(mu_);
  absl::Time use_time_ ABSL_GUARDED_BY(mu_);
  mutable absl::Time told_use_time_ ABSL_GUARDED_BY(mu_);  ///< in the last row
  int64_t version_ ABSL_GUARDED_BY(mu_);
  bool deleted_ ABSL_GUARDED_BY(mu_) = false;
};

/// kNotFound, NETWORK_NOT_FOUND, with the name in the metadata.
absl::Status NetworkNotFound(absl::string_view id);

}  // namespace prospero::server
