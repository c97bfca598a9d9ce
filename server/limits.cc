#include "server/limits.h"

#include <unistd.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"

namespace prospero::server {
namespace {

int32_t Saturate(int64_t value) {
  return static_cast<int32_t>(std::min<int64_t>(value, std::numeric_limits<int32_t>::max()));
}

absl::Status WithLimit(absl::Status status, absl::string_view limit, int64_t max, int64_t wanted) {
  status = WithMetadata(std::move(status), "limit", limit);
  status = WithMetadata(std::move(status), "max", absl::StrCat(max));
  return WithMetadata(std::move(status), "wanted", absl::StrCat(wanted));
}

std::string Sentence(absl::string_view limit, int64_t max, int64_t wanted) {
  return absl::StrCat("must keep within ", limit, " = ", max, ", wanted ", wanted);
}

}  // namespace

int64_t DefaultTotalBytes() {
  return static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE) / 4 * 3;
}

absl::Status LimitExceeded(absl::string_view limit, int64_t max, int64_t wanted) {
  return WithLimit(
      Error(absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED", Sentence(limit, max, wanted)),
      limit, max, wanted);
}

absl::Status LimitExceeded(absl::string_view limit, int64_t max, int64_t wanted,
                           absl::string_view path) {
  return WithLimit(FieldError(absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED", path,
                              Sentence(limit, max, wanted)),
                   limit, max, wanted);
}

absl::Status LimitExceededBeside(absl::string_view limit, int64_t max, int64_t wanted,
                                 int64_t taken) {
  const std::string sentence =
      absl::StrCat(Sentence(limit, max, wanted), " beside ", taken, " that are taken");
  absl::Status status = Error(absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED", sentence);
  return WithMetadata(WithLimit(std::move(status), limit, max, wanted), "taken",
                      absl::StrCat(taken));
}

v1::Limits ToProto(const Limits& limits) {
  v1::Limits wire;
  wire.set_max_networks(limits.max_networks);
  wire.set_max_neurons(limits.network.max_neurons);
  wire.set_max_weights(limits.network.max_weights);
  wire.set_max_network_bytes(limits.network.max_bytes);
  wire.set_max_total_bytes(limits.max_total_bytes);
  wire.set_max_batch_size(Saturate(limits.network.max_batch_size));
  wire.set_max_message_bytes(limits.max_message_bytes);
  wire.set_max_steps_per_advance(limits.max_steps_per_advance);
  wire.set_max_subscriptions_per_network(limits.max_subscriptions_per_network);
  wire.set_max_pending_samples(limits.max_pending_samples);
  wire.set_max_retained_bytes(limits.max_retained_bytes);
  wire.set_max_snapshots_per_network(limits.max_snapshots_per_network);
  wire.set_max_populations(Saturate(limits.network.max_populations));
  wire.set_max_projections(Saturate(limits.network.max_projections));
  return wire;
}

}  // namespace prospero::server
