#include "engine/runtime/scheduler.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <deque>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/core/mutex.h"

namespace prospero {
namespace {

/// A strand is idle, or in the queue, or on a thread:
///
///   idle --Wake--> queued --worker--> running --more or woken--> queued
///     |                                  |
///     +--TryAcquire--> running           +--else--> idle
///
/// A wake during a run is remembered in `woken`, so it is never lost. `leaving` is obeyed by
/// the thread that runs the strand: it does not queue it again, however much there is to
/// do. Otherwise one that always has more would be taken up again before Remove gets the lock.
struct Entry {
  enum class Phase : uint8_t { kIdle, kQueued, kRunning };
  std::shared_ptr<Strand> strand;
  std::shared_ptr<Crew> crew;  ///< that may be helped in this slice
  int64_t turns_to_pass = 0;
  Phase phase = Phase::kIdle;
  bool woken = false;
  bool leaving = false;
};

/// mu_ is a leaf: nothing else is locked while it is held.
///
/// A worker runs the strands in the queue; then, if there is none, it helps the crew that has the
/// fewest helpers; then it sleeps. A helper spins, so it must not stay where nothing comes: the
/// crew sends it away, and then it sleeps until somebody calls, though the crew may be busy again.
class ThreadPool final : public Scheduler {
 public:
  explicit ThreadPool(int workers) {
    assert(workers >= 1);
    threads_.reserve(static_cast<size_t>(workers));
    for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { Work(); });
  }

  ~ThreadPool() override {
    {
      const MutexLock lock(mu_);
      assert(entries_.empty());
      stopping_ = true;
      work_.SignalAll();
      recalls_.store(workers(), std::memory_order_relaxed);
    }
    for (std::thread& thread : threads_) thread.join();
  }

  void Add(std::shared_ptr<Strand> strand) override {
    Strand* const key = strand.get();
    auto entry = std::make_unique<Entry>();
    entry->strand = std::move(strand);
    const MutexLock lock(mu_);
    entries_.emplace(key, std::move(entry));
  }

  void Wake(Strand* strand) override {
    const MutexLock lock(mu_);
    Entry* const entry = Find(strand);
    if (entry == nullptr || entry->leaving) return;
    if (entry->phase == Entry::Phase::kIdle) {
      Enqueue(entry);
      CallWorkers(1);
      RecallHelpers();
    } else if (entry->phase == Entry::Phase::kRunning) {
      entry->woken = true;
    }
  }

  bool TryAcquire(Strand* strand) override {
    const MutexLock lock(mu_);
    Entry* const entry = Find(strand);
    if (entry == nullptr || entry->leaving || entry->phase != Entry::Phase::kIdle) return false;
    entry->phase = Entry::Phase::kRunning;
    return true;
  }

  void Release(Strand* strand, bool more) override {
    const MutexLock lock(mu_);
    Entry* const entry = Find(strand);
    assert(entry != nullptr && entry->phase == Entry::Phase::kRunning);
    if (EndRun(entry, more)) {
      CallWorkers(1);
      RecallHelpers();
    }
  }

  void CallHelpers(Strand* strand, std::shared_ptr<Crew> crew) override {
    const MutexLock lock(mu_);
    Entry* const entry = Find(strand);
    assert(entry != nullptr && entry->phase == Entry::Phase::kRunning && !entry->crew);
    entry->crew = std::move(crew);
    helped_.push_back(entry);
    CallMoreHelpers(*entry->crew);
  }

  void Remove(Strand* strand) override {
    std::unique_ptr<Entry> entry;  // Its strand may die with it: not under the lock.
    const MutexLock lock(mu_);
    Entry* const found = Find(strand);
    if (found == nullptr) return;
    found->leaving = true;
    if (found->phase == Entry::Phase::kQueued) {
      queue_.erase(std::find(queue_.begin(), queue_.end(), found));
      found->phase = Entry::Phase::kIdle;
      RecallHelpers();
    }
    // Somebody else may be removing it as well, so it is looked up again.
    while (Entry* const still = Find(strand)) {
      if (still->phase == Entry::Phase::kIdle) {
        entry = std::move(entries_.find(strand)->second);
        entries_.erase(strand);
        left_.SignalAll();
        return;
      }
      left_.Wait(mu_);
    }
  }

  int workers() const override { return static_cast<int>(threads_.size()); }

 private:
  Entry* Find(Strand* strand) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const auto found = entries_.find(strand);
    return found == entries_.end() ? nullptr : found->second.get();
  }

