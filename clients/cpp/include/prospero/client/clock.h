#pragma once

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "prospero/v1/network.pb.h"

/// What makes a network advance; the reference is proto/prospero/v1/network.proto.
namespace prospero::client {

/// Each frame advances it: deterministic, for experiments. What a network has unless told
/// otherwise.
v1::Clock Lockstep();

/// As fast as possible, with the last inputs held.
v1::Clock Free();

struct RealtimeOptions {
  double speed = 1.0;  ///< model time that passes in a unit of wall time, from 1e-6 to 1e6
  v1::Clock::Overrun overrun = v1::Clock::OVERRUN_SKIP;  ///< when steps come too late
  /// Lag that is made up for without a word, at most 10 s; none: the longer of two periods and
  /// 2 ms.
  absl::optional<absl::Duration> tolerance = {};
  /// CATCH_UP only: how far back missed steps are still made, at most 60 s; none: 1 s.
  absl::optional<absl::Duration> max_catch_up = {};
};

/// Wall time: a step is due every dt_ms / speed.
v1::Clock Realtime(const RealtimeOptions& options = {});

}  // namespace prospero::client
