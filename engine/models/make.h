#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "engine/core/network.h"

namespace prospero {

// The steps in which each model checks and makes its networks. `Parts` and `Net` are templates
// over the network's numbers, float or double.

/// What a network of `spec` would need, without allocating for it. `check_spec` checks its fields
/// and counts its neurons and weights into the footprint. Errors as CheckGle.
template <template <class> class Parts, class Spec, class CheckFields>
absl::StatusOr<Footprint> CheckModel(const Spec& spec, const NetworkOptions& options,
                                     const NetworkLimits& limits, CheckFields check_spec) {
  Footprint footprint;
  if (auto status = Check(options, limits); !status.ok()) return status;
  if (auto status = check_spec(spec, options, limits, footprint); !status.ok()) return status;
  footprint.bytes = options.precision == DataType::kFloat32 ? Parts<float>(spec, options).bytes()
                                                            : Parts<double>(spec, options).bytes();
  if (auto status = CheckLimit("max_network_bytes", footprint.bytes, limits.max_bytes);
      !status.ok()) {
    return status;
  }
  return footprint;
}

/// The network, of a `spec` whose check gave `footprint`. The error of the check;
/// kResourceExhausted, reason OUT_OF_MEMORY, when there is no memory.
template <template <class> class Net, class Spec>
absl::StatusOr<std::unique_ptr<Network>> MakeModel(const Spec& spec, const NetworkOptions& options,
                                                   const absl::StatusOr<Footprint>& footprint) {
  if (!footprint.ok()) return footprint.status();
  const auto allocated = [&](auto network) -> absl::StatusOr<std::unique_ptr<Network>> {
    if (network->Allocate()) return std::unique_ptr<Network>(std::move(network));
    return Error(absl::StatusCode::kResourceExhausted, "OUT_OF_MEMORY",
                 absl::StrCat("no memory for a network of ", footprint->bytes, " bytes"));
  };
  return options.precision == DataType::kFloat32
             ? allocated(std::make_unique<Net<float>>(spec, options))
             : allocated(std::make_unique<Net<double>>(spec, options));
}

}  // namespace prospero
