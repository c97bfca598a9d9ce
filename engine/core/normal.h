#pragma once

#include <cstdint>

namespace prospero {

/// Fills `count` values, a multiple of 8, with standard Gaussian numbers: Philox 4x32-10, then
/// Box and Muller 1958, whose pairs (ρ cos α, ρ sin α) are within 4 ρ 2⁻⁵² of what exact functions
/// would give; |x| < 8.6. They are a function of (seed, stream, step, row) and their
/// place alone, the same bits on every machine, and those of single precision are those of
/// double precision rounded. `out` is aligned to 64 bytes. Thread-safe.
template <class Real>
void FillNormal(uint64_t seed, uint64_t stream, int64_t step, int64_t row, int64_t count,
                Real* out);

}  // namespace prospero
