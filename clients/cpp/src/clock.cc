#include "prospero/client/clock.h"

#include "durations.h"

namespace prospero::client {

v1::Clock Lockstep() {
  v1::Clock clock;
  clock.set_mode(v1::Clock::MODE_LOCKSTEP);
  return clock;
}

v1::Clock Free() {
  v1::Clock clock;
  clock.set_mode(v1::Clock::MODE_FREE);
  return clock;
}

v1::Clock Realtime(const RealtimeOptions& options) {
  v1::Clock clock;
  clock.set_mode(v1::Clock::MODE_REALTIME);
  clock.set_speed(options.speed);
  clock.set_overrun(options.overrun);
  if (options.tolerance.has_value()) *clock.mutable_tolerance() = ToProto(*options.tolerance);
  if (options.max_catch_up.has_value()) {
    *clock.mutable_max_catch_up() = ToProto(*options.max_catch_up);
  }
  return clock;
}

}  // namespace prospero::client
