#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "engine/core/mutex.h"
#include "server/executor.h"

namespace prospero::server {

/// Lets calls that change one thing take turns without holding a thread while they wait.
/// Thread-safe; its mutex is a leaf.
class Turns : public std::enable_shared_from_this<Turns> {
 public:
  /// The turn lasts until the last copy is gone.
  using Turn = std::shared_ptr<void>;

  /// Those who had to wait begin on the executor.
  explicit Turns(Executor* executor) : executor_(executor) {}

  /// Runs `job`, now on this thread or later when those before it are through.
  /// kResourceExhausted (MAILBOX_FULL) when too many wait.
  absl::Status Enter(std::function<void(Turn)> job) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  static constexpr size_t kMaxWaiting = 1024;

  Turn MakeTurn();
  void Leave() ABSL_LOCKS_EXCLUDED(mu_);

  Executor* const executor_;
  Mutex mu_;
  bool taken_ ABSL_GUARDED_BY(mu_) = false;
  std::deque<std::function<void(Turn)>> waiting_ ABSL_GUARDED_BY(mu_);
};

}  // namespace prospero::server
