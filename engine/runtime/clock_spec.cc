#include "engine/runtime/clock_spec.h"

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"

namespace prospero {
namespace {

absl::Status CheckDuration(absl::string_view field,
                           const absl::optional<ClockSpec::Duration>& duration,
                           std::chrono::seconds most) {
  if (!duration.has_value()) return absl::OkStatus();
  if (duration->count() >= 0 && *duration <= most) return absl::OkStatus();
  const double given = std::chrono::duration<double>(*duration).count();
  return InvalidField(field, absl::StrCat("must be from 0 to ", most.count(), " s, got ", given));
}

}  // namespace

absl::Status ClockSpec::Check() const {
  if (mode != ClockMode::kRealtime) return absl::OkStatus();
  if (!(speed >= 1e-6 && speed <= 1e6)) {
    return InvalidField("speed", absl::StrCat("must be from 1e-6 to 1e6, got ", speed));
  }
  auto status = CheckDuration("tolerance", tolerance, std::chrono::seconds(10));
  if (!status.ok() || overrun != Overrun::kCatchUp) return status;
  return CheckDuration("max_catch_up", max_catch_up, std::chrono::seconds(60));
}

ClockSpec ClockSpec::Normal() const {
  if (mode != ClockMode::kRealtime) return mode;
  ClockSpec normal = *this;
  if (overrun != Overrun::kCatchUp) normal.max_catch_up.reset();
  return normal;
}

}  // namespace prospero
