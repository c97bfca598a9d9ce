#include "server/durability/pending.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/convert/status.h"

namespace prospero::server {

Pending::Pending(v1::Network network) : network_(std::move(network)) {}

v1::Network Pending::Describe() const {
  v1::Network network = network_;
  network.clear_failure();
  const MutexLock lock(mu_);
  if (!condemned_.ok()) {
    network.set_state(v1::Network::STATE_DAMAGED);
    *network.mutable_failure() = ToProto(condemned_);
    return network;
  }
  network.set_state(v1::Network::STATE_RECOVERING);
  network.mutable_recovery()->set_steps(steps_);
  network.mutable_recovery()->set_progress(progress_);
  return network;
}

void Pending::Report(int64_t steps, double progress) {
  const MutexLock lock(mu_);
  steps_ = steps;
  progress_ = progress;
}

void Pending::Condemn(const absl::Status& why) {
  const MutexLock lock(mu_);
  condemned_ = why;
}

absl::Status Pending::status() const {
  const MutexLock lock(mu_);
  if (!condemned_.ok()) return condemned_;
  return WithMetadata(
      Error(absl::StatusCode::kUnavailable, "NETWORK_RECOVERING",
            absl::StrCat("the network \"", network_.name(), "\" is being brought back")),
      "network", network_.name());
}

bool Pending::condemned() const {
  const MutexLock lock(mu_);
  return !condemned_.ok();
}

}  // namespace prospero::server
