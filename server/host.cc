#include "server/host.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "engine/core/errors.h"
#include "server/convert/network.h"
#include "server/convert/sample_wire.h"
#include "server/durability/checkpoints.h"

namespace prospero::server {
namespace {

constexpr int kControlThreads = 2;
constexpr int kErrandThreads = 2;

/// Between two looks at recordings that nobody reads, and at checkpoints that are due.
absl::Duration SweepPeriod(absl::Duration retention) {
  return std::clamp(retention / 4, absl::Milliseconds(100), absl::Seconds(1));
}

int RecoveryThreads(const StorageOptions& storage) {
  if (storage.recovery_threads > 0) return storage.recovery_threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void TellStorage(const Record& record, const absl::Status& status) {
  const v1::Durability kept = record.keeper().durability();
  if (kept == v1::DURABILITY_NONE) return;
  record.instance().SetStorage(status, kept == v1::DURABILITY_SYNC);
}

}  // namespace

Host::Host(Options options)
    : limits(options.limits),
      kinds(std::move(options.kinds)),
      retention(options.retention),
      storage(std::move(options.storage)),
      start_time(absl::Now()),
      log(options.log),
      store(std::move(options.store)),
      memory(limits.max_total_bytes),
      admission(limits.realtime_share * options.workers),
      scheduler(Scheduler::Make(options.workers)),
      requests({.committer = &committer}),
      catalog(limits.max_networks),
      control(kControlThreads),
      errands(kErrandThreads),
      answers(/*threads=*/1),
      committer(store.get(),
                {.gather = storage.group_commit,
                 .on_change = [this](const absl::Status& status) { TellStorage(status); },
                 .defer = [this](std::function<void()> job) { answers.Post(std::move(job)); }}),
      recovery(this, RecoveryThreads(storage)),
      snapshots(this),
      sweeper(SweepPeriod(retention), [this] { Sweep(); }) {}

void Host::AwaitNetwork(absl::string_view name, std::function<void()> then) {
  const absl::StatusOr<std::string> id = IdOf(name, "");
  if (!id.ok() || catalog.FindPending(*id) == nullptr) return then();
  catalog.WhenSettled(*id, [this, then = std::move(then)] { errands.Post(then); });
}

void Host::Sweep() {
  for (const auto& record : catalog.All()) {
    record->instance().DropExpired();
    if (record->RowIsStale()) RenewRow(record);
    if (CheckpointIsDue(*record)) TakeCheckpoint(*this, record, [](const absl::Status&) {});
  }
  snapshots.Run();
}

/// In its turn, lest it comes after a newer row, or after the network was dropped.
void Host::RenewRow(const std::shared_ptr<Record>& record) {
  const absl::Status entered = record->changes().Enter([record](const Turns::Turn&) {
    if (record->CheckCurrent("").ok()) record->keeper().Post({record->Row()});
  });
  entered.IgnoreError();  // Too many calls wait: they will renew it.
}

void Host::TellStorage(const absl::Status& status) {
  log->Write(status.ok() ? LogLevel::kInfo : LogLevel::kError,
             status.ok() ? "the disk takes what is to be kept again"
                         : "the disk refuses what is to be kept",
             {{"what", std::string(status.message())}});
  for (const auto& record : catalog.All()) server::TellStorage(*record, status);
}

void Host::TellStorage(const Record& record) const {
  absl::Status told;
  // Whoever tells all networks of a change may have done so before or after this one was found.
  for (absl::Status now = committer.status(); now.ok() != told.ok(); now = committer.status()) {
    told = now;
    server::TellStorage(record, told);
  }
}

Host::~Host() {
  recovery.Join();
  EndAll(Draining());
  // They write to the committer, which calls back into them.
  control.Stop();
  errands.Stop();
  answers.Stop();
}

RecordingOptions Host::Recording() {
  RecordingOptions options;
  options.make_encoder = WireEncoder();
  options.defer = [this](std::function<void()> job) { errands.Post(std::move(job)); };
  options.memory = &memory;
  options.retention = absl::ToChronoNanoseconds(retention);
  return options;
}

absl::Status Host::CheckOpen() const { return draining ? Draining() : absl::OkStatus(); }

void Host::Drain() {
  draining = true;
  recovery.BreakOff();
  for (const auto& record : catalog.All()) record->instance().Drain();
}

void Host::EndAll(const absl::Status& why) {
  for (const auto& record : catalog.All()) {
    record->instance().End(why);
    record->MarkDeleted();
    catalog.Remove(record->id());
  }
}

absl::Status Draining() {
  return Error(absl::StatusCode::kUnavailable, "DRAINING", "the server shuts down");
}

}  // namespace prospero::server
