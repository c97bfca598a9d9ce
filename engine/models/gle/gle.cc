#include "engine/models/gle/gle.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "engine/models/gle/check.h"
#include "engine/models/gle/network.h"

namespace prospero {
namespace {

template <class Real>
absl::StatusOr<std::unique_ptr<Network>> Make(const GleSpec& spec, const NetworkOptions& options,
                                              const Footprint& footprint) {
  auto network = std::make_unique<GleNetwork<Real>>(spec, options);
  if (network->Allocate()) return std::unique_ptr<Network>(std::move(network));
  return Error(absl::StatusCode::kResourceExhausted, "OUT_OF_MEMORY",
               absl::StrCat("no memory for a network of ", footprint.bytes, " bytes"));
}

}  // namespace

std::string NameOf(const GleProjection& projection) {
  if (!projection.name.empty()) return projection.name;
  return absl::StrCat(projection.pre, "_to_", projection.post);
}

absl::StatusOr<Footprint> CheckGle(const GleSpec& spec, const NetworkOptions& options,
                                   const NetworkLimits& limits) {
  Footprint footprint;
  if (auto status = Check(options, limits); !status.ok()) return status;
  if (auto status = CheckSpec(spec, options, limits, footprint); !status.ok()) return status;
  footprint.bytes = options.precision == DataType::kFloat32
                        ? GleParts<float>(spec, options).bytes()
                        : GleParts<double>(spec, options).bytes();
  if (auto status = CheckLimit("max_network_bytes", footprint.bytes, limits.max_bytes);
      !status.ok()) {
    return status;
  }
  return footprint;
}

absl::StatusOr<std::unique_ptr<Network>> MakeGle(const GleSpec& spec, const NetworkOptions& options,
                                                 const NetworkLimits& limits) {
  const absl::StatusOr<Footprint> footprint = CheckGle(spec, options, limits);
  if (!footprint.ok()) return footprint.status();
  return options.precision == DataType::kFloat32 ? Make<float>(spec, options, *footprint)
                                                 : Make<double>(spec, options, *footprint);
}

}  // namespace prospero
