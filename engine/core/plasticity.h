#pragma once

#include <cstdint>

#include "absl/status/status.h"

namespace prospero {

enum class Optimizer : uint8_t { kSgd, kMomentum, kAdam, kLowPass };

/// How an array of parameters learns: one update in every step, from the descent gradient
/// of that step. See Plasticity in proto/prospero/v1/components.proto.
struct Plasticity {
  Optimizer optimizer = Optimizer::kSgd;
  double learning_rate = 0.0;  ///< per step
  double momentum = 0.0;       ///< kMomentum
  double beta1 = 0.9;          ///< kAdam
  double beta2 = 0.999;        ///< kAdam
  double epsilon = 1e-8;       ///< kAdam
  double mix = 1.0;            ///< kLowPass: dt over the filter's time constant
  double weight_decay = 0.0;   ///< decoupled
  double clip = 0.0;           ///< of each element of the gradient; 0: none
  double bound = 0.0;          ///< of each value; 0: none
  bool enabled = true;
};

/// kInvalidArgument names the field, as in components.proto.
absl::Status Check(const Plasticity& plasticity);

}  // namespace prospero
