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
#include "server/record.h"

namespace prospero::server {

/// The networks that live here, by id. Thread-safe; its mutex is a leaf.
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

  /// kNotFound (NETWORK_NOT_FOUND).
  absl::StatusOr<std::shared_ptr<Record>> Find(absl::string_view id) const ABSL_LOCKS_EXCLUDED(mu_);

  void Remove(const std::string& id) ABSL_LOCKS_EXCLUDED(mu_);

  /// At most `count` networks with an id after `after`, by id.
  std::vector<std::shared_ptr<Record>> After(const std::string& after, size_t count) const
      ABSL_LOCKS_EXCLUDED(mu_);
  std::vector<std::shared_ptr<Record>> All() const ABSL_LOCKS_EXCLUDED(mu_);
  int64_t size() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  const int64_t max_networks_;
  mutable Mutex mu_;
  /// Null for an id that is claimed.
  std::map<std::string, std::shared_ptr<Record>> records_ ABSL_GUARDED_BY(mu_);
};

}  // namespace prospero::server
