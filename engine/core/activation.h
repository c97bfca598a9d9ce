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
  kHardLogistic,
};

/// r = φ(z), r′ = φ′(z) for `n` neurons of one row that is `padded` long; r and r′ are 0 in
/// the padding. Rows are aligned to 64 bytes. Within 4 units in the last place, and the same
/// bits on every machine.
template <class Real>
void Activate(Activation phi, const Real* z, int64_t n, int64_t padded, Real* r, Real* r_prime);

/// The greatest slope of φ.
double MaxSlope(Activation phi);

}  // namespace prospero
