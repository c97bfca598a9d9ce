#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/core/errors.h"
#include "server/convert/field.h"
#include "server/convert/network.h"

namespace prospero::server {
namespace {

absl::StatusOr<ClockMode> FromProto(v1::Clock::Mode mode) {
  switch (mode) {
    case v1::Clock::MODE_UNSPECIFIED:
    case v1::Clock::MODE_LOCKSTEP:
      return ClockMode::kLockstep;
    case v1::Clock::MODE_FREE:
      return ClockMode::kFree;
    case v1::Clock::MODE_REALTIME:
      return ClockMode::kRealtime;
    default:
      return InvalidField("mode", absl::StrCat("is unknown: ", static_cast<int>(mode)));
  }
}

v1::Clock::Mode ToProto(ClockMode mode) {
  switch (mode) {
    case ClockMode::kLockstep:
      return v1::Clock::MODE_LOCKSTEP;
    case ClockMode::kFree:
      return v1::Clock::MODE_FREE;
    case ClockMode::kRealtime:
      return v1::Clock::MODE_REALTIME;
  }
  return v1::Clock::MODE_UNSPECIFIED;
}

absl::StatusOr<Overrun> FromProto(v1::Clock::Overrun overrun) {
  switch (overrun) {
    case v1::Clock::OVERRUN_UNSPECIFIED:
    case v1::Clock::OVERRUN_SKIP:
      return Overrun::kSkip;
    case v1::Clock::OVERRUN_CATCH_UP:
      return Overrun::kCatchUp;
    case v1::Clock::OVERRUN_SLOW_DOWN:
      return Overrun::kSlowDown;
    default:
      return InvalidField("overrun", absl::StrCat("is unknown: ", static_cast<int>(overrun)));
  }
}

v1::Clock::Overrun ToProto(Overrun overrun) {
  switch (overrun) {
    case Overrun::kSkip:
      return v1::Clock::OVERRUN_SKIP;
    case Overrun::kCatchUp:
      return v1::Clock::OVERRUN_CATCH_UP;
    case Overrun::kSlowDown:
      return v1::Clock::OVERRUN_SLOW_DOWN;
  }
  return v1::Clock::OVERRUN_UNSPECIFIED;
}

/// Longer ones than an engine's duration can be are as long as it can be: too long.
absl::StatusOr<ClockSpec::Duration> FromProto(const google::protobuf::Duration& duration,
                                              absl::string_view path) {
  const absl::StatusOr<absl::Duration> time = NonNegative(duration, path);
  if (!time.ok()) return time.status();
  return absl::ToChronoNanoseconds(*time);
}

google::protobuf::Duration ToProto(ClockSpec::Duration duration) {
  google::protobuf::Duration wire;
  wire.set_seconds(duration.count() / 1'000'000'000);
  wire.set_nanos(static_cast<int32_t>(duration.count() % 1'000'000'000));
  return wire;
}

}  // namespace

absl::StatusOr<ClockSpec> FromProto(const v1::Clock& clock) {
  const absl::StatusOr<ClockMode> mode = FromProto(clock.mode());
  if (!mode.ok()) return mode.status();
  ClockSpec spec(*mode);
  if (spec.mode != ClockMode::kRealtime) return spec;
  spec.speed = OrDefault(clock.speed(), 1.0);
  const absl::StatusOr<Overrun> overrun = FromProto(clock.overrun());
  if (!overrun.ok()) return overrun.status();
  spec.overrun = *overrun;
  if (clock.has_tolerance()) {
    const auto tolerance = FromProto(clock.tolerance(), "tolerance");
    if (!tolerance.ok()) return tolerance.status();
    spec.tolerance = *tolerance;
  }
  if (clock.has_max_catch_up()) {
    const auto max_catch_up = FromProto(clock.max_catch_up(), "max_catch_up");
    if (!max_catch_up.ok()) return max_catch_up.status();
    spec.max_catch_up = *max_catch_up;
  }
  spec = spec.Normal();
  if (absl::Status status = spec.Check(); !status.ok()) return status;
  return spec;
}

v1::Clock ToProto(const ClockSpec& clock) {
  v1::Clock wire;
  wire.set_mode(ToProto(clock.mode));
  if (clock.mode != ClockMode::kRealtime) return wire;
  wire.set_speed(clock.speed);
  wire.set_overrun(ToProto(clock.overrun));
  if (clock.tolerance.has_value()) *wire.mutable_tolerance() = ToProto(*clock.tolerance);
  if (clock.max_catch_up.has_value()) *wire.mutable_max_catch_up() = ToProto(*clock.max_catch_up);
  return wire;
}

}  // namespace prospero::server
