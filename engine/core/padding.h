#pragma once

#include <algorithm>
#include <cstdint>

namespace prospero {

/// How a matrix lies in memory. Kernels read and write its padding, too, and leave it as it is
/// as long as all numbers are finite.
struct Layout {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t padded_rows = 0;
  int64_t stride = 0;  ///< distance of rows
};

/// Puts `value` into all padding of x.
template <class Real>
void FillPadding(const Layout& layout, Real value, Real* x) {
  for (int64_t i = 0; i < layout.padded_rows; ++i) {
    const int64_t first = i < layout.rows ? layout.columns : 0;
    std::fill(x + i * layout.stride + first, x + (i + 1) * layout.stride, value);
  }
}

}  // namespace prospero
