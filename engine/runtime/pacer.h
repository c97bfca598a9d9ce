#pragma once

#include <cstdint>

#include "engine/runtime/clock.h"
#include "engine/runtime/clock_spec.h"

namespace prospero {

/// When the steps of a REALTIME clock are due: on a grid of whole periods since its start, the
/// first one at the end of the first period. So as much model time has passed as wall time, times
/// the speed. Arithmetic only: no threads, and no clock of its own.
///
/// Times are counted in 2^-64 ns: a grid of any speed is true to less than a nanosecond for ever.
class Pacer {
 public:
  /// `dt` [ms]; a clock that has been checked.
  Pacer(double dt, const ClockSpec& spec);

  /// Sets the grid. What was counted stays.
  void Start(Clock::Time now);
  /// As Start, on another grid.
  void Restart(const ClockSpec& spec, Clock::Time now);

  /// How many steps are to be made at `now`, which never goes back. Steps that come too late are
  /// dealt with first, as the clock's overrun policy says.
  int64_t Due(Clock::Time now);
  /// That many of them were made.
  void Made(int64_t steps);

  /// When the next step is due. Perhaps it is not worth while to come before wake_at().
  Clock::Time due_at() const { return ToTime(due_); }
  /// When to look again: the next step is due, and steps of short periods come several at once.
  Clock::Time wake_at() const;
  /// When what wakes up at wake_at() should be done: the step after it is due.
  Clock::Time deadline() const;

  double rate_hz() const { return 1e9 / period_ns_; }
  double lag_ms() const { return lag_ms_; }       ///< of the oldest step due, at the last look
  int64_t overruns() const { return overruns_; }  ///< times that steps were later than tolerated
  int64_t skipped() const { return skipped_; }    ///< steps left out

  /// Steps that are due within so long are made together.
  static constexpr int64_t kBundleNs = 100'000;

 private:
  __extension__ using Fixed = __int128;  ///< [2^-64 ns]

  static constexpr Fixed kHalf = static_cast<Fixed>(1) << 63;

  static Fixed FromNs(int64_t ns) { return static_cast<Fixed>(ns) << 64; }
  static Fixed FromTime(Clock::Time time);
  /// Rounded to the nearest.
  static Clock::Time ToTime(Fixed time);
  void Adopt(const ClockSpec& spec);
  /// Leaves out the steps that were due before `time`.
  void SkipBefore(Fixed time);
  void Overran(Fixed now, Fixed lag);

  const double dt_;  ///< [ms]
  ClockSpec spec_;
  double period_ns_ = 0.0;
  Fixed period_ = 0;
  Fixed tolerance_ = 0;
  Fixed max_catch_up_ = 0;
  int64_t bundle_ns_ = 0;
  Fixed due_ = 0;       ///< the next step
  Clock::Time looked_;  ///< when Due was asked last
  bool late_ = false;   ///< at the last look
  double lag_ms_ = 0.0;
  int64_t overruns_ = 0;
  int64_t skipped_ = 0;
};

/// Model time that passes in a unit of wall time, over the last second or so.
class SpeedGauge {
 public:
  /// `dt` [ms]
  explicit SpeedGauge(double dt) : dt_(dt) {}

  /// The network stands there now. Steps that do not grow (a reset) begin anew.
  void Look(Clock::Time now, int64_t epoch, int64_t step);
  /// 0 before two looks that lie apart.
  double speed() const { return speed_; }

 private:
  struct Mark {
    Clock::Time time;
    int64_t step = 0;
  };
  static constexpr int kMarks = 17;
  static constexpr Clock::Time::duration kWindow = std::chrono::seconds(1);
  const Mark& mark(int back) const { return marks_[(newest_ + kMarks - back) % kMarks]; }

  const double dt_;
  Mark marks_[kMarks];
  int newest_ = 0;
  int count_ = 0;
  int64_t epoch_ = 0;
  double speed_ = 0.0;
};

}  // namespace prospero
