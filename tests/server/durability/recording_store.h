#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/core/errors.h"
#include "engine/core/mutex.h"
#include "server/store/store.h"

namespace prospero::server {

/// A store that remembers its transactions, and refuses them when it is told to.
class RecordingStore final : public Store {
 public:
  absl::Status Commit(const std::vector<Write>& writes) override ABSL_LOCKS_EXCLUDED(mu_) {
    const MutexLock lock(mu_);
    if (refuses_) return Error(absl::StatusCode::kResourceExhausted, "DISK_FULL", "no space left");
    transactions_.push_back(writes);
    return absl::OkStatus();
  }

  void set_refuses(bool refuses) ABSL_LOCKS_EXCLUDED(mu_) {
    const MutexLock lock(mu_);
    refuses_ = refuses;
  }
  std::vector<std::vector<Write>> transactions() const ABSL_LOCKS_EXCLUDED(mu_) {
    const MutexLock lock(mu_);
    return transactions_;
  }
  /// Every write of a kind, in order.
  template <class T>
  std::vector<T> All() const ABSL_LOCKS_EXCLUDED(mu_) {
    const MutexLock lock(mu_);
    std::vector<T> all;
    for (const auto& transaction : transactions_) {
      for (const Write& write : transaction) {
        if (const T* const one = absl::get_if<T>(&write)) all.push_back(*one);
      }
    }
    return all;
  }

  // Nothing can be read.
  absl::StatusOr<std::vector<store::StoredNetwork>> Networks() override { return Nothing(); }
  absl::StatusOr<v1::NetworkSpec> Spec(absl::string_view) override { return Nothing(); }
  absl::StatusOr<std::vector<store::StoredCheckpoint>> Checkpoints(absl::string_view) override {
    return Nothing();
  }
  absl::StatusOr<std::vector<store::StoredSnapshot>> Snapshots(absl::string_view) override {
    return Nothing();
  }
  absl::StatusOr<std::vector<store::StoredAnswer>> Answers() override { return Nothing(); }
  absl::StatusOr<std::unique_ptr<JournalReader>> ReadJournal(absl::string_view, int64_t) override {
    return Nothing();
  }
  absl::StatusOr<Extent> JournalExtent(absl::string_view, int64_t) override { return Nothing(); }
  Blobs& blobs() override { std::abort(); }
  std::vector<std::string> findings() const override { return {}; }

 private:
  static absl::Status Nothing() { return absl::UnimplementedError("it only records"); }

  mutable Mutex mu_;
  bool refuses_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::vector<Write>> transactions_ ABSL_GUARDED_BY(mu_);
};

}  // namespace prospero::server
