#pragma once

#include <cstdint>

namespace prospero {

/// What an output population compares with its target; see Loss in components.proto.
enum class Loss : uint8_t { kMse, kCrossEntropy };

/// One trial of n neurons: adds β times the error of the rates y to e,
///
///   e ← e + β (t − y)           kMse
///   e ← e + β (t − softmax y)   kCrossEntropy
///
/// and returns the loss, 1/2 Σ (t − y)² or −Σ t log softmax y. The target t is any
/// distribution over the neurons, one-hot for a class. y and e are aligned to 64 bytes.
template <class Real>
double Teach(Loss loss, Real beta, const Real* t, const Real* y, int64_t n, Real* e);

}  // namespace prospero
