#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "engine/runtime/clock.h"
#include "engine/runtime/crew.h"

namespace prospero {

/// When a strand is to be run without being woken.
struct Timing {
  Clock::Time release = Clock::kNever;  ///< not before it
  /// When that slice should be over. Strands that have been released run earliest deadline first,
  /// before those that have none; Clock::kNever: in turn with all others.
  Clock::Time deadline = Clock::kNever;
};
/// The one that is released first.
constexpr Timing Earlier(const Timing& a, const Timing& b) { return b.release < a.release ? b : a; }

/// Something that has work in slices. Used by the scheduler only.
class Strand {
 public:
  virtual ~Strand() = default;
  /// Does a bounded piece of work. True when more is waiting.
  virtual bool RunSlice() = 0;
  /// How many turns it should let pass, because its last slice was that much longer than a slice
  /// should be. Asked by the thread that ran it.
  virtual int64_t turns_overdrawn() const { return 0; }
  /// When it wants to be run next, of its own accord. Asked after each slice by the thread that ran
  /// it. A wake in between runs it earlier, in its turn.
  virtual Timing timing() const { return {}; }
};

/// Threads that run strands, each strand on at most one thread at a time, in turn: first
/// in, first out, so that none starves another; while others wait, one that took the time of
/// several slices lets as many turns pass. A thread that has no strand to run helps a crew; no
/// strand waits for a helper longer than for the task it is at. Thread-safe.
///
/// A strand that has named its time is run then, before all that wait in turn: to the precision of
/// the machine's timer while a worker sleeps, else when the next slice ends. Those that wait in
/// turn get a slice in 20 ms at least.
class Scheduler {
 public:
  /// `workers` >= 1. `clock` is the one of the strands' times. When it is not the machine's, a
  /// strand whose time has come is run at the next call or slice of any strand.
  static std::unique_ptr<Scheduler> Make(int workers, const Clock& clock = Clock::Real());
  /// All strands must have been removed.
  virtual ~Scheduler() = default;

  virtual void Add(std::shared_ptr<Strand> strand) = 0;
  /// Says that the strand has work. Cheap when it is queued or running already.
  virtual void Wake(Strand* strand) = 0;
  /// Takes the strand for the calling thread if it is idle: returns false when it is queued or
  /// running. The caller must Release it soon.
  virtual bool TryAcquire(Strand* strand) = 0;
  /// `more`: queue it at once.
  virtual void Release(Strand* strand, bool more) = 0;
  /// From a slice of that strand: workers that have no strand to run may help `crew` until the
  /// slice ends, and those that sleep are woken for it. The crew is busy.
  virtual void CallHelpers(Strand* strand, std::shared_ptr<Crew> crew) = 0;
  /// A barrier: after it the strand does not run. Must not be called from a slice of that strand.
  virtual void Remove(Strand* strand) = 0;
  virtual int workers() const = 0;
  /// When a strand with a deadline will want a worker and finds none that sleeps [ns of the
  /// clock]: a slice of a strand without one should end then, between two steps.
  virtual const std::atomic<int64_t>& pressed_at() const = 0;
};

}  // namespace prospero
