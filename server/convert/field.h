#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace prospero::server {

/// "path[index]", as errors name an element.
std::string Element(absl::string_view path, int index);

/// kInvalidArgument, naming `path`, when the value is NaN or infinite.
absl::Status CheckFinite(double value, absl::string_view path);

/// For fields whose 0 stands for another number.
inline double OrDefault(double value, double when_zero) { return value == 0.0 ? when_zero : value; }

/// kInvalidArgument, naming `path`, when it is negative or not a valid Duration.
absl::StatusOr<absl::Duration> NonNegative(const google::protobuf::Duration& duration,
                                           absl::string_view path);

/// kInvalidArgument, naming `path`, when it is not a valid Timestamp.
absl::StatusOr<absl::Time> FromProto(const google::protobuf::Timestamp& timestamp,
                                     absl::string_view path);

google::protobuf::Timestamp ToProto(absl::Time time);

}  // namespace prospero::server
