#pragma once

#include "engine/core/network.h"
#include "engine/runtime/pacer.h"

namespace prospero {

/// What a network's clock tells: signals in the network's table, as they are when a slice begins.
///
/// clock.lag [ms]: how late the steps of this slice come; REALTIME only, else 0.
/// clock.overruns: times that steps came later than tolerated.
/// clock.skipped: steps that were left out.
/// clock.speed: model time per wall time, over the last second or so; of every clock.
/// clock.step_cost [ms]: what a step takes; 0 before the first one.
class ClockSignals {
 public:
  /// The network must not outlive the signals.
  explicit ClockSignals(Network& network);
  ClockSignals(const ClockSignals&) = delete;
  ClockSignals& operator=(const ClockSignals&) = delete;

  /// `paced`: the clock is REALTIME and runs.
  void Show(const Pacer& pacer, bool paced, double speed, int64_t step_cost_ns);

 private:
  double lag_ = 0.0;
  double overruns_ = 0.0;
  double skipped_ = 0.0;
  double speed_ = 0.0;
  double step_cost_ = 0.0;
};

}  // namespace prospero
