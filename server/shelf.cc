#include "server/shelf.h"

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/core/errors.h"
#include "server/convert/field.h"
#include "server/convert/network.h"
#include "server/convert/snapshot.h"
#include "server/convert/status.h"
#include "server/limits.h"
#include "server/record.h"

namespace prospero::server {
namespace {

constexpr size_t kMaxUploads = 16;

std::string RandomName() {
  std::random_device device;
  const uint64_t bits = (uint64_t{device()} << 32U) | device();
  return absl::StrCat("s-", absl::Hex(bits, absl::kZeroPad16));
}

absl::Status NotFound(absl::string_view network, absl::string_view id) {
  const std::string name = SnapshotName(network, id);
  return WithMetadata(Error(absl::StatusCode::kNotFound, "SNAPSHOT_NOT_FOUND",
                            absl::StrCat("there is no snapshot \"", name, "\"")),
                      "snapshot", name);
}

absl::Status Exists(absl::string_view network, absl::string_view id) {
  const std::string name = SnapshotName(network, id);
  return WithMetadata(Error(absl::StatusCode::kAlreadyExists, "SNAPSHOT_EXISTS",
                            absl::StrCat("there is a snapshot \"", name, "\" already")),
                      "snapshot", name);
}

}  // namespace

Shelf::Shelf(Options options, std::shared_ptr<Keeper> keeper,
             std::vector<store::StoredSnapshot> rows)
    : options_(std::move(options)), keeper_(std::move(keeper)) {
  const absl::Time now = absl::Now();
  for (store::StoredSnapshot& row : rows) {
    Entry entry;
    next_seq_ = std::max(next_seq_, row.seq() + 1);
    if (row.snapshot().has_expire_time()) {
      const absl::StatusOr<absl::Time> at = FromProto(row.snapshot().expire_time(), "");
      if (at.ok()) entry.expires = Expiry(*at - now);
    }
    const absl::StatusOr<SnapshotIds> ids = SnapshotIdsOf(row.snapshot().name(), "");
    if (!ids.ok()) continue;
    entry.row = std::move(row);
    entries_.emplace(ids->snapshot, std::move(entry));
  }
}

Clock::Time Shelf::Expiry(absl::optional<absl::Duration> ttl) const {
  if (!ttl.has_value()) return Clock::kNever;
  const absl::Duration time = std::max(*ttl, absl::ZeroDuration());
  return options_.time->Now() + absl::ToChronoNanoseconds(time);
}

absl::Status Shelf::CheckOpen() const {
  return closed_ ? NetworkNotFound(options_.network) : absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<Shelf::Claim>> Shelf::Take(absl::string_view id) {
  const std::string chosen = id.empty() ? RandomName() : std::string(id);
  const MutexLock lock(mu_);
  if (absl::Status status = CheckOpen(); !status.ok()) return status;
  if (IsTaken(chosen)) return Exists(options_.network, chosen);
  const auto count = static_cast<int64_t>(entries_.size() + claimed_.size());
  if (count >= options_.max_snapshots) {
    return LimitExceeded("max_snapshots_per_network", options_.max_snapshots, count + 1);
  }
  claimed_.insert(chosen);
  return std::shared_ptr<Claim>(new Claim(shared_from_this(), chosen, next_seq_++));
}

Shelf::Claim::Claim(std::shared_ptr<Shelf> shelf, std::string id, int64_t seq)
    : shelf_(std::move(shelf)),
      id_(std::move(id)),
      seq_(seq),
      blob_(absl::StrCat(shelf_->keeper_->uid(), "/", RandomName(), ".safetensors")) {}

Shelf::Claim::~Claim() {
  const MutexLock lock(shelf_->mu_);
  shelf_->claimed_.erase(id_);
  if (posted_ && !published_ && !shelf_->closed_) {
    shelf_->keeper_->Post({DropSnapshot{shelf_->keeper_->uid(), id_}});
  }
}

absl::Status Shelf::Claim::Post(v1::Snapshot snapshot, absl::optional<absl::Duration> ttl,
                                const More& more) {
  snapshot.set_name(SnapshotName(shelf_->options_.network, id_));
  *snapshot.mutable_create_time() = ToProto(absl::Now());
  if (ttl.has_value()) *snapshot.mutable_expire_time() = ToProto(absl::Now() + *ttl);
  expires_ = shelf_->Expiry(ttl);
  row_.set_blob(blob_);
  row_.set_seq(seq_);
  *row_.mutable_snapshot() = std::move(snapshot);
  std::vector<Write> writes = {PutSnapshot{shelf_->keeper_->uid(), id_, row_}};
  if (more) more(row_.snapshot(), &writes);
  const MutexLock lock(shelf_->mu_);
  if (absl::Status status = shelf_->CheckOpen(); !status.ok()) return status;
  posted_ = true;
  shelf_->keeper_->Post(std::move(writes));
  return absl::OkStatus();
}

absl::StatusOr<v1::Snapshot> Shelf::Claim::Publish() {
  const MutexLock lock(shelf_->mu_);
  if (absl::Status status = shelf_->CheckOpen(); !status.ok()) return status;
  published_ = true;
  shelf_->claimed_.erase(id_);
  shelf_->entries_[id_] = {row_, expires_};
  return row_.snapshot();
}

absl::StatusOr<Shelf::Entries::const_iterator> Shelf::FindEntry(absl::string_view id) const {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return NotFound(options_.network, id);
  return found;
}

absl::Status Shelf::CheckFree(absl::string_view id) const {
  const MutexLock lock(mu_);
  return IsTaken(id) ? Exists(options_.network, id) : absl::OkStatus();
}

absl::StatusOr<store::StoredSnapshot> Shelf::Find(absl::string_view id) const {
  const MutexLock lock(mu_);
  const absl::StatusOr<Entries::const_iterator> found = FindEntry(id);
  if (!found.ok()) return found.status();
  return (*found)->second.row;
}

std::vector<const Shelf::Entry*> Shelf::ByAge() const {
  std::vector<const Entry*> entries;
  for (const auto& [id, entry] : entries_) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(),
            [](const Entry* a, const Entry* b) { return a->row.seq() > b->row.seq(); });
  return entries;
}

std::vector<store::StoredSnapshot> Shelf::Before(int64_t before, size_t count) const {
  std::vector<store::StoredSnapshot> rows;
  const MutexLock lock(mu_);
  for (const Entry* entry : ByAge()) {
    if (rows.size() == count) break;
    if (entry->row.seq() < before) rows.push_back(entry->row);
  }
  return rows;
}

absl::StatusOr<store::StoredSnapshot> Shelf::Remove(absl::string_view id, std::vector<Write> more) {
  const MutexLock lock(mu_);
  const absl::StatusOr<Entries::const_iterator> found = FindEntry(id);
  if (!found.ok()) return found.status();
  store::StoredSnapshot row = (*found)->second.row;
  entries_.erase(*found);
  if (closed_) return row;
  more.insert(more.begin(), DropSnapshot{keeper_->uid(), std::string(id)});
  keeper_->Post(std::move(more));
  return row;
}

void Shelf::Judge(absl::string_view id, const absl::Status& damage) {
  const MutexLock lock(mu_);
  const auto found = entries_.find(id);
  if (found == entries_.end() || closed_) return;
  v1::Snapshot& snapshot = *found->second.row.mutable_snapshot();
  if (damage.ok() && !snapshot.has_damage()) return;
  snapshot.clear_damage();
  if (!damage.ok()) *snapshot.mutable_damage() = ToProto(damage);
  keeper_->Post({PutSnapshot{keeper_->uid(), std::string(id), found->second.row}});
}

absl::optional<Cursor> Shelf::last_of_policy() const {
  const MutexLock lock(mu_);
  for (const Entry* entry : ByAge()) {
    const v1::Snapshot& snapshot = entry->row.snapshot();
    if (snapshot.origin() != v1::Snapshot::ORIGIN_POLICY) continue;
    return Cursor{snapshot.cursor().epoch(), snapshot.cursor().step()};
  }
  return absl::nullopt;
}

std::vector<std::string> Shelf::Spent(absl::optional<int32_t> keep) const {
  const Clock::Time now = options_.time->Now();
  std::vector<std::string> spent;
  int32_t kept = 0;
  const MutexLock lock(mu_);
  for (const Entry* entry : ByAge()) {
    const v1::Snapshot& snapshot = entry->row.snapshot();
    const bool of_policy = snapshot.origin() == v1::Snapshot::ORIGIN_POLICY;
    const bool beyond = of_policy && keep.has_value() && kept++ >= *keep;
    if (!beyond && entry->expires > now) continue;
    spent.push_back(SnapshotIdsOf(snapshot.name(), "")->snapshot);
  }
  return spent;
}

int64_t Shelf::next_seq() const {
  const MutexLock lock(mu_);
  return next_seq_;
}

absl::StatusOr<std::shared_ptr<void>> Shelf::OpenUpload(const std::string& upload) {
  const MutexLock lock(mu_);
  if (absl::Status status = CheckOpen(); !status.ok()) return status;
  if (uploads_.contains(upload)) {
    return Error(absl::StatusCode::kUnavailable, "UPLOAD_BUSY",
                 "another stream still writes this upload; try again");
  }
  if (uploads_.size() >= kMaxUploads) {
    return LimitExceeded("uploads at a time", kMaxUploads,
                         static_cast<int64_t>(uploads_.size()) + 1);
  }
  uploads_.insert(upload);
  return std::shared_ptr<void>(nullptr, [self = shared_from_this(), upload](void*) {
    const MutexLock again(self->mu_);
    self->uploads_.erase(upload);
  });
}

absl::Status Shelf::Close(bool force) {
  const MutexLock lock(mu_);
  if (!force && !entries_.empty()) {
    return WithMetadata(
        Error(absl::StatusCode::kFailedPrecondition, "HAS_SNAPSHOTS",
              absl::StrCat("the network has ", entries_.size(),
                           " snapshots: delete them, or delete the network with force")),
        "snapshots", absl::StrCat(entries_.size()));
  }
  closed_ = true;
  return absl::OkStatus();
}

absl::Status SnapshotDamaged(absl::string_view name, const absl::Status& found) {
  return WithMetadata(
      Error(absl::StatusCode::kDataLoss, "SNAPSHOT_DAMAGED",
            absl::StrCat("the file of \"", name, "\" is damaged: ", found.message())),
      "snapshot", name);
}

void RemoveOrphans(Blobs& blobs, const std::string& uid,
                   const std::vector<store::StoredSnapshot>& rows) {
  std::set<std::string> known;
  for (const store::StoredSnapshot& row : rows) known.insert(row.blob());
  const absl::StatusOr<std::vector<std::string>> found = blobs.List(absl::StrCat(uid, "/s-"));
  if (!found.ok()) return;
  for (const std::string& blob : *found) {
    if (!known.contains(blob)) blobs.Remove(blob).IgnoreError();
  }
}

}  // namespace prospero::server
