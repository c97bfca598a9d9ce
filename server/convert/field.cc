#include "server/convert/field.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"

namespace prospero::server {

std::string Element(absl::string_view path, int index) {
  return absl::StrCat(path, "[", index, "]");
}

absl::Status CheckFinite(double value, absl::string_view path) {
  if (std::isfinite(value)) return absl::OkStatus();
  return InvalidField(path, absl::StrCat("must be finite, got ", value));
}

absl::StatusOr<absl::Duration> NonNegative(const google::protobuf::Duration& duration,
                                           absl::string_view path) {
  constexpr int64_t kMaxSeconds = 315'576'000'000;  // of a Duration
  constexpr int32_t kMaxNanos = 999'999'999;
  if (duration.seconds() < 0 || duration.seconds() > kMaxSeconds || duration.nanos() < 0 ||
      duration.nanos() > kMaxNanos) {
    return InvalidField(path, absl::StrCat("must be a valid duration >= 0, got ",
                                           duration.seconds(), " s and ", duration.nanos(), " ns"));
  }
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

absl::StatusOr<absl::Time> FromProto(const google::protobuf::Timestamp& timestamp,
                                     absl::string_view path) {
  constexpr int64_t kMinSeconds = -62'135'596'800;  // the years 1 to 9999
  constexpr int64_t kMaxSeconds = 253'402'300'799;
  constexpr int32_t kMaxNanos = 999'999'999;
  if (timestamp.seconds() < kMinSeconds || timestamp.seconds() > kMaxSeconds ||
      timestamp.nanos() < 0 || timestamp.nanos() > kMaxNanos) {
    return InvalidField(path, absl::StrCat("must be a valid timestamp, got ", timestamp.seconds(),
                                           " s and ", timestamp.nanos(), " ns"));
  }
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp wire;
  const int64_t ns = absl::ToUnixNanos(time);
  wire.set_seconds(ns / 1'000'000'000);
  wire.set_nanos(static_cast<int32_t>(ns % 1'000'000'000));
  return wire;
}

}  // namespace prospero::server
