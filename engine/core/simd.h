#pragma once

// Vectors of a fixed number of lanes, whatever the machine: results must be the same bits on
// each. Only for .cc files of the engine.

// The target is chosen by -march alone. Highway would ask for AES too, which x86-64-v3 has not
// and no kernel uses.
#define HWY_DISABLE_PCLMUL_AES
#define HWY_COMPILE_ONLY_STATIC
#include "hwy/highway.h"

#if HWY_STATIC_TARGET > HWY_AVX2
#error "the kernels need AVX2 and FMA: compile with -march=x86-64-v3"
#endif

#include <cstddef>
#include <cstdint>

namespace prospero {

namespace hn = hwy::HWY_NAMESPACE;

/// 32 bytes: 8 floats or 4 doubles.
template <class Real>
using Tag = hn::FixedTag<Real, 32 / sizeof(Real)>;
template <class Real>
using Vec = hn::Vec<Tag<Real>>;
/// Values in one Vec.
template <class Real>
inline constexpr int64_t kVec = 32 / sizeof(Real);
/// Values in one column block of a weight matrix: two Vecs, a whole padded row of 64 bytes.
template <class Real>
inline constexpr int64_t kLanes = 2 * kVec<Real>;

template <class Real>
Vec<Real> LoadVec(const Real* p) {
  return hn::Load(Tag<Real>(), p);
}
template <class Real>
void StoreVec(Vec<Real> x, Real* p) {
  hn::Store(x, Tag<Real>(), p);
}
template <class Real>
Vec<Real> SetVec(Real x) {
  return hn::Set(Tag<Real>(), x);
}

/// The upper half of the lanes added to the lower: the first level of every sum of lanes.
template <class Real>
auto FoldLanes(Vec<Real> low, Vec<Real> high) {
  const Vec<Real> x = hn::Add(low, high);
  const hn::Half<Tag<Real>> half;
  return hn::Add(hn::LowerHalf(half, x), hn::UpperHalf(half, x));
}

/// sums[k] += all lanes of low[k] and high[k], for four rows, by a tree that never changes:
/// ((x0 + x2) + (x1 + x3)), or x0 + x1, of the four, or two, folded lanes of float, or double.
inline void AddSumsOfLanes(const Vec<float> (&low)[4], const Vec<float> (&high)[4], float* sums) {
  const hn::Half<Tag<float>> half;
  const auto a = FoldLanes<float>(low[0], high[0]);
  const auto b = FoldLanes<float>(low[1], high[1]);
  const auto c = FoldLanes<float>(low[2], high[2]);
  const auto d = FoldLanes<float>(low[3], high[3]);
  const auto ab = hn::Add(hn::InterleaveLower(half, a, b), hn::InterleaveUpper(half, a, b));
  const auto cd = hn::Add(hn::InterleaveLower(half, c, d), hn::InterleaveUpper(half, c, d));
  const auto sum = hn::Add(hn::ConcatLowerLower(half, cd, ab), hn::ConcatUpperUpper(half, cd, ab));
  hn::Store(hn::Add(hn::Load(half, sums), sum), half, sums);
}
inline void AddSumsOfLanes(const Vec<double> (&low)[4], const Vec<double> (&high)[4],
                           double* sums) {
  const hn::Half<Tag<double>> half;
  for (int k = 0; k < 4; k += 2) {
    const auto a = FoldLanes<double>(low[k], high[k]);
    const auto b = FoldLanes<double>(low[k + 1], high[k + 1]);
    const auto sum = hn::Add(hn::InterleaveLower(half, a, b), hn::InterleaveUpper(half, a, b));
    hn::Store(hn::Add(hn::Load(half, sums + k), sum), half, sums + k);
  }
}

}  // namespace prospero
