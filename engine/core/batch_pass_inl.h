#if defined(PROSPERO_ENGINE_CORE_BATCH_PASS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef PROSPERO_ENGINE_CORE_BATCH_PASS_INL_H
#undef PROSPERO_ENGINE_CORE_BATCH_PASS_INL_H
#else
#define PROSPERO_ENGINE_CORE_BATCH_PASS_INL_H
#endif

#include <algorithm>

#include "engine/core/weight_update_inl.h"

HWY_BEFORE_NAMESPACE();
namespace prospero {
namespace HWY_NAMESPACE {

// Many trials: three matrix products, each in tiles whose sums stay in registers. A tile is as
// large as they allow, 32 of them with AVX-512 and 16 with AVX2; no sum depends on its size.

/// How many of `left` go into the next tile: three, or what avoids that one is left alone, as a
/// tile of one reads twice as much for each product.
inline int64_t NextOf(int64_t left) { return left == 4 ? 2 : std::min<int64_t>(left, 3); }

/// s of kRows rows, from i on, in kTrials trials, from b on, gets its part from the columns
/// [begin, end).
template <class Real, int kRows, int kTrials>
void ForwardTile(const WeightPass<Real>& pass, int64_t i, int64_t b, int64_t begin, int64_t end) {
  const int64_t columns = pass.columns;
  const Real* const W = pass.W + i * columns;
  const Real* const r = pass.r_pre + b * columns;
  Vec<Real> sums[kTrials][kRows][kParts<Real>];
  for (int p = 0; p < kParts<Real>; ++p) {
    Vec<Real> sum[kTrials][kRows];
    for (int t = 0; t < kTrials; ++t) {
      for (int k = 0; k < kRows; ++k) sum[t][k] = ZeroVec<Real>();
    }
    for (int64_t j = begin + p * kVec<Real>; j < end; j += kLanes<Real>) {
      Vec<Real> x[kTrials];
      for (int t = 0; t < kTrials; ++t) x[t] = InRegister(LoadVec(r + t * columns + j));
      for (int k = 0; k < kRows; ++k) {
        const Vec<Real> w = InRegister(LoadVec(W + k * columns + j));
        for (int t = 0; t < kTrials; ++t) sum[t][k] = hn::MulAdd(w, x[t], sum[t][k]);
      }
    }
    for (int t = 0; t < kTrials; ++t) {
      for (int k = 0; k < kRows; ++k) sums[t][k][p] = sum[t][k];
    }
  }
  for (int t = 0; t < kTrials; ++t) {
    Real* const s = pass.s + (b + t) * pass.post_stride + i;
    for (int k = 0; k < kRows; k += kRowBlock) AddSumsOfLanes(sums[t] + k, s + k);
  }
}

template <class Real, int kRows>
void ForwardRows(const WeightPass<Real>& pass, int64_t i) {
  const int64_t columns = pass.columns, batch = pass.batch;
  for (int64_t begin = 0; begin < columns; begin += kBlockColumns<Real>) {
    const int64_t end = std::min(begin + kBlockColumns<Real>, columns);
    for (int64_t b = 0; b < batch;) {
      const int64_t trials = NextOf(batch - b);
      if (trials == 3) ForwardTile<Real, kRows, 3>(pass, i, b, begin, end);
      if (trials == 2) ForwardTile<Real, kRows, 2>(pass, i, b, begin, end);
      if (trials == 1) ForwardTile<Real, kRows, 1>(pass, i, b, begin, end);
      b += trials;
    }
  }
}

/// s of the rows [begin, end).
template <class Real>
void Forward(const WeightPass<Real>& pass, int64_t begin, int64_t end) {
  int64_t i = begin;
  if constexpr (kHasWideVectors<Real>) {
    for (; i + 8 <= end; i += 8) ForwardRows<Real, 8>(pass, i);
  }
  for (; i < end; i += 4) ForwardRows<Real, 4>(pass, i);
}

/// kWide Vecs of columns, from j on, of e_bottom of kTrials trials, from b on, get their part
/// from all rows. `anew`: the part is summed by itself and then added.
template <class Real, int kTrials, int kWide>
void BackwardTile(const WeightPass<Real>& pass, int64_t b, int64_t j, bool anew) {
  const int64_t columns = pass.columns, rows = pass.rows, post_stride = pass.post_stride;
  const Real* const e = pass.e_post + b * post_stride;
  Real* const out = pass.e_bottom + b * columns + j;
  Vec<Real> sum[kTrials][kWide];
  for (int t = 0; t < kTrials; ++t) {
    for (int v = 0; v < kWide; ++v) {
      sum[t][v] = anew ? ZeroVec<Real>() : LoadVec(out + t * columns + v * kVec<Real>);
    }
  }
  const Real* W = pass.W + j;
  for (int64_t i = 0; i < rows; ++i, W += columns) {
    Vec<Real> w[kWide];
    for (int v = 0; v < kWide; ++v) w[v] = InRegister(LoadVec(W + v * kVec<Real>));
    for (int t = 0; t < kTrials; ++t) {
      const Vec<Real> x = InRegister(SetVec(e[t * post_stride + i]));
      for (int v = 0; v < kWide; ++v) sum[t][v] = hn::MulAdd(w[v], x, sum[t][v]);
    }
  }
  for (int t = 0; t < kTrials; ++t) {
    for (int v = 0; v < kWide; ++v) {
      Real* const at = out + t * columns + v * kVec<Real>;
      StoreVec(anew ? hn::Add(LoadVec(at), sum[t][v]) : sum[t][v], at);
    }
  }
}

template <class Real, int kTrials, int kWide>
void BackwardTrials(const WeightPass<Real>& pass, int64_t b, int64_t j, bool anew) {
  for (; b + kTrials <= pass.batch; b += kTrials) {
    BackwardTile<Real, kTrials, kWide>(pass, b, j, anew);
  }
  if constexpr (kTrials > 1) {
    if (b < pass.batch) BackwardTrials<Real, kTrials / 2, kWide>(pass, b, j, anew);
  }
}

/// e_bottom of the columns [begin, end).
template <class Real>
void Backward(const WeightPass<Real>& pass, int64_t begin, int64_t end, bool anew) {
  constexpr int kTrials = kHasWideVectors<Real> ? 8 : 4;
  for (int64_t j = begin; j < end;) {
    const int64_t left = (end - j) / kVec<Real>;
    const int64_t wide = kHasWideVectors<Real> ? NextOf(left) : std::min<int64_t>(left, 2);
    if constexpr (kHasWideVectors<Real>) {
      if (wide == 3) BackwardTrials<Real, kTrials, 3>(pass, 0, j, anew);
    }
    if (wide == 2) BackwardTrials<Real, kTrials, 2>(pass, 0, j, anew);
    if (wide == 1) BackwardTrials<Real, kTrials, 1>(pass, 0, j, anew);
    j += wide * kVec<Real>;
  }
}

/// g = Σ_batch learn_post learn_preᵀ of kRows rows, from i on, and kBlocks column blocks, from j
/// on, as [kRows × kBlocks kLanes].
template <class Real, int kRows, int kBlocks>
void SumOuterProducts(const WeightPass<Real>& pass, int64_t i, int64_t j, Real* g) {
  constexpr int kWide = kBlocks * kParts<Real>;
  const int64_t columns = pass.columns, post_stride = pass.post_stride, batch = pass.batch;
  const Real* r = pass.learn_pre + j;
  const Real* e = pass.learn_post + i;
  Vec<Real> sum[kRows][kWide];
  for (int k = 0; k < kRows; ++k) {
    for (int v = 0; v < kWide; ++v) sum[k][v] = ZeroVec<Real>();
  }
  for (int64_t b = 0; b < batch; ++b, r += columns, e += post_stride) {
    Vec<Real> x[kWide];
    for (int v = 0; v < kWide; ++v) x[v] = InRegister(LoadVec(r + v * kVec<Real>));
    for (int k = 0; k < kRows; ++k) {
      const Vec<Real> y = InRegister(SetVec(e[k]));
      for (int v = 0; v < kWide; ++v) sum[k][v] = hn::MulAdd(y, x[v], sum[k][v]);
    }
  }
  for (int k = 0; k < kRows; ++k) {
    for (int v = 0; v < kWide; ++v) StoreVec(sum[k][v], g + (k * kWide + v) * kVec<Real>);
  }
}

/// The update of kRows rows, from i on, and kBlocks column blocks, from j on: one block after the
/// other, as UpdateCounter wants it.
template <class Real, int kRows, int kBlocks, class UpdateOfWeights>
void LearnTile(const WeightPass<Real>& pass, int64_t i, int64_t j, UpdateOfWeights& update) {
  constexpr int kTall = kHasWideVectors<Real> ? kRows : 4;
  constexpr int64_t kWidth = kBlocks * kLanes<Real>;
  alignas(kRowBytes) Real g[kRows * kWidth];
  for (int k = 0; k < kRows; k += kTall) {
    SumOuterProducts<Real, kTall, kBlocks>(pass, i + k, j, g + k * kWidth);
  }
  const Vec<Real> scale = SetVec(update.Scale(pass));
  for (int64_t block = 0; block < kWidth; block += kLanes<Real>) {
    for (int k = 0; k < kRows; ++k) {
      for (int64_t v = block; v < block + kLanes<Real>; v += kVec<Real>) {
        Real* const at = pass.W + (i + k) * pass.columns + j + v;
        update(LoadVec(at), LoadVec(g + k * kWidth + v), scale, at);
      }
    }
  }
}

template <class Real, int kRows, class UpdateOfWeights>
void LearnRows(const WeightPass<Real>& pass, int64_t i, UpdateOfWeights& update) {
  for (int64_t j = 0; j < pass.columns;) {
    const int64_t left = (pass.columns - j) / kLanes<Real>;
    const int64_t blocks = kHasWideVectors<Real> ? NextOf(left) : 1;
    if constexpr (kHasWideVectors<Real>) {
      if (blocks == 3) LearnTile<Real, kRows, 3>(pass, i, j, update);
      if (blocks == 2) LearnTile<Real, kRows, 2>(pass, i, j, update);
    }
    if (blocks == 1) LearnTile<Real, kRows, 1>(pass, i, j, update);
    j += blocks * kLanes<Real>;
  }
}

/// Forward and update of all rows. What is in the cache from the one is used by the other.
template <class Real, Rule kRule, bool kWatched>
void ForwardAndLearn(const WeightPass<Real>& pass) {
  constexpr int64_t kStrip = 2 * kRowBlock;
  WeightUpdate<Real, kRule, kWatched> update(pass);
  for (int64_t begin = 0; begin < pass.rows; begin += kStrip) {
    const int64_t end = std::min(begin + kStrip, pass.rows);
    if (pass.s != nullptr) Forward(pass, begin, end);
    if constexpr (kRule == Rule::kFixed) continue;
    if (end - begin == kStrip) {
      LearnRows<Real, kStrip>(pass, begin, update);
    } else {
      LearnRows<Real, kRowBlock>(pass, begin, update);
    }
  }
  update.AddTo(pass.count);
}

}  // namespace HWY_NAMESPACE
}  // namespace prospero
HWY_AFTER_NAMESPACE();

#endif  // per target
