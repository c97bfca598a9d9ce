#include "engine/models/gle/gle.h"

#include "absl/strings/str_cat.h"
#include "engine/models/gle/check.h"
#include "engine/models/gle/network.h"
#include "engine/models/make.h"

namespace prospero {

std::string NameOf(const GleProjection& projection) {
  if (!projection.name.empty()) return projection.name;
  return absl::StrCat(projection.pre, "_to_", projection.post);
}

absl::StatusOr<Footprint> CheckGle(const GleSpec& spec, const NetworkOptions& options,
                                   const NetworkLimits& limits) {
  return CheckModel<GleParts>(spec, options, limits, CheckSpec);
}

absl::StatusOr<std::unique_ptr<Network>> MakeGle(const GleSpec& spec, const NetworkOptions& options,
                                                 const NetworkLimits& limits) {
  return MakeModel<GleNetwork>(spec, options, CheckGle(spec, options, limits));
}

}  // namespace prospero
