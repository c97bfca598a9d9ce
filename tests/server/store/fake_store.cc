#include "fake_store.h"

#include <cstdlib>

namespace prospero::server {

absl::Status FakeStore::Commit(const std::vector<Write>& writes) {
  MutexLock lock(mu_);
  ++tries_;
  held_ = hold_;
  changed_.SignalAll();
  while (hold_) changed_.Wait(mu_);
  held_ = false;
  if (refuse_ != 0) {
    if (refuse_ > 0) --refuse_;
    return error_;
  }
  transactions_.push_back(writes);
  return absl::OkStatus();
}

void FakeStore::Hold() {
  MutexLock lock(mu_);
  hold_ = true;
}

void FakeStore::Release() {
  MutexLock lock(mu_);
  hold_ = false;
  changed_.SignalAll();
}

void FakeStore::Refuse(int count, const absl::Status& error) {
  MutexLock lock(mu_);
  refuse_ = count;
  error_ = error;
}

void FakeStore::AwaitTries(int count) {
  MutexLock lock(mu_);
  while (tries_ < count) changed_.Wait(mu_);
}

void FakeStore::AwaitHeld() {
  MutexLock lock(mu_);
  while (!held_) changed_.Wait(mu_);
}

int FakeStore::tries() const {
  MutexLock lock(mu_);
  return tries_;
}

std::vector<std::vector<Write>> FakeStore::transactions() const {
  MutexLock lock(mu_);
  return transactions_;
}

std::vector<std::vector<std::string>> FakeStore::kept() const {
  std::vector<std::vector<std::string>> kept;
  for (const auto& transaction : transactions()) {
    std::vector<std::string>& pieces = kept.emplace_back();
    for (const Write& write : transaction) {
      const AppendPiece* const piece = absl::get_if<AppendPiece>(&write);
      if (piece != nullptr) pieces.push_back(piece->piece);
    }
  }
  return kept;
}

Blobs& FakeStore::blobs() { std::abort(); }

}  // namespace prospero::server
