// Vectors of a fixed number of lanes, whatever the machine: results must be the same bits on
// each. Only for .cc files of the engine. Kernels that pay for it are compiled for AVX2 and for
// AVX-512, as Highway's foreach_target.h does it, so everything here stands once for each target.

#if defined(PROSPERO_ENGINE_CORE_SIMD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef PROSPERO_ENGINE_CORE_SIMD_INL_H
#undef PROSPERO_ENGINE_CORE_SIMD_INL_H
#else
#define PROSPERO_ENGINE_CORE_SIMD_INL_H
#endif

#include <cstddef>
#include <cstdint>

// The baseline is chosen by -march alone. Highway would ask for AES too, which x86-64-v3 has not
// and no kernel uses.
#define HWY_DISABLE_PCLMUL_AES
#include "engine/core/arena.h"
#include "hwy/highway.h"

#if HWY_STATIC_TARGET > HWY_AVX2
#error "the kernels need AVX2 and FMA: compile with -march=x86-64-v3"
#endif

HWY_BEFORE_NAMESPACE();
namespace prospero {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// The widest vector of the target: 64 bytes or 32.
template <class Real>
using Tag = hn::CappedTag<Real, kRowBytes / sizeof(Real)>;
template <class Real>
using Vec = hn::Vec<Tag<Real>>;
/// Values in one Vec.
template <class Real>
inline constexpr int64_t kVec = hn::MaxLanes(Tag<Real>());
/// Values in one column block of a weight matrix: a whole padded row of 64 bytes.
template <class Real>
inline constexpr int64_t kLanes = kRowBytes / static_cast<int64_t>(sizeof(Real));
/// Vecs in one column block.
template <class Real>
inline constexpr int64_t kParts = kLanes<Real> / kVec<Real>;

/// A vector is a whole column block, and there are 32 registers for them in place of 16.
template <class Real>
inline constexpr bool kHasWideVectors = kParts<Real> == 1;

template <class Real>
HWY_INLINE Vec<Real> LoadVec(const Real* p) {
  return hn::Load(Tag<Real>(), p);
}
template <class Real>
HWY_INLINE void StoreVec(Vec<Real> x, Real* p) {
  hn::Store(x, Tag<Real>(), p);
}
template <class Real>
HWY_INLINE Vec<Real> SetVec(Real x) {
  return hn::Set(Tag<Real>(), x);
}
template <class Real>
HWY_INLINE Vec<Real> ZeroVec() {
  return hn::Zero(Tag<Real>());
}

/// x, which was just read from memory and has several uses. Without this the compiler would read
/// it anew for each of them, and the load ports are what some kernels wait for.
template <class V>
HWY_INLINE V InRegister(V x) {
  asm("" : "+v"(x.raw));
  return x;
}

#if HWY_TARGET > HWY_AVX3

/// All lanes of each of four rows, as AddSumsOfLanes says: two vectors for a row.
template <class V>
HWY_INLINE auto SumsOfLanes(const V (*rows)[2]) {
  using Real = hn::TFromV<V>;
  const hn::Half<Tag<Real>> tag;
  const auto fold = [tag](const V(&x)[2]) HWY_ATTR {
    const V sum = hn::Add(x[0], x[1]);
    return hn::Add(hn::LowerHalf(tag, sum), hn::UpperHalf(tag, sum));
  };
  const auto a = fold(rows[0]), b = fold(rows[1]), c = fold(rows[2]), d = fold(rows[3]);
  const auto ab = hn::Add(hn::InterleaveLower(tag, a, b), hn::InterleaveUpper(tag, a, b));
  const auto cd = hn::Add(hn::InterleaveLower(tag, c, d), hn::InterleaveUpper(tag, c, d));
  if constexpr (sizeof(Real) == 4) {
    return hn::Add(hn::ConcatLowerLower(tag, cd, ab), hn::ConcatUpperUpper(tag, cd, ab));
  } else {
    return hn::Combine(Tag<Real>(), cd, ab);
  }
}

#else

/// All lanes of each of four rows, as AddSumsOfLanes says: one vector for a row. The blocks of 16
/// bytes of a, c, b and d stand in one vector for the last levels: so fewer lanes have to move.
template <class V>
HWY_INLINE auto SumsOfLanes(const V (*rows)[1]) {
  using Real = hn::TFromV<V>;
  const Tag<Real> tag;
  const auto fold = [tag](V x, V y) HWY_ATTR {
    const V half = hn::Add(hn::ConcatLowerLower(tag, y, x), hn::ConcatUpperUpper(tag, y, x));
    return hn::Add(half, hn::SwapAdjacentBlocks(half));
  };
  const V ab = fold(rows[0][0], rows[1][0]), cd = fold(rows[2][0], rows[3][0]);
  V x = hn::OddEvenBlocks(cd, ab);
  if constexpr (sizeof(Real) == 4) {
    x = hn::Add(x, hn::Shuffle1032(x));
    x = hn::Add(x, hn::Shuffle2301(x));
  } else {
    x = hn::Add(x, hn::Shuffle01(x));
  }
  constexpr int kBlock = 16 / sizeof(Real);
  alignas(kRowBytes) static constexpr hwy::MakeSigned<Real> kFirst[kLanes<Real>] = {
      0, 2 * kBlock, kBlock, 3 * kBlock};
  const auto sums = hn::LowerHalf(hn::TableLookupLanes(x, hn::SetTableIndices(tag, kFirst)));
  if constexpr (sizeof(Real) == 8) {
    return sums;
  } else {
    return hn::LowerHalf(sums);
  }
}

#endif  // AVX-512

/// sums[k] += all lanes of rows[k], for four rows, by a tree that never changes: the upper half of
/// the lanes is added to the lower, again and again.
template <class Real>
HWY_INLINE void AddSumsOfLanes(const Vec<Real> (*rows)[kParts<Real>], Real* sums) {
  const hn::FixedTag<Real, 4> tag;
  hn::Store(hn::Add(hn::Load(tag, sums), SumsOfLanes(rows)), tag, sums);
}

}  // namespace HWY_NAMESPACE
}  // namespace prospero
HWY_AFTER_NAMESPACE();

#endif  // per target
