#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "absl/container/btree_set.h"
#include "engine/runtime/clock.h"
#include "engine/runtime/crew.h"
#include "engine/runtime/scheduler.h"

namespace prospero {

/// A strand in the hands of its scheduler: idle, or in the queue, or on a thread.
///
///   idle --Wake, release--> queued --worker--> running --more or woken--> queued
///     |                                           |
///     +-----------TryAcquire--> running           +--else--> idle
///
/// A wake during a run is remembered in `woken`, so it is never lost. `leaving` is obeyed by
/// the thread that runs the strand: it does not queue it again, however much there is to
/// do. Otherwise one that always has more would be taken up again before Remove gets the lock.
struct Entry {
  enum class Phase : uint8_t { kIdle, kQueued, kRunning };
  std::shared_ptr<Strand> strand;
  std::shared_ptr<Crew> crew;  ///< that may be helped in this slice
  int64_t turns_to_pass = 0;
  Timing timing;  ///< as the strand said after its last slice
  Phase phase = Phase::kIdle;
  bool woken = false;
  bool leaving = false;

  // RunQueue's.
  uint64_t number = 0;    ///< in the order of coming, among equal times
  bool is_set = false;    ///< its alarm is
  bool watched = false;   ///< somebody sleeps until its alarm
  bool released = false;  ///< queued by its deadline
};

/// Which strand is next: those that wait in turn, those that have been released and have a
/// deadline, and those that will be released (their alarm is set). No threads and no clock of its
/// own: the caller says what time it is.
class RunQueue {
 public:
  /// Strands that wait in turn get one of the next slices after so long, whoever else waits.
  static constexpr Clock::Time::duration kPatience = std::chrono::milliseconds(20);

  bool empty() const { return in_turn_.empty() && by_deadline_.empty(); }
  size_t size() const { return in_turn_.size() + by_deadline_.size(); }
  /// Somebody waits who has a deadline.
  bool has_released() const { return !by_deadline_.empty(); }

  /// Queues an idle strand: by its deadline if it has been released.
  void Push(Entry* entry, Clock::Time now);
  /// Takes a strand out of the queue; it is idle. Its alarm stays.
  void Erase(Entry* entry);
  /// The next one, which is running from now on, its alarm off. The queue is not empty.
  Entry* Pop(Clock::Time now);

  /// Sets the alarm to the strand's release, unless that is Clock::kNever. It has not been
  /// released.
  void Set(Entry* entry);
  void Unset(Entry* entry);
  /// Releases all whose time has come; how many of them were idle.
  int Ring(Clock::Time now);
  /// Clock::kNever: no alarm is set.
  Clock::Time next_alarm() const;
  /// Somebody sleeps until the next alarm; true also when there is none.
  bool first_is_watched() const { return alarms_.empty() || alarms_.begin()->entry->watched; }
  /// Of the alarms for which nobody sleeps, the earliest; null when there is none.
  Entry* FirstUnwatched() const;

 private:
  /// In the order of a time, then of coming.
  struct Place {
    Clock::Time time;
    uint64_t number;
    Entry* entry;
    friend bool operator<(const Place& a, const Place& b) {
      return a.time != b.time ? a.time < b.time : a.number < b.number;
    }
  };
  static Place ByRelease(Entry* entry) { return {entry->timing.release, entry->number, entry}; }
  static Place ByDeadline(Entry* entry) { return {entry->timing.deadline, entry->number, entry}; }

  bool IsTurn(Clock::Time now);
  Entry* PopInTurn();

  std::deque<Entry*> in_turn_;
  absl::btree_set<Place> by_deadline_;
  absl::btree_set<Place> alarms_;
  uint64_t next_number_ = 0;
  Clock::Time passed_over_since_ = Clock::kNever;  ///< those in turn
};

}  // namespace prospero
