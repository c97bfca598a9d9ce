#include "server/record.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/core/errors.h"
#include "server/convert/field.h"
#include "server/convert/network.h"
#include "server/convert/status.h"
#include "server/version.h"

namespace prospero::server {
namespace {

constexpr absl::Duration kUseTimeMayLag = absl::Minutes(1);

v1::NetworkSpec WithoutGivenValues(v1::NetworkSpec spec) {
  DropGivenValues(&spec);
  return spec;
}

}  // namespace

Record::Record(Parts parts)
    : parts_(std::move(parts)),
      summary_(WithoutGivenValues(parts_.spec)),
      labels_(parts_.labels),
      safety_(parts_.safety),
      snapshot_policy_(parts_.snapshot_policy),
      update_time_(parts_.update_time),
      use_time_(parts_.update_time),
      told_use_time_(parts_.update_time),
      version_(parts_.version) {}

Labels Record::labels() const {
  MutexLock lock(mu_);
  return labels_;
}

absl::optional<v1::Safety> Record::safety() const {
  MutexLock lock(mu_);
  return safety_;
}

absl::optional<v1::SnapshotPolicy> Record::snapshot_policy() const {
  MutexLock lock(mu_);
  return snapshot_policy_;
}

v1::Network Record::Describe() const {
  v1::Network network = Outline();
  *network.mutable_spec() = parts_.spec;
  return network;
}

v1::Network Record::Summarize() const {
  v1::Network network = Outline();
  *network.mutable_spec() = summary_;
  return network;
}

v1::Network Record::Outline() const {
  v1::Network network;
  server::Describe(parts_.instance->status(), &network);
  network.set_name(NameOf(parts_.id));
  network.set_uid(parts_.uid);
  *network.mutable_create_time() = ToProto(parts_.create_time);
  *network.mutable_warnings() = parts_.warnings;
  *network.mutable_footprint() = parts_.footprint;
  network.set_durability(parts_.keeper->durability());
  *network.mutable_storage() = Storage();
  if (parts_.recovery.has_value()) *network.mutable_recovery() = *parts_.recovery;
  MutexLock lock(mu_);
  *network.mutable_labels() = labels_;
  if (safety_.has_value()) *network.mutable_safety() = *safety_;
  if (snapshot_policy_.has_value()) *network.mutable_snapshot_policy() = *snapshot_policy_;
  network.set_etag(Etag());
  *network.mutable_update_time() = ToProto(update_time_);
  return network;
}

v1::Storage Record::Storage() const {
  v1::Storage storage;
  const Keeper& keeper = *parts_.keeper;
  const absl::Status writable = keeper.CheckWritable();
  const Keeper::Journaled journaled = keeper.journaled();
  storage.set_state(keeper.ephemeral()                   ? v1::Storage::STATE_EPHEMERAL
                    : writable.ok() && !journaled.broken ? v1::Storage::STATE_KEPT
                                                         : v1::Storage::STATE_DEGRADED);
  if (!writable.ok()) *storage.mutable_error() = ToProto(writable);
  storage.set_journal_bytes(journaled.bytes);
  if (journaled.checkpoint.has_value()) storage.set_checkpoint_step(journaled.checkpoint->step);
  return storage;
}

Write Record::Row() const {
  store::StoredNetwork row;
  *row.mutable_network() = Outline();
  v1::Network* const network = row.mutable_network();
  network->clear_storage();
  network->clear_recovery();
  network->clear_warnings();
  row.set_epoch(network->cursor().epoch());
  row.set_build(BuildDescription());
  MutexLock lock(mu_);
  row.set_version(version_);
  *row.mutable_use_time() = ToProto(use_time_);
  told_use_time_ = use_time_;
  return PutNetwork{parts_.uid, std::move(row)};
}

bool Record::RowIsStale() const {
  MutexLock lock(mu_);
  return use_time_ > told_use_time_ + kUseTimeMayLag;
}

Write Record::CompleteRow() const {
  Write write = Row();
  absl::get<PutNetwork>(write).row.set_complete(true);
  return write;
}

std::string Record::Etag() const { return absl::StrCat(parts_.uid.substr(0, 8), "-", version_); }

absl::Status Record::CheckCurrent(absl::string_view etag) const {
  MutexLock lock(mu_);
  if (deleted_) return NetworkNotFound(parts_.id);
  if (etag.empty() || etag == Etag()) return absl::OkStatus();
  return WithMetadata(Error(absl::StatusCode::kAborted, "ETAG_MISMATCH",
                            absl::StrCat("the network has changed: its etag is \"", Etag(),
                                         "\", got \"", etag, "\"")),
                      "etag", Etag());
}

void Record::Renew() {
  update_time_ = use_time_ = absl::Now();
  ++version_;
}

void Record::SetLabels(const Labels& labels) {
  MutexLock lock(mu_);
  labels_ = labels;
  Renew();
}

void Record::SetSafety(const absl::optional<v1::Safety>& safety) {
  MutexLock lock(mu_);
  safety_ = safety;
  Renew();
}

void Record::SetSnapshotPolicy(const absl::optional<v1::SnapshotPolicy>& policy) {
  MutexLock lock(mu_);
  snapshot_policy_ = policy;
  Renew();
}

void Record::Touch() {
  MutexLock lock(mu_);
  Renew();
}

void Record::Use() {
  MutexLock lock(mu_);
  use_time_ = absl::Now();
}

void Record::MarkDeleted() {
  MutexLock lock(mu_);
  deleted_ = true;
}

absl::Status NetworkNotFound(absl::string_view id) {
  return WithMetadata(Error(absl::StatusCode::kNotFound, "NETWORK_NOT_FOUND",
                            absl::StrCat("there is no network \"", NameOf(id), "\"")),
                      "network", NameOf(id));
}

}  // namespace prospero::server
