#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "engine/core/mutex.h"

namespace prospero::server {

/// Threads for what must run neither on gRPC's threads nor on a network's strand: making
/// networks, barriers, the writing of samples. First in, first out. Thread-safe; its mutex is
/// a leaf.
class Executor {
 public:
  explicit Executor(int threads);
  /// As Stop.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// Runs what was posted, then joins. What is posted later is dropped.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  /// Never waits. The number of jobs is bounded by those who post: one for each call or stream.
  void Post(std::function<void()> job) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mu_);

  Mutex mu_;
  CondVar work_;
  std::deque<std::function<void()>> jobs_ ABSL_GUARDED_BY(mu_);
  bool ending_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace prospero::server
