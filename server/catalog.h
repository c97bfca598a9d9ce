#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/mutex.h"
#include "server/durability/pending.h"
#include "server/record.h"

namespace prospero::server {

/// The networks that live here, or will when they are brought back, by id. Thread-safe; its mutex
/// is a leaf.
class Catalog {
 public:
  explicit Catalog(int64_t max_networks) : max_networks_(max_networks) {}

  /// An id that is taken for a network still being made; it is free again when the claim goes
  /// unpublished. Must not outlive the catalog.
  class Claim {
   public:
    ~Claim();
    const std::string& id() const { return id_; }
    /// From now on the network can be found.
    void Publish(std::shared_ptr<Record> record);

   private:
    friend class Catalog;
    Claim(Catalog* catalog, std::string id) : catalog_(catalog), id_(std::move(id)) {}
    Catalog* const catalog_;
    const std::string id_;
    bool published_ = false;
  };

  /// kAlreadyExists (NETWORK_EXISTS) when the id is taken; kResourceExhausted (LIMIT_EXCEEDED)
  /// beyond max_networks.
  absl::StatusOr<std::shared_ptr<Claim>> Take(absl::string_view id) ABSL_LOCKS_EXCLUDED(mu_);

  /// kNotFound (NETWORK_NOT_FOUND); Pending::status() of a network that is not there yet.
  absl::StatusOr<std::shared_ptr<Record>> Find(absl::string_view id) const ABSL_LOCKS_EXCLUDED(mu_);

  void Remove(const std::string& id) ABSL_LOCKS_EXCLUDED(mu_);

  // Networks that are brought back.

  /// The id is that of a network that will come.
  void Expect(const std::string& id, std::shared_ptr<Pending> pending) ABSL_LOCKS_EXCLUDED(mu_);
  /// It has come. Those who waited go on.
  void Arrive(const std::string& id, std::shared_ptr<Record> record) ABSL_LOCKS_EXCLUDED(mu_);
  /// It will not come, as its Pending says. Those who waited go on.
  void GiveUp(const std::string& id) ABSL_LOCKS_EXCLUDED(mu_);
  /// None will come any more. Those who waited go on.
  void StopWaiting() ABSL_LOCKS_EXCLUDED(mu_);
  /// Null unless the network is expected, or was given up.
  std::shared_ptr<Pending> FindPending(absl::string_view id) const ABSL_LOCKS_EXCLUDED(mu_);
  /// Calls `then` when the network is not waited for any more: mostly here and now, or on the
  /// thread that brings it back.
  void WhenSettled(absl::string_view id, std::function<void()> then) ABSL_LOCKS_EXCLUDED(mu_);

  /// A network, there or not.
  struct Listed {
    std::string id;
    std::shared_ptr<Record> record;    ///< null: not there
    std::shared_ptr<Pending> pending;  ///< null: there
    /// As Record's.
    v1::Network Outline() const { return record ? record->Outline() : pending->Describe(); }
    v1::Network Summarize() const { return record ? record->Summarize() : pending->Describe(); }
  };
  /// At most `count` networks with an id after `after`, by id.
  std::vector<Listed> After(const std::string& after, size_t count) const ABSL_LOCKS_EXCLUDED(mu_);
  /// Those that are there.
  std::vector<std::shared_ptr<Record>> All() const ABSL_LOCKS_EXCLUDED(mu_);
  int64_t size() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  /// Neither record nor pending: the id is claimed.
  struct Entry {
    std::shared_ptr<Record> record = nullptr;
    std::shared_ptr<Pending> pending = nullptr;
    std::vector<std::function<void()>> waiting = {};
  };

  const int64_t max_networks_;
  mutable Mutex mu_;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mu_);
};

}  // namespace prospero::server
