#include "server/durability/shutdown.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "server/convert/network.h"
#include "server/durability/checkpoints.h"
#include "server/host.h"

namespace prospero::server {
namespace {

constexpr int kAtOnce = 4;  ///< each holds a copy of a network

/// All networks on their way to the disk. It may be left before it is through.
class Farewell : public std::enable_shared_from_this<Farewell> {
 public:
  explicit Farewell(Host& host) : host_(host), left_(host.catalog.All()) {}

  bool Run(absl::Time deadline) {
    for (int i = 0; i < kAtOnce; ++i) Next();
    std::unique_lock<std::mutex> lock(mutex_);
    const bool through = over_.wait_until(lock, absl::ToChronoTime(deadline),
                                          [this] { return left_.empty() && at_work_ == 0; });
    left_.clear();
    return through && all_kept_;
  }

 private:
  void Next() {
    std::shared_ptr<Record> record;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (left_.empty()) return;
      record = std::move(left_.back());
      left_.pop_back();
      ++at_work_;
    }
    // Says whether it ran before it was stopped.
    Write row = record->CompleteRow();
    record->instance().Pause([self = shared_from_this(), record,
                              row = std::move(row)](const absl::StatusOr<Cursor>& stopped) {
      self->Keep(record, row, stopped);
    });
  }

  void Keep(const std::shared_ptr<Record>& record, const Write& row,
            const absl::StatusOr<Cursor>& stopped) {
    const auto finish = [self = shared_from_this(), record](const absl::Status& kept) {
      self->Finish(*record, kept);
    };
    if (stopped.ok() && IsUnchanged(record->keeper())) {
      record->keeper().Post({row});
      return record->keeper().Await(finish);
    }
    TakeCheckpoint(host_, record, finish, [row] { return std::vector<Write>{row}; });
  }

  /// Nothing has happened since its newest checkpoint, or its creation.
  static bool IsUnchanged(const Keeper& keeper) {
    const Keeper::Journaled journaled = keeper.journaled();
    return keeper.durability() != v1::DURABILITY_NONE && journaled.bytes == 0 && !journaled.broken;
  }

  void Finish(const Record& record, const absl::Status& kept) {
    if (!kept.ok()) {
      host_.log->Write(LogLevel::kWarning, "no checkpoint at the shutdown",
                       {{"network", NameOf(record.id())}, {"what", std::string(kept.message())}});
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      all_kept_ = all_kept_ && kept.ok();
      --at_work_;
    }
    over_.notify_all();
    // Not here: perhaps in a callback of the engine, or of the committer.
    host_.errands.Post([self = shared_from_this()] { self->Next(); });
  }

  Host& host_;
  std::mutex mutex_;
  std::condition_variable over_;
  std::vector<std::shared_ptr<Record>> left_;  ///< guarded by mutex_
  int at_work_ = 0;                            ///< guarded by mutex_
  bool all_kept_ = true;                       ///< guarded by mutex_
};

}  // namespace

bool KeepAll(Host& host, absl::Time deadline) {
  if (host.storage.ephemeral) return true;
  return std::make_shared<Farewell>(host)->Run(deadline);
}

}  // namespace prospero::server
