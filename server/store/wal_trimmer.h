#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "engine/core/mutex.h"
#include "server/store/database.h"

namespace prospero::server {

/// Writes the log into the database, on a thread and a connection of its own, each time it has
/// grown, so that commits do not wait for it: they wait only for the last frames, which are few.
/// Thread-safe; its mutex is a leaf.
class WalTrimmer {
 public:
  /// Of the database at `path`.
  static absl::StatusOr<std::unique_ptr<WalTrimmer>> Make(const std::string& path);
  /// Waits for what is under way.
  ~WalTrimmer();

  /// After each commit.
  void Grown() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  WalTrimmer(Database database, const std::string& path)
      : database_(std::move(database)), wal_(path + "-wal") {}
  void Run() ABSL_LOCKS_EXCLUDED(mu_);
  void Trim() const;

  const Database database_;  // the thread's
  const std::string wal_;
  Mutex mu_;
  CondVar changed_;
  bool grown_ ABSL_GUARDED_BY(mu_) = false;
  bool ending_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace prospero::server