  void Enqueue(Entry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    entry->phase = Entry::Phase::kQueued;
    queue_.push_back(entry);
  }

  void CallWorkers(int count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    for (int i = 0; i < std::min(count, idle_workers_); ++i) work_.Signal();
  }

  /// Who comes calls others: so a large crew is together after few wakes, one after the other.
  void CallMoreHelpers(const Crew& crew) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    CallWorkers(std::min(crew.max_helpers() - crew.helpers(), 2));
  }

  /// To be called when the queue has changed: strands for which no worker wakes up are for helpers.
  void RecallHelpers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const int wanted = static_cast<int>(queue_.size()) - idle_workers_;
    recalls_.store(std::max(wanted, 0), std::memory_order_relaxed);
  }

  /// For a helper: it is to come back, in the place of any other.
  bool Recalled() {
    int recalls = recalls_.load(std::memory_order_relaxed);
    return recalls > 0 &&
           recalls_.compare_exchange_strong(recalls, recalls - 1, std::memory_order_relaxed);
  }

  /// True when the strand is in the queue again.
  bool EndRun(Entry* entry, bool more) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const bool again = more || entry->woken;
    entry->woken = false;
    entry->phase = Entry::Phase::kIdle;
    if (entry->crew != nullptr) {
      helped_.erase(std::find(helped_.begin(), helped_.end(), entry));
      entry->crew.reset();
    }
    if (entry->leaving) {
      left_.SignalAll();
      return false;
    }
    if (again) Enqueue(entry);
    return again;
  }

  void Work() {
    mu_.Lock();
    bool sent_away = false;
    while (!stopping_) {
      if (!queue_.empty()) {
        RunFirst();
        sent_away = false;
      } else if (const auto crew = sent_away ? nullptr : NeediestCrew(); crew != nullptr) {
        sent_away = !Help(*crew);
      } else {
        ++idle_workers_;
        work_.Wait(mu_);
        --idle_workers_;
        sent_away = false;
      }
    }
    mu_.Unlock();
  }

  /// The queue is not empty.
  Entry* NextInTurn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    while (queue_.size() > 1 && queue_.front()->turns_to_pass > 0) {
      --queue_.front()->turns_to_pass;
      queue_.push_back(queue_.front());
      queue_.pop_front();
    }
    Entry* const entry = queue_.front();
    queue_.pop_front();
    return entry;
  }

  void RunFirst() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    Entry* const entry = NextInTurn();
    RecallHelpers();
    entry->phase = Entry::Phase::kRunning;
    Strand* const strand = entry->strand.get();
    mu_.Unlock();
    const bool more = strand->RunSlice();
    const int64_t turns = std::min(strand->turns_overdrawn(), kMostTurns);
    mu_.Lock();
    entry->turns_to_pass = turns;
    EndRun(entry, more);  // Calls nobody: this worker takes the next one itself.
  }

  /// Null when none could do with another helper.
  std::shared_ptr<Crew> NeediestCrew() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    std::shared_ptr<Crew> neediest;
    for (const Entry* entry : helped_) {
      const Crew& crew = *entry->crew;
      if (!crew.busy() || crew.helpers() >= crew.max_helpers()) continue;
      if (neediest == nullptr || crew.helpers() < neediest->helpers()) neediest = entry->crew;
    }
    return neediest;
  }

  /// False when the crew has sent the helper away.
  bool Help(Crew& crew) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const int place = crew.Join();
    if (place < 0) return false;
    CallMoreHelpers(crew);
    mu_.Unlock();
    const bool recalled = crew.Help(place, [this] { return Recalled(); });
    mu_.Lock();
    return recalled;
  }

  /// That a strand lets pass: a bound for those that count them under the lock.
  static constexpr int64_t kMostTurns = 64;

  Mutex mu_;
  CondVar work_;  ///< the queue is not empty, or stopping_
  CondVar left_;  ///< a leaving strand is idle, or gone
  absl::flat_hash_map<Strand*, std::unique_ptr<Entry>> entries_ ABSL_GUARDED_BY(mu_);
  std::deque<Entry*> queue_ ABSL_GUARDED_BY(mu_);
  std::vector<Entry*> helped_ ABSL_GUARDED_BY(mu_);  ///< those with a crew
  int idle_workers_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  alignas(64) std::atomic<int> recalls_{0};  ///< helpers who are to come back; all helpers look
  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<Scheduler> Scheduler::Make(int workers) {
  return std::make_unique<ThreadPool>(workers);
}

}  // namespace prospero
