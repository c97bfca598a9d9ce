#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/runtime/admission.h"
#include "engine/runtime/scheduler.h"
#include "server/budget.h"
#include "server/catalog.h"
#include "server/durability/recovery.h"
#include "server/durability/storage_options.h"
#include "server/executor.h"
#include "server/limits.h"
#include "server/log.h"
#include "server/model_kind.h"
#include "server/open_calls.h"
#include "server/request_cache.h"
#include "server/snapshot_sweep.h"
#include "server/store/committer.h"
#include "server/store/store.h"
#include "server/sweeper.h"

namespace prospero::server {

/// What the services share: the networks, and all that they live on. Thread-safe.
struct Host {
  struct Options {
    Limits limits;
    std::vector<ModelKind> kinds;
    int workers = 1;
    /// For how long a recording goes on when its last reader has left.
    absl::Duration retention = absl::Seconds(60);
    Logger* log = nullptr;
    StorageOptions storage;
    std::unique_ptr<Store> store;  ///< opened as `storage` says
  };
  explicit Host(Options options);
  /// Ends every network, and tries once more to write what is to be kept.
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// kUnavailable (DRAINING) once the server shuts down.
  absl::Status CheckOpen() const;
  /// Calls `then` when the network is not being brought back any more: mostly here and now, else on
  /// a thread that may wait.
  void AwaitNetwork(absl::string_view name, std::function<void()> then);
  /// Tells every network that the server shuts down; CheckOpen fails from now on.
  void Drain();
  /// Ends every network with `why`. A barrier.
  void EndAll(const absl::Status& why);

  /// Tells a network that can be found from now on if the disk refuses what is to be kept.
  void TellStorage(const Record& record) const;

  /// How the networks keep what observers see.
  RecordingOptions Recording();

  const Limits limits;
  const std::vector<ModelKind> kinds;
  const absl::Duration retention;
  const StorageOptions storage;
  const absl::Time start_time;
  Logger* const log;
  std::atomic<bool> draining = false;
  OpenCalls calls;
  const std::unique_ptr<Store> store;

  // What is below may use what is above while it goes.
  Budget memory;
  Admission admission;  ///< of REALTIME networks
  const std::unique_ptr<Scheduler> scheduler;
  RequestCache requests;
  Catalog catalog;
  Executor control;     ///< makes and ends networks: may take seconds
  Executor errands;     ///< what is short but may not run on a strand
  Executor answers;     ///< lets those go on who waited for the disk
  Committer committer;  ///< writes to the store; what it calls back may use all of the above
  Recovery recovery;
  SnapshotSweep snapshots;
  /// Ends recordings that nobody reads, takes checkpoints and snapshots that are due.
  Sweeper sweeper;

 private:
  void Sweep();
  void RenewRow(const std::shared_ptr<Record>& record);
  /// The disk refuses what is to be kept, or (OK) does not any more.
  void TellStorage(const absl::Status& status);
};

/// kUnavailable, DRAINING.
absl::Status Draining();

}  // namespace prospero::server
