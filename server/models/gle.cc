#include "server/models/gle.h"

#include "absl/strings/str_cat.h"
#include "engine/models/gle/gle.h"
#include "server/convert/gle.h"
#include "server/limits.h"

namespace prospero::server {
namespace {

/// Refuses long lists before they are translated.
absl::Status CheckCounts(const v1::GleSpec& spec, const NetworkLimits& limits) {
  if (spec.populations_size() > limits.max_populations) {
    return LimitExceeded("max_populations", limits.max_populations, spec.populations_size(),
                         "populations");
  }
  if (spec.projections_size() > limits.max_projections) {
    return LimitExceeded("max_projections", limits.max_projections, spec.projections_size(),
                         "projections");
  }
  return absl::OkStatus();
}

absl::StatusOr<Footprint> Check(const v1::NetworkSpec& wire, const NetworkOptions& options,
                                const NetworkLimits& limits) {
  if (absl::Status status = CheckCounts(wire.gle(), limits); !status.ok()) return status;
  const absl::StatusOr<GleSpec> spec = FromProto(wire.gle());
  if (!spec.ok()) return spec.status();
  return CheckGle(*spec, options, limits);
}

absl::StatusOr<std::unique_ptr<Network>> Make(const v1::NetworkSpec& wire,
                                              const NetworkOptions& options,
                                              const NetworkLimits& limits) {
  const absl::StatusOr<GleSpec> spec = FromProto(wire.gle());
  if (!spec.ok()) return spec.status();
  return MakeGle(*spec, options, limits);
}

}  // namespace

ModelKind GleKind() {
  return {"gle", "Generalized Latent Equilibrium on any directed graph of populations",
          v1::NetworkSpec::kGle, Check, Make};
}

}  // namespace prospero::server
