#pragma once

#include <compare>
#include <cstdint>

namespace prospero {

/// A place in a network's time. The epoch grows when the network is reset or restored:
/// steps of different epochs cannot be compared, but all of an epoch lie before the next one's.
struct Cursor {
  int64_t epoch = 0;
  int64_t step = 0;  ///< steps completed
  friend auto operator<=>(const Cursor&, const Cursor&) = default;
};

}  // namespace prospero
