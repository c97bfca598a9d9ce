#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/runtime/admission.h"
#include "engine/runtime/scheduler.h"
#include "server/budget.h"
#include "server/catalog.h"
#include "server/executor.h"
#include "server/limits.h"
#include "server/log.h"
#include "server/model_kind.h"
#include "server/open_calls.h"
#include "server/request_cache.h"
#include "server/sweeper.h"

namespace prospero::server {

/// What the services share: the networks, and all that they live on. Thread-safe.
struct Host {
  /// `retention`: for how long a recording goes on when its last reader has left.
  Host(Limits limits_given, std::vector<ModelKind> kinds_given, int workers,
       absl::Duration retention_given, Logger* log_given);
  /// Ends every network.
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// kUnavailable (DRAINING) once the server shuts down.
  absl::Status CheckOpen() const;
  /// Tells every network that the server shuts down; CheckOpen fails from now on.
  void Drain();
  /// Ends every network with `why`. A barrier.
  void EndAll(const absl::Status& why);

  /// How the networks keep what observers see.
  RecordingOptions Recording();

  const Limits limits;
  const std::vector<ModelKind> kinds;
  const absl::Duration retention;
  const absl::Time start_time;
  Logger* const log;
  std::atomic<bool> draining = false;
  OpenCalls calls;

  // What is below may use what is above while it goes.
  Budget memory;
  Admission admission;  ///< of REALTIME networks
  const std::unique_ptr<Scheduler> scheduler;
  RequestCache requests;
  Catalog catalog;
  Executor control;  ///< makes and ends networks: may take seconds
  Executor errands;  ///< what is short but may not run on a strand
  Sweeper sweeper;   ///< ends recordings that nobody reads
};

/// kUnavailable, DRAINING.
absl::Status Draining();

}  // namespace prospero::server
