#include "server/durability/recovery.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/errors.h"
#include "server/blueprint.h"
#include "server/convert/field.h"
#include "server/convert/network.h"
#include "server/convert/status.h"
#include "server/durability/checkpoints.h"
#include "server/host.h"
#include "server/store/snapshot_file.h"
#include "server/version.h"

namespace prospero::server {
namespace {

using SnapshotPointer = std::shared_ptr<const Snapshot>;

absl::Status DataLoss(absl::string_view what) {
  return Error(absl::StatusCode::kDataLoss, "DATA_LOSS", what);
}

/// `info` may be null.
absl::StatusOr<SnapshotPointer> ReadBlob(const Host& host, const std::string& blob,
                                         SnapshotInfo* info) {
  const absl::StatusOr<std::unique_ptr<BlobReader>> reader = host.store->blobs().Open(blob);
  if (!reader.ok()) return reader.status();
  absl::StatusOr<Snapshot> snapshot = ReadSnapshot(**reader, info);
  if (!snapshot.ok()) return snapshot.status();
  return std::make_shared<const Snapshot>(*std::move(snapshot));
}

/// Waits for what an order, or the committer, has to say.
template <class T>
T Wait(const std::function<void(std::function<void(const T&)>)>& order) {
  std::promise<T> promise;
  order([&promise](const T& value) { promise.set_value(value); });
  return promise.get_future().get();
}

/// One network on its way back.
class Return {
 public:
  Return(Host& host, const store::StoredNetwork& row, Pending& pending,
         const std::atomic<bool>& over)
      : host_(host), row_(row), pending_(pending), over_(over), uid_(row.network().uid()) {}

  /// The network, kept as it says, not yet in the catalogue. kCancelled when it was broken off.
  absl::StatusOr<std::shared_ptr<Record>> Run();

 private:
  /// Finds the newest state that is good.
  absl::Status FindStart();
  absl::Status StartWithoutCheckpoint(bool had_checkpoints);
  absl::Status StartFromSnapshot();
  /// The newest snapshot that is good, if there is one, and its row.
  absl::optional<store::StoredSnapshot> ReadNewestSnapshot(SnapshotPointer* snapshot,
                                                           SnapshotInfo* info) const;
  /// The files have it too.
  absl::StatusOr<v1::NetworkSpec> FindSpec();
  absl::StatusOr<std::shared_ptr<Record>> Replay();
  absl::StatusOr<absl::optional<std::string>> NextPiece();
  bool Report(int64_t steps);
  /// Gives it what is no part of its state: safety, clock, running.
  void Dress(const Record& record);
  /// Sees to what must be on disk before anybody sees the network.
  absl::Status Secure(const std::shared_ptr<Record>& record);
  void Say(absl::string_view what);

  Host& host_;
  const store::StoredNetwork& row_;
  Pending& pending_;
  const std::atomic<bool>& over_;
  const std::string uid_;

