#pragma once

#include <immintrin.h>

#include <cstdint>

namespace prospero {

/// While it lives, the calling thread rounds to nearest and takes denormal numbers for zero.
/// Denormals make a step tens of times slower, and a network must give the same bits
/// whatever mode its caller computes in.
class FloatMode {
 public:
  FloatMode() : before_(_mm_getcsr()) { _mm_setcsr(kMode); }
  ~FloatMode() { _mm_setcsr(before_); }
  FloatMode(const FloatMode&) = delete;
  FloatMode& operator=(const FloatMode&) = delete;

 private:
  /// All exceptions masked, flush to zero, denormals are zero, round to nearest.
  static constexpr uint32_t kMode = 0x1F80u | 0x8000u | 0x0040u;
  uint32_t before_;
};

}  // namespace prospero
