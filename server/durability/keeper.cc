#include "server/durability/keeper.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace prospero::server {

Keeper::Keeper(Committer* committer, Options options)
    : committer_(committer),
      options_(std::move(options)),
      durability_(options_.durability),
      next_seq_(options_.next_seq) {}

v1::Durability Keeper::durability() const {
  const MutexLock lock(mu_);
  return durability_;
}

void Keeper::set_durability(v1::Durability durability) {
  const MutexLock lock(mu_);
  durability_ = durability;
}

void Keeper::Append(absl::string_view piece, Cursor /*cursor*/) {
  const MutexLock lock(mu_);
  if (broken_) return;
  const bool refused = !committer_->status().ok();
  if (refused && committer_->backlog_bytes() > options_.max_backlog_bytes) {
    broken_ = true;
    ++next_seq_;  // What is missing is seen, should it come to a recovery.
    return;
  }
  bytes_ += static_cast<int64_t>(piece.size());
  Hand({AppendPiece{options_.uid, next_seq_++, std::string(piece)}});
}

void Keeper::BeginOrder() {
  const MutexLock lock(mu_);
  in_order_ = true;
}

void Keeper::EndOrder() {
  std::vector<Committer::Then> waiting;
  {
    const MutexLock lock(mu_);
    in_order_ = false;
    waiting.swap(waiting_);
    if (!order_.empty()) committer_->Post(std::exchange(order_, {}));
  }
  for (Committer::Then& then : waiting) committer_->Await(std::move(then));
}

void Keeper::Hand(std::vector<Write> writes) {
  if (!in_order_) return committer_->Post(std::move(writes));
  order_.insert(order_.end(), std::make_move_iterator(writes.begin()),
                std::make_move_iterator(writes.end()));
}

void Keeper::Post(std::vector<Write> writes) {
  const MutexLock lock(mu_);
  Hand(std::move(writes));
}

void Keeper::Await(Committer::Then then) {
  {
    const MutexLock lock(mu_);
    if (in_order_) {
      waiting_.push_back(std::move(then));
      return;
    }
  }
  committer_->Await(std::move(then));
}

void Keeper::AwaitFrame(Committer::Then then) {
  const v1::Durability durability = this->durability();
  const bool waits = durability == v1::DURABILITY_SYNC ||
                     (durability == v1::DURABILITY_ASYNC &&
                      committer_->backlog_bytes() > options_.max_backlog_bytes);
  if (waits) return Await(std::move(then));
  then(absl::OkStatus());
}

void Keeper::Interrupt() {
  const MutexLock lock(mu_);
  ++next_seq_;  // A piece that is missing.
}

Keeper::Mark Keeper::MakeMark() {
  const MutexLock lock(mu_);
  return {next_seq_, bytes_, std::exchange(broken_, false)};
}

void Keeper::DropMark(const Mark& mark) {
  const MutexLock lock(mu_);
  broken_ = broken_ || mark.mended;
}

std::vector<Write> Keeper::Adopt(const store::StoredCheckpoint& checkpoint, const Mark& mark) {
  const MutexLock lock(mu_);
  checkpoints_.insert(checkpoints_.begin(), {checkpoint, mark.bytes});
  if (checkpoints_.size() > 2) checkpoints_.pop_back();
  if (checkpoints_.size() < 2) return {};  // The way from the creation stays open.
  const int64_t from = checkpoints_.back().row.seq();
  restores_.erase(restores_.begin(), restores_.lower_bound(from));
  return {TrimCheckpoints{options_.uid, from}, TrimJournal{options_.uid, from}};
}

void Keeper::Remember(const std::vector<store::StoredCheckpoint>& checkpoints,
                      int64_t journal_bytes) {
  const MutexLock lock(mu_);
  checkpoints_.clear();
  for (const store::StoredCheckpoint& row : checkpoints) checkpoints_.push_back({row, 0});
  bytes_ = journal_bytes;
}

std::vector<std::string> Keeper::LiveBlobs() const {
  const MutexLock lock(mu_);
  std::vector<std::string> blobs;
  for (const Checkpoint& checkpoint : checkpoints_) blobs.push_back(checkpoint.row.blob());
  for (const auto& [seq, blob] : restores_) blobs.push_back(blob);
  return blobs;
}

void Keeper::ExpectRestore(const std::string& blob) {
  const MutexLock lock(mu_);
  restores_.emplace(INT64_MAX, blob);
}

void Keeper::NoteRestore(const std::string& blob) {
  DropRestore(blob);
  const MutexLock lock(mu_);
  restores_.emplace(next_seq_ - 1, blob);
}

void Keeper::NoteRestore(const std::string& blob, int64_t seq) {
  const MutexLock lock(mu_);
  restores_.emplace(seq, blob);
}

void Keeper::DropRestore(const std::string& blob) {
  const MutexLock lock(mu_);
  const auto [first, last] = restores_.equal_range(INT64_MAX);
  const auto found =
      std::find_if(first, last, [&](const auto& some) { return some.second == blob; });
  if (found != last) restores_.erase(found);
}

Keeper::Journaled Keeper::journaled() const {
  const MutexLock lock(mu_);
  Journaled journaled;
  journaled.bytes = bytes_;
  journaled.broken = broken_;
  if (!checkpoints_.empty()) {
    const Checkpoint& newest = checkpoints_.front();
    journaled.bytes -= newest.bytes_before;
    journaled.checkpoint = Cursor{newest.row.cursor().epoch(), newest.row.cursor().step()};
  }
  return journaled;
}

}  // namespace prospero::server
