#pragma once

#include <cstdint>

namespace prospero {

/// What an output population compares with its target; see Loss in components.proto.
enum class Loss : uint8_t { kMse, kCrossEntropy };

}  // namespace prospero
