#include "server/models/gle.h"

#include "engine/models/gle/gle.h"
#include "server/convert/gle.h"
#include "server/models/recipe.h"

namespace prospero::server {
namespace {

absl::Status CheckCounts(const v1::GleSpec& spec, const NetworkLimits& limits) {
  absl::Status status =
      CheckCount("max_populations", limits.max_populations, spec.populations_size(), "populations");
  if (!status.ok()) return status;
  return CheckCount("max_projections", limits.max_projections, spec.projections_size(),
                    "projections");
}

}  // namespace

ModelKind GleKind() {
  return KindOf<v1::GleSpec, GleSpec>(
      "gle", "Generalized Latent Equilibrium on any directed graph of populations",
      v1::NetworkSpec::kGle, {&v1::NetworkSpec::gle, CheckCounts, FromProto, CheckGle, MakeGle});
}

}  // namespace prospero::server
