#pragma once

#include <cstdint>

namespace prospero {

/// phi of a population; see Activation in proto/prospero/v1/components.proto.
enum class Activation : uint8_t {
  kLinear,
  kRelu,
  kSigmoid,
  kTanh,
  kHardSigmoid,
  kHardTanh,
  kSoftplus,
};

}  // namespace prospero
