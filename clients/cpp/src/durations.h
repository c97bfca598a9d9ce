#pragma once

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"

namespace prospero::client {

inline google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration message;
  message.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  message.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
  return message;
}

}  // namespace prospero::client
