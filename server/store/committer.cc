#include "server/store/committer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"

namespace prospero::server {
namespace {

/// A group ends when its pieces have so many bytes: a transaction is in memory whole.
constexpr int64_t kMaxGroupBytes = 32 << 20;

absl::Status Degraded(const absl::Status& error) {
  absl::Status status =
      Error(absl::StatusCode::kUnavailable, "STORAGE_DEGRADED",
            absl::StrCat("the disk refuses what is to be kept: ", error.message()));
  const std::string reason = Reason(error);
  return WithMetadata(std::move(status), "cause", reason.empty() ? "INTERNAL" : reason);
}

}  // namespace

Committer::Committer(Store* store, Options options) : store_(store), options_(std::move(options)) {
  thread_ = std::thread([this] { Run(); });
}

Committer::~Committer() {
  {
    MutexLock lock(mu_);
    ending_ = true;
    work_.Signal();
  }
  thread_.join();
}

void Committer::Post(std::vector<Write> writes) {
  Posted posted{std::move(writes)};
  for (const Write& write : posted.writes) {
    const AppendPiece* const piece = absl::get_if<AppendPiece>(&write);
    if (piece != nullptr) posted.bytes += static_cast<int64_t>(piece->piece.size());
  }
  MutexLock lock(mu_);
  if (queue_.empty()) first_ = std::chrono::steady_clock::now();
  backlog_bytes_ += posted.bytes;
  queue_.push_back(std::move(posted));
  ++posted_;
  if (queue_.size() == 1) work_.Signal();
}

void Committer::Await(Then then) {
  absl::Status now;
  {
    MutexLock lock(mu_);
    now = status_;
    if (now.ok() && on_disk_ < posted_) {
      waiters_.push_back({posted_, std::move(then)});
      work_.Signal();
      return;
    }
  }
  then(now);
}

absl::Status Committer::status() const {
  MutexLock lock(mu_);
  return status_;
}

int64_t Committer::backlog_bytes() const {
  MutexLock lock(mu_);
  return backlog_bytes_;
}

void Committer::Run() {
  while (WaitForWork()) {
    Gather();
    const absl::Status committed = store_->Commit(group_);
    if (committed.ok()) {
      Succeed();
      continue;
    }
    Fail(committed);
    if (!WaitToRetry()) return;
  }
}

bool Committer::WaitForWork() {
  MutexLock lock(mu_);
  if (group_posts_ > 0) return true;
  while (queue_.empty() && !ending_) work_.Wait(mu_);
  while (waiters_.empty() && !ending_) {
    const auto left =
        first_ + absl::ToChronoNanoseconds(options_.gather) - std::chrono::steady_clock::now();
    if (left.count() <= 0) break;
    work_.WaitFor(mu_, left);
  }
  return !queue_.empty();
}

void Committer::Gather() {
  MutexLock lock(mu_);
  last_try_ = ending_;
  if (group_posts_ > 0) return;
  while (!queue_.empty() && group_bytes_ < kMaxGroupBytes) {
    Posted& posted = queue_.front();
    std::move(posted.writes.begin(), posted.writes.end(), std::back_inserter(group_));
    group_bytes_ += posted.bytes;
    ++group_posts_;
    queue_.pop_front();
  }
}

void Committer::Succeed() {
  std::vector<Then> done;
  bool recovered = false;
  bool has_more = false;
  {
    MutexLock lock(mu_);
    on_disk_ += group_posts_;
    backlog_bytes_ -= group_bytes_;
    recovered = !status_.ok();
    status_ = absl::OkStatus();
    while (!waiters_.empty() && waiters_.front().posts <= on_disk_) {
      done.push_back(std::move(waiters_.front().then));
      waiters_.pop_front();
    }
    has_more = !waiters_.empty() && !ending_;
  }
  group_.clear();
  group_posts_ = 0;
  group_bytes_ = 0;
  if (recovered && options_.on_change) options_.on_change(absl::OkStatus());
  auto tell = [done = std::move(done)] {
    for (const Then& then : done) then(absl::OkStatus());
  };
  if (has_more && options_.defer) return options_.defer(std::move(tell));
  tell();
}

void Committer::Fail(const absl::Status& error) {
  const absl::Status degraded = Degraded(error);
  std::deque<Waiter> refused;
  bool changed = false;
  {
    MutexLock lock(mu_);
    changed = status_.ok();
    status_ = degraded;
    refused.swap(waiters_);
  }
  if (changed && options_.on_change) options_.on_change(degraded);
  for (const Waiter& waiter : refused) waiter.then(degraded);
}

bool Committer::WaitToRetry() {
  const auto until = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(options_.retry);
  if (last_try_) return false;
  MutexLock lock(mu_);
  while (!ending_) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left.count() <= 0) break;
    work_.WaitFor(mu_, left);
  }
  return true;
}

}  // namespace prospero::server
