#pragma once

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "engine/core/mutex.h"
#include "server/store/store.h"

namespace prospero::server {

/// A store that takes down what it is told to keep. It can be held up and made to refuse.
class FakeStore final : public Store {
 public:
  absl::Status Commit(const std::vector<Write>& writes) override;

  /// Commits wait from now on until Release.
  void Hold();
  void Release();
  /// The next so many commits, -1: all, give this error.
  void Refuse(int count, const absl::Status& error);

  /// Waits until so many commits were tried.
  void AwaitTries(int count);
  /// Waits until a commit is held up.
  void AwaitHeld();
  int tries() const;
  /// The commits that were kept.
  std::vector<std::vector<Write>> transactions() const;
  /// Pieces of each of them.
  std::vector<std::vector<std::string>> kept() const;
  /// Every write of a kind, in order.
  template <class T>
  std::vector<T> All() const {
    std::vector<T> all;
    for (const auto& transaction : transactions()) {
      for (const Write& write : transaction) {
        if (const T* const one = absl::get_if<T>(&write)) all.push_back(*one);
      }
    }
    return all;
  }

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
  Blobs& blobs() override;
  std::vector<std::string> findings() const override { return {}; }
  bool may_have_lost_rows() const override { return false; }

 private:
  static absl::Status Nothing() { return absl::UnimplementedError("it only takes down"); }

  mutable Mutex mu_;
  CondVar changed_;
  bool hold_ ABSL_GUARDED_BY(mu_) = false;
  bool held_ ABSL_GUARDED_BY(mu_) = false;
  int refuse_ ABSL_GUARDED_BY(mu_) = 0;
  absl::Status error_ ABSL_GUARDED_BY(mu_);
  int tries_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<std::vector<Write>> transactions_ ABSL_GUARDED_BY(mu_);
};

}  // namespace prospero::server
