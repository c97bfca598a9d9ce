#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/core/network.h"
#include "prospero/v1/network.pb.h"

namespace prospero::server {

/// How networks of one kind are made from their specs. The list of kinds stands in main.cc.
struct ModelKind {
  std::string name;     ///< the field of v1::NetworkSpec.model
  std::string summary;  ///< one line for humans
  v1::NetworkSpec::ModelCase model = v1::NetworkSpec::MODEL_NOT_SET;

  /// Checks everything that `make` checks, and says what the network will need, before memory
  /// is spent. Errors name the field of the model's message.
  std::function<absl::StatusOr<Footprint>(const v1::NetworkSpec&, const NetworkOptions&,
                                          const NetworkLimits&)>
      check;
  std::function<absl::StatusOr<std::unique_ptr<Network>>(
      const v1::NetworkSpec&, const NetworkOptions&, const NetworkLimits&)>
      make;
};

}  // namespace prospero::server
