#pragma once

#include <chrono>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/optional.h"

namespace prospero {

/// What makes a network advance.
enum class ClockMode : uint8_t {
  kLockstep,  ///< each frame
  kFree,      ///< as fast as possible
  kRealtime,  ///< wall time, times a speed
};

/// What happens when steps come later than a clock's tolerance.
enum class Overrun : uint8_t {
  /// Steps whose whole period has passed are left out; that of the present period is made at once.
  kSkip,
  /// All are made without pause, but for those that lie back more than `max_catch_up`.
  kCatchUp,
  /// The grid moves by the lag: none is left out, none comes early.
  kSlowDown,
};

/// What makes a network advance, and how. A clock that is not kRealtime has nothing but its mode.
struct ClockSpec {
  using Duration = std::chrono::nanoseconds;

  ClockMode mode = ClockMode::kLockstep;
  double speed = 1.0;  ///< model time that passes in a unit of wall time
  Overrun overrun = Overrun::kSkip;
  /// Lag that is made up for without a word. None: the longer of two periods and 2 ms.
  absl::optional<Duration> tolerance = {};
  /// kCatchUp only. None: 1 s.
  absl::optional<Duration> max_catch_up = {};

  ClockSpec() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a mode says all of most clocks.
  ClockSpec(ClockMode mode_given) : mode(mode_given) {}

  /// kInvalidArgument names the field: "speed", "tolerance", "max_catch_up".
  absl::Status Check() const;
  /// Without what its mode does not use.
  ClockSpec Normal() const;

  friend bool operator==(const ClockSpec&, const ClockSpec&) = default;
};

}  // namespace prospero
