#pragma once

#include <cstdint>
#include <memory>

#include "engine/runtime/crew.h"

namespace prospero {

/// Something that has work in slices. Used by the scheduler only.
class Strand {
 public:
  virtual ~Strand() = default;
  /// Does a bounded piece of work. True when more is waiting.
  virtual bool RunSlice() = 0;
  /// How many turns it should let pass, because its last slice was that much longer than a slice
  /// should be. Asked by the thread that ran it.
  virtual int64_t turns_overdrawn() const { return 0; }
};

/// Threads that run strands, each strand on at most one thread at a time, in turn: first
/// in, first out, so that none starves another; while others wait, one that took the time of
/// several slices lets as many turns pass. A thread that has no strand to run helps a crew; no
/// strand waits for a helper longer than for the task it is at. Thread-safe.
class Scheduler {
 public:
  /// `workers` >= 1.
  static std::unique_ptr<Scheduler> Make(int workers);
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
};

}  // namespace prospero
