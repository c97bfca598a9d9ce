#pragma once

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "engine/core/mutex.h"
#include "prospero/v1/network.pb.h"

namespace prospero::server {

/// A network that the server brings back and that is not there yet, or never will be. Thread-safe;
/// its mutex is a leaf.
class Pending {
 public:
  /// `network`: what its row says.
  explicit Pending(v1::Network network);

  const std::string& uid() const { return network_.uid(); }
  /// RECOVERING with how far it is, or DAMAGED with why.
  v1::Network Describe() const ABSL_LOCKS_EXCLUDED(mu_);

  void Report(int64_t steps, double progress) ABSL_LOCKS_EXCLUDED(mu_);
  /// It will not come back.
  void Condemn(const absl::Status& why) ABSL_LOCKS_EXCLUDED(mu_);
  /// What a call gets that needs the network: kUnavailable (NETWORK_RECOVERING), or why it was
  /// condemned.
  absl::Status status() const ABSL_LOCKS_EXCLUDED(mu_);
  bool condemned() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  const v1::Network network_;
  mutable Mutex mu_;
  int64_t steps_ ABSL_GUARDED_BY(mu_) = 0;
  double progress_ ABSL_GUARDED_BY(mu_) = 0.0;
  absl::Status condemned_ ABSL_GUARDED_BY(mu_);
};

}  // namespace prospero::server
