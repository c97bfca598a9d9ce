#include "engine/runtime/scheduler.h"

#include <algorithm>
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
  Phase phase = Phase::kIdle;
  bool woken = false;
  bool leaving = false;
};

/// mu_ is a leaf: nothing else is locked while it is held.
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
      CallWorker();
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
    if (EndRun(entry, more)) CallWorker();
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

  void CallWorker() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (idle_workers_ > 0) work_.Signal();
  }

  /// True when the strand is in the queue again.
  bool EndRun(Entry* entry, bool more) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const bool again = more || entry->woken;
    entry->woken = false;
    entry->phase = Entry::Phase::kIdle;
    if (entry->leaving) {
      left_.SignalAll();
      return false;
    }
    if (again) Enqueue(entry);
    return again;
  }

  void Work() {
    mu_.Lock();
    while (!stopping_) {
      if (queue_.empty()) {
        ++idle_workers_;
        work_.Wait(mu_);
        --idle_workers_;
        continue;
      }
      Entry* const entry = queue_.front();
      queue_.pop_front();
      entry->phase = Entry::Phase::kRunning;
      Strand* const strand = entry->strand.get();
      mu_.Unlock();
      const bool more = strand->RunSlice();
      mu_.Lock();
      EndRun(entry, more);  // Calls nobody: this worker takes the next one itself.
    }
    mu_.Unlock();
  }

  Mutex mu_;
  CondVar work_;  ///< the queue is not empty, or stopping_
  CondVar left_;  ///< a leaving strand is idle, or gone
  absl::flat_hash_map<Strand*, std::unique_ptr<Entry>> entries_ ABSL_GUARDED_BY(mu_);
  std::deque<Entry*> queue_ ABSL_GUARDED_BY(mu_);
  int idle_workers_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<Scheduler> Scheduler::Make(int workers) {
  return std::make_unique<ThreadPool>(workers);
}

}  // namespace prospero
