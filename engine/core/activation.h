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
/// the padding. Rows are aligned to 64 bytes.
///
/// r is within 3 units in the last place of φ(z), tanh within 4 (double) or 5 (single precision);
/// what is smaller than the smallest normal number may be 0. r′ is within 1 ε of φ′(z), of tanh
/// within 2 ε (double) or 5 ε (single precision), where ε is the distance from 1 to the next
/// number: those of sigmoid and tanh are made of r, as r (1 − r) and 1 − r². ±∞ gives the limits,
/// and where z is not a number r is none. All is a function of z alone, not of its place, the same
/// bits on every machine.
template <class Real>
void Activate(Activation phi, const Real* z, int64_t n, int64_t padded, Real* r, Real* r_prime);

/// The greatest slope of φ.
double MaxSlope(Activation phi);

}  // namespace prospero
