#include "engine/runtime/scheduler.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <atomic>
#include <cassert>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/core/mutex.h"
#include "engine/runtime/run_queue.h"

namespace prospero {
namespace {

/// A worker that has nothing to do. `called` ends its sleep; it sleeps until the alarm of the
/// strand that it watches, if it watches one.
struct Sleeper {
  CondVar wake;
  bool called = false;
  Entry* watches = nullptr;
  Clock::Time until = Clock::kNever;
};

/// The machine's timer would else let threads sleep up to 50 us longer than they asked for, so that
/// it can wake several at once.
void AskForPreciseSleep() {
#ifdef __linux__
  prctl(PR_SET_TIMERSLACK, 1);
#endif
}

/// mu_ is a leaf: nothing else is locked while it is held.
///
/// A worker runs the strands in the queue; then, if there is none, it helps the crew that has the
/// fewest helpers; then it sleeps. A helper spins, so it must not stay where nothing comes: the
/// crew sends it away, and then it sleeps until somebody calls, though the crew may be busy again.
///
/// Each one that sleeps watches the earliest alarm that nobody watches yet: while one sleeps, the
/// first alarm is watched. When all are busy, they look at the alarms between two slices, and
/// pressed_at_ tells slices and helpers when to end for it.
class ThreadPool final : public Scheduler {
 public:
  ThreadPool(int workers, const Clock& clock) : clock_(clock) {
    assert(workers >= 1);
    sleepers_.reserve(static_cast<size_t>(workers));
    threads_.reserve(static_cast<size_t>(workers));
    for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { Work(); });
  }

  ~ThreadPool() override {
    {
      const MutexLock lock(mu_);
      assert(entries_.empty());
      stopping_ = true;
      while (!sleepers_.empty()) Call(sleepers_.back());
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
      // In its turn, unless its time has come: then the alarm is about to ring.
      queue_.Push(entry, Clock::Time::min());
      CallWorkers(1);
      Settle();
    } else if (entry->phase == Entry::Phase::kRunning) {
      entry->woken = true;
    }
  }

  bool TryAcquire(Strand* strand) override {
    const MutexLock lock(mu_);
    Entry* const entry = Find(strand);
    if (entry == nullptr || entry->leaving || entry->phase != Entry::Phase::kIdle) return false;
    entry->phase = Entry::Phase::kRunning;
    if (entry->is_set) {
      Unset(entry);
      Settle();
    }
    return true;
  }

  void Release(Strand* strand, bool more) override {
    const Timing timing = strand->timing();
    const MutexLock lock(mu_);
    Entry* const entry = Find(strand);
    assert(entry != nullptr && entry->phase == Entry::Phase::kRunning);
    entry->timing = timing;
    if (EndRun(entry, more)) CallWorkers(1);
    Settle();
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
    Unset(found);
    if (found->phase == Entry::Phase::kQueued) queue_.Erase(found);
    Settle();
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
  const std::atomic<int64_t>& pressed_at() const override { return pressed_at_; }

 private:
  Entry* Find(Strand* strand) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const auto found = entries_.find(strand);
    return found == entries_.end() ? nullptr : found->second.get();
  }

  /// Sets its alarm off. Who watches it, or one that has rung already, sleeps on, for nothing.
  void Unset(Entry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    for (Sleeper* sleeper : sleepers_) {
      if (sleeper->watches == entry) sleeper->watches = nullptr;
    }
    queue_.Unset(entry);
  }

  void Call(Sleeper* sleeper) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    sleepers_.erase(std::find(sleepers_.begin(), sleepers_.end(), sleeper));
    StopWatching(sleeper);
    sleeper->called = true;
    ++coming_;
    sleeper->wake.Signal();
  }
  static void StopWatching(Sleeper* sleeper) {
    if (sleeper->watches != nullptr) sleeper->watches->watched = false;
    sleeper->watches = nullptr;
  }

  /// Calls those first who watch nothing, or the latest alarm, and who fell asleep last.
  void CallWorkers(int count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const auto watches_less = [](const Sleeper* a, const Sleeper* b) {
      if (a->watches == nullptr || b->watches == nullptr) return b->watches != nullptr;
      return a->until > b->until;
    };
    for (int i = 0; i < count && !sleepers_.empty(); ++i) {
      Call(*std::min_element(sleepers_.rbegin(), sleepers_.rend(), watches_less));
    }
  }

