#pragma once

#include <string>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "prospero/v1/network.pb.h"
#include "prospero/v1/tensor.pb.h"

namespace prospero::client {

/// An input that must not fall silent.
struct SafeInput {
  absl::Duration timeout;                                     ///< wall time without a frame, > 0
  v1::Safety::Fallback fallback = v1::Safety::FALLBACK_HOLD;  ///< what the network sees then
  absl::optional<v1::Tensor> fail_safe = {};  ///< this instead, with FALLBACK_FAIL_SAFE
};

/// What leaves the network while it is unsafe.
struct SafeOutput {
  v1::Safety::Fallback fallback = v1::Safety::FALLBACK_HOLD;
  absl::optional<v1::Tensor> fail_safe = {};  ///< this instead, with FALLBACK_FAIL_SAFE
};

/// What happens when inputs or the driver of a network fall silent, with the clocks REALTIME and
/// FREE: plasticity freezes, and inputs and commands (`<output population>.command`) take their
/// fallbacks. An empty one watches nothing. Not thread-safe.
class SafetyBuilder {
 public:
  /// `name` is a variable, or a population for its port.
  SafetyBuilder& Input(const std::string& name, const SafeInput& input);
  /// `name` is an output population, or its `.command`.
  SafetyBuilder& Output(const std::string& name, const SafeOutput& output);
  /// Wall time without a driver after which the network is unsafe.
  SafetyBuilder& DriverTimeout(absl::Duration timeout);
  /// Plasticity goes on while the network is unsafe.
  SafetyBuilder& KeepLearning();

  v1::Safety Build() const { return safety_; }

 private:
  v1::Safety safety_;
};

}  // namespace prospero::client
