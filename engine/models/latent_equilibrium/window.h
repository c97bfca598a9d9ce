#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace prospero {

/// How a kernel or the window of a pool slides over a layer [channels, height, width]. Of one
/// spatial dimension the height is 1. Pairs are {vertical, horizontal}.
struct Window {
  int64_t channels = 0;  ///< of the layer below
  std::array<int64_t, 2> below = {1, 1};
  std::array<int64_t, 2> kernel = {1, 1};
  std::array<int64_t, 2> stride = {1, 1};
  std::array<int64_t, 2> padding = {0, 0};

  /// Number of places along a dimension; < 1 when the kernel does not fit.
  int64_t out(int d) const;
  /// All places of the kernel, and all values below it at one place of one channel, or of all.
  int64_t places() const;
  int64_t window() const;
  int64_t patch() const;
};

/// `below` is [channels, length] or [channels, height, width]. Lists have one value for all
/// dimensions or one for each; an empty stride is `default_stride`, an empty padding 0.
Window WindowOf(const std::vector<int64_t>& below, const std::vector<int64_t>& kernel,
                const std::vector<int64_t>& stride, const std::vector<int64_t>& default_stride,
                const std::vector<int64_t>& padding);

/// What one trial of a layer shows at each place of the kernel: patches [places × patch], rows
/// `stride` apart, in the order channel, row, column; 0 in the padding of the layer.
template <class Real>
void Unfold(const Window& window, const Real* below, int64_t stride, Real* patches);

/// The transpose: adds each value of the patches to where Unfold took it from.
template <class Real>
void Fold(const Window& window, const Real* patches, int64_t stride, Real* below);

/// The first greatest value of each window of one trial: its index below, [channels × places].
template <class Real>
void FindGreatest(const Window& window, const Real* below, int64_t* winners);

/// The mean of each window of one trial, [channels × places].
template <class Real>
void TakeMean(const Window& window, const Real* below, Real* means);

/// The transpose: adds its share of each value to all of the window.
template <class Real>
void SpreadMean(const Window& window, const Real* means, Real* below);

}  // namespace prospero