  SnapshotPointer base_;  ///< null: as it was made
  SnapshotInfo info_;     ///< of base_
  bool spec_is_lost_ = false;
  bool plays_journal_ = false;
  std::vector<store::StoredCheckpoint> checkpoints_;  ///< the newest first, from the one begun with
  std::unique_ptr<JournalReader> journal_;
  int64_t first_ = 0;  ///< number of the first piece to be played
  int64_t next_ = 0;   ///< of the next one
  Store::Extent extent_;
  std::shared_ptr<Keeper> keeper_;
  std::vector<std::string> damage_;  ///< found on the way, one sentence each
  bool lost_ = false;                ///< less came back than was kept
};

void Return::Say(absl::string_view what) {
  damage_.emplace_back(what);
  host_.log->Write(LogLevel::kError, "damaged",
                   {{"network", row_.network().name()}, {"what", std::string(what)}});
}

absl::StatusOr<std::shared_ptr<Record>> Return::Run() {
  if (absl::Status status = FindStart(); !status.ok()) return status;
  absl::StatusOr<std::shared_ptr<Record>> record = Replay();
  if (!record.ok()) return record;
  Dress(**record);
  if (absl::Status status = Secure(*record); !status.ok()) {
    (*record)->instance().End(status);
    return status;
  }
  return record;
}

absl::Status Return::FindStart() {
  plays_journal_ = row_.network().durability() != v1::DURABILITY_NONE;
  const absl::StatusOr<std::vector<store::StoredCheckpoint>> rows = host_.store->Checkpoints(uid_);
  if (!rows.ok()) return rows.status();
  for (auto row = rows->begin(); row != rows->end() && base_ == nullptr; ++row) {
    absl::StatusOr<SnapshotPointer> base = ReadBlob(host_, row->blob(), &info_);
    if (base.ok()) {
      base_ = *std::move(base);
      checkpoints_.assign(row, rows->end());
      first_ = row->seq();
    } else {
      Say(base.status().message());
    }
  }
  if (base_ == nullptr) {
    if (absl::Status status = StartWithoutCheckpoint(!rows->empty()); !status.ok()) return status;
  } else if (!damage_.empty() && !plays_journal_) {
    lost_ = true;
  }
  const absl::StatusOr<Store::Extent> extent = host_.store->JournalExtent(uid_, first_);
  if (!extent.ok()) return extent.status();
  extent_ = *extent;
  next_ = first_;
  absl::StatusOr<std::unique_ptr<JournalReader>> journal = host_.store->ReadJournal(uid_, first_);
  if (!journal.ok()) return journal.status();
  journal_ = *std::move(journal);
  return absl::OkStatus();
}

absl::Status Return::StartWithoutCheckpoint(bool had_checkpoints) {
  if (!had_checkpoints) return absl::OkStatus();
  if (plays_journal_) {
    // As long as there was one checkpoint the journal goes back to the creation.
    const absl::StatusOr<std::unique_ptr<JournalReader>> journal =
        host_.store->ReadJournal(uid_, 0);
    if (journal.ok()) {
      const auto piece = (*journal)->Next();
      if (piece.ok() && piece->has_value()) return absl::OkStatus();
    }
  }
  return StartFromSnapshot();
}

absl::Status Return::StartFromSnapshot() {
  lost_ = true;
  plays_journal_ = false;
  const absl::optional<store::StoredSnapshot> row = ReadNewestSnapshot(&base_, &info_);
  if (!row.has_value()) {
    return DataLoss(
        absl::StrCat("no good state of the network is left: ", absl::StrJoin(damage_, "; ")));
  }
  Say(absl::StrCat("it stands where its snapshot ", row->snapshot().name(), " was taken"));
  return absl::OkStatus();
}

absl::optional<store::StoredSnapshot> Return::ReadNewestSnapshot(SnapshotPointer* snapshot,
                                                                 SnapshotInfo* info) const {
  const absl::StatusOr<std::vector<store::StoredSnapshot>> rows = host_.store->Snapshots(uid_);
  if (!rows.ok()) return absl::nullopt;
  for (const store::StoredSnapshot& row : *rows) {
    absl::StatusOr<SnapshotPointer> good = ReadBlob(host_, row.blob(), info);
    if (!good.ok()) continue;
    *snapshot = *std::move(good);
    return row;
  }
  return absl::nullopt;
}

absl::StatusOr<v1::NetworkSpec> Return::FindSpec() {
  const absl::StatusOr<v1::NetworkSpec> spec = host_.store->Spec(uid_);
  if (spec.ok() || !absl::IsDataLoss(spec.status())) return spec;
  Say(spec.status().message());
  spec_is_lost_ = true;
  if (base_ != nullptr) return info_.spec;
  SnapshotPointer unused;
  SnapshotInfo info;
  if (ReadNewestSnapshot(&unused, &info).has_value()) return std::move(info.spec);
  return spec;
}

absl::StatusOr<std::shared_ptr<Record>> Return::Replay() {
  if (plays_journal_ && extent_.end > first_ && row_.build() != BuildDescription()) {
    host_.log->Write(LogLevel::kWarning, "the journal was written by another build",
                     {{"network", row_.network().name()}, {"build", row_.build()}});
  }
  const absl::StatusOr<v1::NetworkSpec> spec = FindSpec();
  if (!spec.ok()) return spec.status();
  Keeper::Options options;
  options.uid = uid_;
  options.durability = row_.network().durability();
  options.ephemeral = host_.storage.ephemeral;
  options.next_seq = extent_.end;
  keeper_ = std::make_shared<Keeper>(&host_.committer, options);

  Origin origin;
  origin.base = base_;
  origin.next_piece = [this] { return NextPiece(); };
  origin.find_snapshot = [this](const std::string& key) {
    keeper_->NoteRestore(key, next_ - 1);
    return ReadBlob(host_, key, nullptr);
  };
  origin.least_epoch = row_.epoch();
  origin.new_epoch = !row_.complete();
  origin.learning = row_.network().learning();
  origin.running = false;
  origin.progress = [this](int64_t steps) { return Report(steps); };

  absl::StatusOr<Blueprint> blueprint = Draw(host_, *spec);
  if (!blueprint.ok()) return blueprint.status();
  absl::Status loss;
  const auto told = [this, &loss] {
    if (!loss.ok()) Say(loss.message());
    lost_ = lost_ || !loss.ok();
    v1::Recovery recovery = pending_.Describe().recovery();
    recovery.set_progress(1.0);
    if (lost_) *recovery.mutable_loss() = ToProto(DataLoss(absl::StrJoin(damage_, "; ")));
    return recovery;
  };
  absl::StatusOr<std::shared_ptr<Record>> record =
      Rebuild(host_, *std::move(blueprint), row_, origin, keeper_, &loss, told);
  keeper_->Remember(checkpoints_, extent_.bytes);
  return record;
}

absl::StatusOr<absl::optional<std::string>> Return::NextPiece() {
  if (!plays_journal_) return absl::optional<std::string>();
  absl::StatusOr<absl::optional<std::string>> piece = journal_->Next();
  if (piece.ok() && piece->has_value()) ++next_;
  return piece;
}

bool Return::Report(int64_t steps) {
  const auto pieces = static_cast<double>(std::max<int64_t>(extent_.end - first_, 1));
  pending_.Report(steps, static_cast<double>(next_ - first_) / pieces);
  return !over_;
}

void Return::Dress(const Record& record) {
  Instance& instance = record.instance();
  const auto warn = [this](absl::string_view what, const absl::Status& status) {
    if (status.ok()) return;
    host_.log->Write(LogLevel::kWarning, std::string(what),
                     {{"network", row_.network().name()}, {"what", std::string(status.message())}});
  };
  const auto order = [](const std::function<void(Instance::Done<Cursor>)>& give) {
    return Wait<absl::StatusOr<Cursor>>(give).status();
  };
  warn("safety was not declared again",
       order([&](Instance::Done<Cursor> done) { Protect(record, std::move(done)); }));
  const absl::StatusOr<ClockSpec> clock = FromProto(row_.network().clock());
  if (clock.ok() && clock->mode == ClockMode::kRealtime) {
    warn("the clock is FREE",
         order([&](Instance::Done<Cursor> done) { instance.SetClock(*clock, std::move(done)); }));
  }
  if (row_.network().state() == v1::Network::STATE_PAUSED) return;
  if (instance.status().state == RunState::kFailed) return;
  warn("the network stands still",
       order([&](Instance::Done<Cursor> done) { instance.Start(std::move(done)); }));
}

absl::Status Return::Secure(const std::shared_ptr<Record>& record) {
  std::vector<Write> writes = {record->Row()};
  if (spec_is_lost_) writes.insert(writes.begin(), PutSpec{uid_, record->spec()});
  record->keeper().Post(std::move(writes));
  if (damage_.empty() || record->instance().status().state == RunState::kFailed) {
    return Wait<absl::Status>([&](Committer::Then then) { record->keeper().Await(then); });
  }
  // What comes now must not stand behind a piece, or a file, that is damaged.
  return Wait<absl::Status>(
      [&](Committer::Then then) { TakeCheckpoint(host_, record, std::move(then)); });
}

/// What the clients of a network that does not come back are told.
absl::Status Condemnation(const std::string& name, const absl::Status& why) {
  if (!absl::IsDataLoss(why)) return why;
  return WithMetadata(Error(absl::StatusCode::kDataLoss, "NETWORK_DAMAGED", why.message()),
                      "network", name);
}

}  // namespace

Recovery::Recovery(Host* host, int threads)
    : host_(*host), threads_(std::make_unique<Executor>(threads)) {}

Recovery::~Recovery() { Join(); }

void Recovery::Join() {
  BreakOff();
  threads_.reset();
}

absl::Status Recovery::Expect() {
  absl::StatusOr<std::vector<store::StoredNetwork>> rows = host_.store->Networks();
  if (!rows.ok()) return rows.status();
  for (store::StoredNetwork& row : *rows) {
    const absl::StatusOr<std::string> id = IdOf(row.network().name(), "name");
    if (!id.ok()) return id.status();
    auto pending = std::make_shared<Pending>(row.network());
    host_.catalog.Expect(*id, pending);
    expected_.push_back({*id, std::move(row), std::move(pending)});
  }
  found_ = static_cast<int64_t>(expected_.size());
  RemoveOrphans();
  return absl::OkStatus();
}

void Recovery::Begin(std::function<void(const std::string& name, bool there)> tell) {
  tell_ = std::move(tell);
  for (const Expected& expected : expected_) tell_(NameOf(expected.id), false);
  for (Expected& expected : std::exchange(expected_, {})) {
    threads_->Post([this, expected = std::move(expected)] { Bring(expected); });
  }
}

void Recovery::RemoveOrphans() {
  if (host_.store->may_have_lost_rows()) return;
  std::set<std::string> uids;
  for (const Expected& expected : expected_) uids.insert(expected.pending->uid());
  Blobs& blobs = host_.store->blobs();
  const auto keys = blobs.List("");
  if (!keys.ok()) return;  // Another time.
  for (const std::string& key : *keys) {
    if (!uids.contains(key.substr(0, key.find('/')))) blobs.Remove(key).IgnoreError();
  }
}

void Recovery::Forget(const Record& record) {
  if (record.recovered()) tell_(NameOf(record.id()), false);
}

void Recovery::BreakOff() {
  over_ = true;
  host_.catalog.StopWaiting();
}

void Recovery::Bring(const Expected& expected) {
  if (over_) return;
  const auto begin = std::chrono::steady_clock::now();
  const auto& [id, row, pending] = expected;
  const absl::StatusOr<std::shared_ptr<Record>> record = Return(host_, row, *pending, over_).Run();
  if (over_ && !record.ok()) return;
  if (!record.ok()) {
    ++damaged_;
    pending->Condemn(Condemnation(NameOf(id), record.status()));
    host_.log->Write(LogLevel::kError, "not recovered",
                     {{"network", NameOf(id)}, {"what", std::string(record.status().message())}});
    return host_.catalog.GiveUp(id);
  }
  ++recovered_;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  host_.log->Write(LogLevel::kInfo, "recovered",
                   {{"network", NameOf(id)},
                    {"step", (*record)->instance().status().cursor.step},
                    {"replayed_steps", pending->Describe().recovery().steps()},
                    {"seconds", seconds.count()}});
  host_.catalog.Arrive(id, *record);
  tell_(NameOf(id), true);
  if (host_.draining) (*record)->instance().Drain();
  host_.TellStorage(**record);
}

Recovery::Counts Recovery::counts() const { return {found_, recovered_, damaged_}; }

}  // namespace prospero::server
