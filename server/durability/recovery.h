#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/durability/pending.h"
#include "server/executor.h"
#include "server/store/store.h"

namespace prospero::server {

struct Host;
class Record;

/// Brings networks back when a server is started: each from the newest checkpoint that is good and
/// the journal behind it. In the background, several at a time, the most recently used first. What
/// is damaged is said; the last good state stands then. Thread-safe.
class Recovery {
 public:
  /// The host must outlive it.
  Recovery(Host* host, int threads);
  /// As Join.
  ~Recovery();

  /// Expects every network of the store in the catalogue: calls that name one wait from now on.
  absl::Status Expect();
  /// Begins, once. `tell` is called for each network that is expected, and when it is there.
  void Begin(std::function<void(const std::string& name, bool there)> tell);
  /// A network that was deleted is not there any more.
  void Forget(const Record& record);
  /// Networks that are not there yet do not come; who waits for them goes on. What is kept of them
  /// stays as it is.
  void BreakOff();
  /// Breaks off and waits until nothing is called any more.
  void Join();

  /// Networks so far.
  struct Counts {
    int64_t found = 0;
    int64_t recovered = 0;
    int64_t damaged = 0;
  };
  Counts counts() const;

 private:
  struct Expected {
    std::string id;
    store::StoredNetwork row;
    std::shared_ptr<Pending> pending;
  };
  void Bring(const Expected& expected);
  /// Removes files of networks that were deleted, unless something in the store is damaged.
  void RemoveOrphans();

  Host& host_;
  std::vector<Expected> expected_;  ///< the most recently used first
  std::function<void(const std::string& name, bool there)> tell_;
  std::atomic<bool> over_ = false;
  std::atomic<int64_t> found_ = 0;
  std::atomic<int64_t> recovered_ = 0;
  std::atomic<int64_t> damaged_ = 0;
  std::unique_ptr<Executor> threads_;
};

}  // namespace prospero::server
