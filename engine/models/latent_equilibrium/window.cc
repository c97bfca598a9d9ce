#include "engine/models/latent_equilibrium/window.h"

#include <algorithm>

#include "engine/core/arena.h"

namespace prospero {
namespace {

/// The value of dimension `d` of two: lists of one value hold for both, and a single spatial
/// dimension is the horizontal one.
int64_t At(const std::vector<int64_t>& values, int d) {
  return values.size() == 1 ? values[0] : values[static_cast<size_t>(d)];
}

/// Calls visit(place, index within the patch, index below) for all that lies in the layer.
template <class Visit>
void ForEachValue(const Window& w, Visit visit) {
  const int64_t rows = w.out(0), columns = w.out(1);
  for (int64_t place = 0; place < rows * columns; ++place) {
    const int64_t top = place / columns * w.stride[0] - w.padding[0];
    const int64_t left = place % columns * w.stride[1] - w.padding[1];
    const int64_t first = std::max<int64_t>(0, -left);
    const int64_t last = std::min(w.kernel[1], w.below[1] - left);
    for (int64_t channel = 0; channel < w.channels; ++channel) {
      for (int64_t y = 0; y < w.kernel[0]; ++y) {
        if (top + y < 0 || top + y >= w.below[0]) continue;
        const int64_t in_patch = (channel * w.kernel[0] + y) * w.kernel[1];
        const int64_t in_layer = (channel * w.below[0] + top + y) * w.below[1] + left;
        for (int64_t x = first; x < last; ++x) visit(place, in_patch + x, in_layer + x);
      }
    }
  }
}

}  // namespace

int64_t Window::out(int d) const {
  const auto k = static_cast<size_t>(d);
  const int64_t padded = SaturatingAdd(below[k], SaturatingMul(2, padding[k]));
  return padded < kernel[k] ? 0 : (padded - kernel[k]) / stride[k] + 1;
}

int64_t Window::places() const { return SaturatingMul(out(0), out(1)); }
int64_t Window::window() const { return SaturatingMul(kernel[0], kernel[1]); }
int64_t Window::patch() const { return SaturatingMul(channels, window()); }

Window WindowOf(const std::vector<int64_t>& below, const std::vector<int64_t>& kernel,
                const std::vector<int64_t>& stride, const std::vector<int64_t>& default_stride,
                const std::vector<int64_t>& padding) {
  Window window;
  window.channels = below[0];
  const int dimensions = static_cast<int>(below.size()) - 1;
  for (int d = 0; d < dimensions; ++d) {
    const auto k = static_cast<size_t>(d + 2 - dimensions);
    window.below[k] = below[static_cast<size_t>(d) + 1];
    window.kernel[k] = At(kernel, d);
    window.stride[k] = At(stride.empty() ? default_stride : stride, d);
    window.padding[k] = padding.empty() ? 0 : At(padding, d);
  }
  return window;
}

template <class Real>
void Unfold(const Window& window, const Real* below, int64_t stride, Real* patches) {
  std::fill_n(patches, window.places() * stride, Real{0});
  ForEachValue(window, [=](int64_t place, int64_t in_patch, int64_t in_layer) {
    patches[place * stride + in_patch] = below[in_layer];
  });
}

template <class Real>
void Fold(const Window& window, const Real* patches, int64_t stride, Real* below) {
  ForEachValue(window, [=](int64_t place, int64_t in_patch, int64_t in_layer) {
    below[in_layer] += patches[place * stride + in_patch];
  });
}

template <class Real>
void FindGreatest(const Window& window, const Real* below, int64_t* winners) {
  const int64_t places = window.places();
  std::fill_n(winners, window.channels * places, -1);
  const int64_t size = window.window();
  ForEachValue(window, [=](int64_t place, int64_t in_patch, int64_t in_layer) {
    int64_t& winner = winners[in_patch / size * places + place];
    if (winner < 0 || below[in_layer] > below[winner]) winner = in_layer;
  });
}

template <class Real>
void TakeMean(const Window& window, const Real* below, Real* means) {
  const int64_t places = window.places();
  std::fill_n(means, window.channels * places, Real{0});
  const int64_t size = window.window();
  ForEachValue(window, [=](int64_t place, int64_t in_patch, int64_t in_layer) {
    means[in_patch / size * places + place] += below[in_layer];
  });
  const Real share = Real{1} / static_cast<Real>(size);
  for (int64_t i = 0; i < window.channels * places; ++i) means[i] *= share;
}

template <class Real>
void SpreadMean(const Window& window, const Real* means, Real* below) {
  const int64_t places = window.places(), size = window.window();
  const Real share = Real{1} / static_cast<Real>(size);
  ForEachValue(window, [=](int64_t place, int64_t in_patch, int64_t in_layer) {
    below[in_layer] += share * means[in_patch / size * places + place];
  });
}

template void Unfold(const Window&, const float*, int64_t, float*);
template void Unfold(const Window&, const double*, int64_t, double*);
template void Fold(const Window&, const float*, int64_t, float*);
template void Fold(const Window&, const double*, int64_t, double*);
template void FindGreatest(const Window&, const float*, int64_t*);
template void FindGreatest(const Window&, const double*, int64_t*);
template void TakeMean(const Window&, const float*, float*);
template void TakeMean(const Window&, const double*, double*);
template void SpreadMean(const Window&, const float*, float*);
template void SpreadMean(const Window&, const double*, double*);

}  // namespace prospero
