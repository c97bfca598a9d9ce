#include "server/snapshot_sweep.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/convert/network.h"
#include "server/convert/snapshot.h"
#include "server/host.h"
#include "server/snapshots.h"

namespace prospero::server {
namespace {

constexpr std::chrono::hours kBetweenUploads{1};
constexpr int64_t kUploadSeconds = 24 * 3600;

void LogFailure(Host& host, const Record& record, absl::string_view what,
                const absl::Status& status) {
  host.log->Write(LogLevel::kWarning, std::string(what),
                  {{"network", NameOf(record.id())}, {"why", std::string(status.message())}});
}

void RemoveSpent(Host& host, const std::shared_ptr<Record>& record,
                 const absl::optional<int32_t>& keep) {
  for (const std::string& id : record->shelf().Spent(keep)) {
    const auto tell = [&host, record](const absl::Status& status) {
      if (status.ok() || absl::IsNotFound(status)) return;
      LogFailure(host, *record, "a snapshot was not removed", status);
    };
    tell(RemoveSnapshot(host, record, id, {}, tell));
  }
}

/// Unique, and in the order of the names as long as the machine's clock is right.
std::string ChooseAutoId(const Shelf& shelf) {
  return absl::StrCat("auto-", absl::FormatTime("%Y%m%d-%H%M%S", absl::Now(), absl::UTCTimeZone()),
                      "-", shelf.next_seq());
}

}  // namespace

SnapshotSweep::SnapshotSweep(Host* host, const Clock* time)
    : host_(*host), time_(*time), next_uploads_(time->Now()) {}

SnapshotSweep::~SnapshotSweep() {
  MutexLock lock(mu_);
  while (!busy_.empty()) idle_.Wait(mu_);
}

void SnapshotSweep::Run() {
  std::set<std::string> uids;
  for (const std::shared_ptr<Record>& record : host_.catalog.All()) {
    uids.insert(record->uid());
    if (record->keeper().CheckWritable().ok()) Look(record);
  }
  schedule_.Keep(uids);
  if (time_.Now() >= next_uploads_) DropUploads();
}

void SnapshotSweep::Look(const std::shared_ptr<Record>& record) {
  absl::optional<SnapshotRhythm> rhythm;
  if (const absl::optional<v1::SnapshotPolicy> policy = record->snapshot_policy()) {
    const auto read = FromProto(*policy, host_.limits.max_snapshots_per_network);
    if (read.ok()) rhythm = *read;
  }
  RemoveSpent(host_, record,
              rhythm.has_value() ? absl::optional<int32_t>(rhythm->keep) : absl::nullopt);
  if (!rhythm.has_value()) return;
  const InstanceStatus status = record->instance().status();
  if (status.state == RunState::kFailed) return;
  const bool due = schedule_.IsDue(record->uid(), rhythm->every, status.cursor,
                                   record->shelf().last_of_policy(), time_.Now());
  if (due) Take(record, rhythm->keep);
}

void SnapshotSweep::Take(const std::shared_ptr<Record>& record, int32_t keep) {
  {
    const MutexLock lock(mu_);
    if (!busy_.insert(record->uid()).second) return;
  }
  SnapshotWish wish;
  wish.id = ChooseAutoId(record->shelf());
  wish.origin = v1::Snapshot::ORIGIN_POLICY;
  KeepSnapshot(host_, record, std::move(wish),
               [this, record, keep](const absl::StatusOr<v1::Snapshot>& snapshot) {
                 Finish(record, keep, snapshot.status());
               });
}

void SnapshotSweep::Finish(const std::shared_ptr<Record>& record, int32_t keep,
                           const absl::Status& status) {
  if (status.ok()) {
    RemoveSpent(host_, record, keep);
  } else {
    LogFailure(host_, *record, "no snapshot was taken", status);
  }
  const MutexLock lock(mu_);
  busy_.erase(record->uid());
  idle_.SignalAll();
}

void SnapshotSweep::DropUploads() {
  next_uploads_ = time_.Now() + kBetweenUploads;
  host_.store->blobs().DropUploadsOlderThan(kUploadSeconds).IgnoreError();
}

}  // namespace prospero::server
