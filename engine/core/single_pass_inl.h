#if defined(PROSPERO_ENGINE_CORE_SINGLE_PASS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef PROSPERO_ENGINE_CORE_SINGLE_PASS_INL_H
#undef PROSPERO_ENGINE_CORE_SINGLE_PASS_INL_H
#else
#define PROSPERO_ENGINE_CORE_SINGLE_PASS_INL_H
#endif

#include <algorithm>

#include "engine/core/weight_update_inl.h"
#include "hwy/cache_control.h"

HWY_BEFORE_NAMESPACE();
namespace prospero {
namespace HWY_NAMESPACE {

// A store of a vector may alias anything that is in memory. So that loops need not read
// pointers and constants again after each one, the kernels hold them in local variables.

/// Rows whose weights are read before the first of them is stored: all four where there are
/// registers for it.
template <class Real>
inline constexpr int kHeldRows = kHasWideVectors<Real> ? kRowBlock : 1;
/// Weights are asked for 512 bytes before their turn. The hardware looks ahead as well, but
/// begins anew in each page, and a row has few of them.
template <class Real>
inline constexpr int64_t kAhead = 512 / static_cast<int64_t>(sizeof(Real));

/// One trial: forward, backward and update of the columns [begin, end) in one sweep over four
/// rows at a time. kApart: W learns from other factors than it transmits.
template <class Real, Rule kRule, bool kWatched, bool kForward, bool kBackward, bool kApart>
void SweepColumns(const WeightPass<Real>& pass, int64_t begin, int64_t end,
                  WeightUpdate<Real, kRule, kWatched>& update) {
  const int64_t columns = pass.columns;
  const int64_t rows = pass.rows;
  const Real* const r_pre = pass.r_pre;
  const Real* const e_post = pass.e_post;
  const Real* const learn_pre = pass.learn_pre;
  const Real* const learn_post = pass.learn_post;
  Real* const e_bottom = pass.e_bottom;
  Real* const s = pass.s;
  const Vec<Real> scale = SetVec(update.Scale(pass));
  Real* W = pass.W;
  for (int64_t i = 0; i < rows; i += kRowBlock, W += kRowBlock * columns) {
    Vec<Real> sums[kRowBlock][kParts<Real>], e[kRowBlock], learn[kRowBlock];
    for (int k = 0; k < kRowBlock; ++k) {
      for (Vec<Real>& sum : sums[k]) sum = ZeroVec<Real>();
      if constexpr (kBackward || !kApart) e[k] = SetVec(e_post[i + k]);
      if constexpr (kApart) learn[k] = SetVec(learn_post[i + k]);
    }
    for (int64_t j = begin; j < end; j += kLanes<Real>) {
      for (int k = 0; k < kRowBlock; ++k) hwy::Prefetch(W + k * columns + j + kAhead<Real>);
      for (int p = 0; p < kParts<Real>; ++p) {
        const int64_t at = j + p * kVec<Real>;
        Vec<Real> r = ZeroVec<Real>();
        if constexpr (kForward || !kApart) r = LoadVec(r_pre + at);
        const Vec<Real> scaled_r = hn::Mul(scale, kApart ? LoadVec(learn_pre + at) : r);
        Vec<Real> back = ZeroVec<Real>();
        if constexpr (kBackward) back = LoadVec(e_bottom + at);
        Real* const place = W + at;
        for (int first = 0; first < kRowBlock; first += kHeldRows<Real>) {
          Vec<Real> w[kHeldRows<Real>];
          for (int k = 0; k < kHeldRows<Real>; ++k) {
            w[k] = InRegister(LoadVec(place + (first + k) * columns));
          }
          for (int k = 0; k < kHeldRows<Real>; ++k) {
            Vec<Real>& sum = sums[first + k][p];
            if constexpr (kForward) sum = hn::MulAdd(w[k], r, sum);
            if constexpr (kBackward) back = hn::MulAdd(w[k], e[first + k], back);
          }
          for (int k = 0; k < kHeldRows<Real>; ++k) {
            update(w[k], kApart ? learn[first + k] : e[first + k], scaled_r,
                   place + (first + k) * columns);
          }
        }
        if constexpr (kBackward) StoreVec(back, e_bottom + at);
      }
    }
    if constexpr (kForward) AddSumsOfLanes(sums, s + i);
  }
}

/// One trial: forward, backward and update. r and e_bottom of one block of columns stay in the
/// first cache.
template <class Real, Rule kRule, bool kWatched, bool kForward, bool kBackward, bool kApart>
void SinglePass(const WeightPass<Real>& pass) {
  WeightUpdate<Real, kRule, kWatched> update(pass);
  for (int64_t begin = 0; begin < pass.columns; begin += kBlockColumns<Real>) {
    const int64_t end = std::min(begin + kBlockColumns<Real>, pass.columns);
    SweepColumns<Real, kRule, kWatched, kForward, kBackward, kApart>(pass, begin, end, update);
  }
  update.AddTo(pass.count);
}

}  // namespace HWY_NAMESPACE
}  // namespace prospero
HWY_AFTER_NAMESPACE();

#endif  // per target
