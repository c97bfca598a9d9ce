#include "engine/models/microcircuit/microcircuit.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "engine/models/microcircuit/check.h"
#include "engine/models/microcircuit/network.h"

namespace prospero {
namespace {

using microcircuit::MicrocircuitNetwork;
using microcircuit::Parts;

template <class Real>
absl::StatusOr<std::unique_ptr<Network>> Make(const MicrocircuitSpec& spec,
                                              const NetworkOptions& options,
                                              const Footprint& footprint) {
  auto network = std::make_unique<MicrocircuitNetwork<Real>>(spec, options);
  if (network->Allocate()) return std::unique_ptr<Network>(std::move(network));
  return Error(absl::StatusCode::kResourceExhausted, "OUT_OF_MEMORY",
               absl::StrCat("no memory for a network of ", footprint.bytes, " bytes"));
}

}  // namespace

absl::StatusOr<Footprint> CheckMicrocircuit(const MicrocircuitSpec& spec,
                                            const NetworkOptions& options,
                                            const NetworkLimits& limits) {
  Footprint footprint;
  if (auto status = Check(options, limits); !status.ok()) return status;
  if (auto status = microcircuit::CheckSpec(spec, options, limits, footprint); !status.ok()) {
    return status;
  }
  footprint.bytes = options.precision == DataType::kFloat32 ? Parts<float>(spec, options).bytes()
                                                            : Parts<double>(spec, options).bytes();
  if (auto status = CheckLimit("max_network_bytes", footprint.bytes, limits.max_bytes);
      !status.ok()) {
    return status;
  }
  return footprint;
}

absl::StatusOr<std::unique_ptr<Network>> MakeMicrocircuit(const MicrocircuitSpec& spec,
                                                          const NetworkOptions& options,
                                                          const NetworkLimits& limits) {
  const absl::StatusOr<Footprint> footprint = CheckMicrocircuit(spec, options, limits);
  if (!footprint.ok()) return footprint.status();
  return options.precision == DataType::kFloat32 ? Make<float>(spec, options, *footprint)
                                                 : Make<double>(spec, options, *footprint);
}

}  // namespace prospero