  /// Who comes calls others: so a large crew is together after few wakes, one after the other.
  void CallMoreHelpers(const Crew& crew) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    CallWorkers(std::min(crew.max_helpers() - crew.helpers(), 2));
  }

  /// To be called when queue, alarms or sleepers have changed.
  void Settle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    // Strands for which no worker wakes up are for helpers.
    const int awaited = static_cast<int>(sleepers_.size()) + coming_;
    const int wanted = static_cast<int>(queue_.size()) - awaited;
    recalls_.store(std::max(wanted, 0), std::memory_order_relaxed);
    Clock::Time pressed = Clock::kNever;
    if (awaited == 0) pressed = queue_.has_released() ? Clock::Time::min() : queue_.next_alarm();
    pressed_at_.store(ToNs(pressed), std::memory_order_relaxed);
    // Who is coming will see to it.
    if (coming_ == 0 && !queue_.first_is_watched()) CallWorkers(1);
  }

  static int64_t ToNs(Clock::Time time) {
    return std::chrono::nanoseconds(time.time_since_epoch()).count();
  }

  /// For a helper: it is to come back, in the place of any other.
  bool Recalled() {
    int recalls = recalls_.load(std::memory_order_relaxed);
    if (recalls > 0 &&
        recalls_.compare_exchange_strong(recalls, recalls - 1, std::memory_order_relaxed)) {
      return true;
    }
    int64_t pressed = pressed_at_.load(std::memory_order_relaxed);
    return pressed != ToNs(Clock::kNever) && ToNs(clock_.Now()) >= pressed &&
           pressed_at_.compare_exchange_strong(pressed, ToNs(Clock::kNever),
                                               std::memory_order_relaxed);
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
    if (entry->timing.release == Clock::kNever) {
      if (again) queue_.Push(entry, Clock::Time::min());
      return again;
    }
    const Clock::Time now = clock_.Now();
    const bool released = entry->timing.release <= now;
    if (again || released) queue_.Push(entry, now);
    if (!released) queue_.Set(entry);
    return again || released;
  }

  void Work() {
    AskForPreciseSleep();
    Sleeper self;
    mu_.Lock();
    bool sent_away = false;
    while (!stopping_) {
      if (queue_.next_alarm() != Clock::kNever) CallWorkers(queue_.Ring(clock_.Now()) - 1);
      if (!queue_.empty()) {
        RunFirst();
        sent_away = false;
      } else if (const auto crew = sent_away ? nullptr : NeediestCrew(); crew != nullptr) {
        sent_away = !Help(*crew);
      } else {
        Sleep(&self);
        sent_away = false;
      }
    }
    mu_.Unlock();
  }

  void Sleep(Sleeper* self) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    self->called = false;
    self->watches = queue_.FirstUnwatched();
    self->until = self->watches != nullptr ? self->watches->timing.release : Clock::kNever;
    if (self->watches != nullptr) self->watches->watched = true;
    sleepers_.push_back(self);
    Settle();
    bool on_time = true;
    while (!self->called && on_time) {
      if (self->until == Clock::kNever) {
        self->wake.Wait(mu_);
      } else {
        on_time = self->wake.WaitFor(mu_, self->until - clock_.Now());
      }
    }
    if (self->called) {
      --coming_;
    } else {
      sleepers_.erase(std::find(sleepers_.begin(), sleepers_.end(), self));
      StopWatching(self);
    }
  }

  void RunFirst() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    // Who is next does not depend on the time, unless two kinds wait.
    Entry* const entry = queue_.Pop(queue_.has_released() ? clock_.Now() : Clock::Time::min());
    Settle();
    Strand* const strand = entry->strand.get();
    mu_.Unlock();
    const bool more = strand->RunSlice();
    const int64_t turns = std::min(strand->turns_overdrawn(), kMostTurns);
    const Timing timing = strand->timing();
    mu_.Lock();
    entry->turns_to_pass = turns;
    entry->timing = timing;
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
    Settle();
    mu_.Unlock();
    const bool recalled = crew.Help(place, [this] { return Recalled(); });
    mu_.Lock();
    return recalled;
  }

  /// That a strand lets pass: a bound for those that count them under the lock.
  static constexpr int64_t kMostTurns = 64;

  const Clock& clock_;
  Mutex mu_;
  CondVar left_;  ///< a leaving strand is idle, or gone
  absl::flat_hash_map<Strand*, std::unique_ptr<Entry>> entries_ ABSL_GUARDED_BY(mu_);
  RunQueue queue_ ABSL_GUARDED_BY(mu_);
  std::vector<Entry*> helped_ ABSL_GUARDED_BY(mu_);      ///< those with a crew
  std::vector<Sleeper*> sleepers_ ABSL_GUARDED_BY(mu_);  ///< in the order they fell asleep
  int coming_ ABSL_GUARDED_BY(mu_) = 0;                  ///< were called and do not run yet
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  alignas(64) std::atomic<int> recalls_{0};  ///< helpers who are to come back; all helpers look
  std::atomic<int64_t> pressed_at_{ToNs(Clock::kNever)};
  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<Scheduler> Scheduler::Make(int workers, const Clock& clock) {
  return std::make_unique<ThreadPool>(workers, clock);
}

}  // namespace prospero
