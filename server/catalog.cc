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
  catalog_->entries_[id_].record = std::move(record);
}

absl::StatusOr<std::shared_ptr<Catalog::Claim>> Catalog::Take(absl::string_view id) {
  MutexLock lock(mu_);
  std::string key(id);
  if (entries_.contains(key)) {
    return WithMetadata(Error(absl::StatusCode::kAlreadyExists, "NETWORK_EXISTS",
                              absl::StrCat("there is a network \"", NameOf(id), "\" already")),
                        "network", NameOf(id));
  }
  const auto count = static_cast<int64_t>(entries_.size());
  if (count >= max_networks_) return LimitExceeded("max_networks", max_networks_, count + 1);
  entries_.emplace(key, Entry());
  return std::shared_ptr<Claim>(new Claim(this, std::move(key)));
}

absl::StatusOr<std::shared_ptr<Record>> Catalog::Find(absl::string_view id) const {
  MutexLock lock(mu_);
  const auto found = entries_.find(std::string(id));
  if (found == entries_.end()) return NetworkNotFound(id);
  const Entry& entry = found->second;
  if (entry.record != nullptr) return entry.record;
  return entry.pending == nullptr ? NetworkNotFound(id) : entry.pending->status();
}

void Catalog::Remove(const std::string& id) {
  Entry entry;  // goes after the lock
  MutexLock lock(mu_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  entry = std::move(found->second);
  entries_.erase(found);
}

void Catalog::Expect(const std::string& id, std::shared_ptr<Pending> pending) {
  MutexLock lock(mu_);
  entries_[id].pending = std::move(pending);
}

void Catalog::Arrive(const std::string& id, std::shared_ptr<Record> record) {
  std::vector<std::function<void()>> waiting;
  {
    MutexLock lock(mu_);
    Entry& entry = entries_[id];
    entry.record = std::move(record);
    entry.pending = nullptr;
    waiting.swap(entry.waiting);
  }
  for (const auto& then : waiting) then();
}

void Catalog::GiveUp(const std::string& id) {
  std::vector<std::function<void()>> waiting;
  {
    MutexLock lock(mu_);
    waiting.swap(entries_[id].waiting);
  }
  for (const auto& then : waiting) then();
}

void Catalog::StopWaiting() {
  std::vector<std::function<void()>> waiting;
  {
    MutexLock lock(mu_);
    stopped_ = true;
    for (auto& [id, entry] : entries_) {
      for (auto& then : std::exchange(entry.waiting, {})) waiting.push_back(std::move(then));
    }
  }
  for (const auto& then : waiting) then();
}

std::shared_ptr<Pending> Catalog::FindPending(absl::string_view id) const {
  MutexLock lock(mu_);
  const auto found = entries_.find(std::string(id));
  return found == entries_.end() ? nullptr : found->second.pending;
}

void Catalog::WhenSettled(absl::string_view id, std::function<void()> then) {
  {
    MutexLock lock(mu_);
    const auto found = entries_.find(std::string(id));
    const bool waits = !stopped_ && found != entries_.end() && found->second.pending != nullptr &&
                       !found->second.pending->condemned();
    if (waits) {
      found->second.waiting.push_back(std::move(then));
      return;
    }
  }
  then();
}

std::vector<Catalog::Listed> Catalog::After(const std::string& after, size_t count) const {
  std::vector<Listed> page;
  MutexLock lock(mu_);
  for (auto it = entries_.upper_bound(after); it != entries_.end() && page.size() < count; ++it) {
    const Entry& entry = it->second;
    if (entry.record == nullptr && entry.pending == nullptr) continue;
    page.push_back({it->first, entry.record, entry.pending});
  }
  return page;
}

std::vector<std::shared_ptr<Record>> Catalog::All() const {
  std::vector<std::shared_ptr<Record>> records;
  MutexLock lock(mu_);
  for (const auto& [id, entry] : entries_) {
    if (entry.record != nullptr) records.push_back(entry.record);
  }
  return records;
}

int64_t Catalog::size() const {
  MutexLock lock(mu_);
  return static_cast<int64_t>(entries_.size());
}

}  // namespace prospero::server
