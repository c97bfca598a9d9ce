#pragma once

#include <algorithm>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/core/network.h"
#include "prospero/v1/server_service.pb.h"

namespace prospero::server {

/// Bounds that are checked before memory is spent. They are advertised as v1::Limits.
struct Limits {
  int64_t max_networks = 10'000;
  NetworkLimits network;
  int64_t max_total_bytes = int64_t{64} << 30;  ///< of all networks and kept samples
  int64_t max_message_bytes = int64_t{16} << 20;
  int64_t max_steps_per_advance = 1'000'000;
  int32_t max_subscriptions_per_network = 256;
  int32_t max_pending_samples = 65'536;
  int64_t max_retained_bytes = int64_t{64} << 20;  ///< of one recording
  int32_t max_snapshots_per_network = 1000;
  double realtime_share = 0.8;  ///< of the workers: what REALTIME networks may take together

  /// What is left of a message for arrays.
  int64_t max_payload_bytes() const { return std::max<int64_t>(max_message_bytes - (64 << 10), 1); }
};

/// Three quarters of the machine's memory [bytes]: what all networks may take by default.
int64_t DefaultTotalBytes();

/// kResourceExhausted, LIMIT_EXCEEDED, with the limit's name and value in the metadata.
absl::Status LimitExceeded(absl::string_view limit, int64_t max, int64_t wanted);

/// The same, about the field at `path`.
absl::Status LimitExceeded(absl::string_view limit, int64_t max, int64_t wanted,
                           absl::string_view path);

/// The same, about what is shared and of which others have taken `taken`, which it says.
absl::Status LimitExceededBeside(absl::string_view limit, int64_t max, int64_t wanted,
                                 int64_t taken);

v1::Limits ToProto(const Limits& limits);

}  // namespace prospero::server
