#include "server/catalog.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/convert/network.h"
#include "server/limits.h"

namespace prospero::server {

Catalog::Claim::~Claim() {
  if (!published_) catalog_->Remove(id_);
}

void Catalog::Claim::Publish(std::shared_ptr<Record> record) {
  published_ = true;
  MutexLock lock(catalog_->mu_);
  catalog_->records_[id_] = std::move(record);
}

absl::StatusOr<std::shared_ptr<Catalog::Claim>> Catalog::Take(absl::string_view id) {
  MutexLock lock(mu_);
  std::string key(id);
  if (records_.contains(key)) {
    return WithMetadata(Error(absl::StatusCode::kAlreadyExists, "NETWORK_EXISTS",
                              absl::StrCat("there is a network \"", NameOf(id), "\" already")),
                        "network", NameOf(id));
  }
  const auto count = static_cast<int64_t>(records_.size());
  if (count >= max_networks_) return LimitExceeded("max_networks", max_networks_, count + 1);
  records_.emplace(key, nullptr);
  return std::shared_ptr<Claim>(new Claim(this, std::move(key)));
}

absl::StatusOr<std::shared_ptr<Record>> Catalog::Find(absl::string_view id) const {
  MutexLock lock(mu_);
  const auto found = records_.find(std::string(id));
  if (found == records_.end() || found->second == nullptr) return NetworkNotFound(id);
  return found->second;
}

void Catalog::Remove(const std::string& id) {
  std::shared_ptr<Record> record;  // goes after the lock
  MutexLock lock(mu_);
  const auto found = records_.find(id);
  if (found == records_.end()) return;
  record = std::move(found->second);
  records_.erase(found);
}

std::vector<std::shared_ptr<Record>> Catalog::After(const std::string& after, size_t count) const {
  std::vector<std::shared_ptr<Record>> page;
  MutexLock lock(mu_);
  for (auto it = records_.upper_bound(after); it != records_.end() && page.size() < count; ++it) {
    if (it->second != nullptr) page.push_back(it->second);
  }
  return page;
}

std::vector<std::shared_ptr<Record>> Catalog::All() const {
  return After("", static_cast<size_t>(-1));
}

int64_t Catalog::size() const {
  MutexLock lock(mu_);
  return static_cast<int64_t>(records_.size());
}

}  // namespace prospero::server
