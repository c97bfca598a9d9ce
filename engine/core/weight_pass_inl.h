#pragma once

#include <algorithm>

#include "engine/core/arena.h"
#include "engine/core/update_counter.h"
#include "engine/core/update_inl.h"
#include "engine/core/weight_pass.h"

namespace prospero {

// A store of a vector may alias anything that is in memory. So that loops need not read
// pointers and constants again after each one, the kernels below hold them in local variables.

/// The update of the weights of W by one rule.
template <class Real, Rule kRule, bool kWatched>
class TileUpdate {
 public:
  explicit TileUpdate(const WeightPass<Real>& pass) : updater_(pass.update), W_(pass.W) {}

  /// What the last factor of a gradient is multiplied with beforehand.
  static Real Scale(const WeightPass<Real>& pass) {
    const int64_t count = pass.mean_over > 0 ? pass.mean_over : pass.batch;
    const Real mean = Real{1} / static_cast<Real>(count);
    return kRule == Rule::kPlainSgd ? pass.update.eta * mean : -mean;
  }

  /// Moves the weights w that stand at `at`, where Scale Σ e r = a b.
  HWY_INLINE void operator()(Vec<Real> w, Vec<Real> a, Vec<Real> b, Real* at) {
    if constexpr (kRule == Rule::kPlainSgd) {
      const Vec<Real> after = hn::MulAdd(a, b, w);
      if constexpr (kWatched) counter_.See(w, after, hn::Mul(a, b));
      StoreVec(after, at);
    } else if constexpr (kRule != Rule::kFixed) {
      const Vec<Real> change = updater_(w, hn::Mul(a, b), at - W_);
      const Vec<Real> after = updater_.Bounded(hn::Sub(w, change));
      if constexpr (kWatched) counter_.See(w, after, change);
      StoreVec(after, at);
    }
  }

  void AddTo(UpdateCount* count) const { counter_.AddTo(count); }

 private:
  const Updater<Real, kRule> updater_;
  Real* const W_;
  UpdateCounter<Real, kWatched> counter_;
};

/// One trial: forward, backward and update in one sweep over four rows at a time. kApart: W
/// learns from other factors than it transmits.
template <class Real, Rule kRule, bool kWatched, bool kForward, bool kBackward, bool kApart>
void SinglePass(const WeightPass<Real>& pass) {
  TileUpdate<Real, kRule, kWatched> update(pass);
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
    Vec<Real> low[kRowBlock], high[kRowBlock], e[kRowBlock], learn[kRowBlock];
    for (int k = 0; k < kRowBlock; ++k) {
      low[k] = high[k] = hn::Zero(Tag<Real>());
      if constexpr (kBackward || !kApart) e[k] = SetVec(e_post[i + k]);
      if constexpr (kApart) learn[k] = SetVec(learn_post[i + k]);
    }
    // One Vec of columns of four rows.
    const auto sweep = [&](int64_t j, Vec<Real>(&sum)[kRowBlock]) HWY_ATTR {
      Vec<Real> r = hn::Zero(Tag<Real>());
      if constexpr (kForward || !kApart) r = LoadVec(r_pre + j);
      const Vec<Real> scaled_r = hn::Mul(scale, kApart ? LoadVec(learn_pre + j) : r);
      Vec<Real> back = hn::Zero(Tag<Real>());
      if constexpr (kBackward) back = LoadVec(e_bottom + j);
      for (int k = 0; k < kRowBlock; ++k) {
        Real* const at = W + k * columns + j;
        const Vec<Real> w = LoadVec(at);
        if constexpr (kForward) sum[k] = hn::MulAdd(w, r, sum[k]);
        if constexpr (kBackward) back = hn::MulAdd(w, e[k], back);
        update(w, kApart ? learn[k] : e[k], scaled_r, at);
      }
      if constexpr (kBackward) StoreVec(back, e_bottom + j);
    };
    for (int64_t j = 0; j < columns; j += kLanes<Real>) {
      sweep(j, low);
      sweep(j + kVec<Real>, high);
    }
    if constexpr (kForward) AddSumsOfLanes(low, high, s + i);
  }
  update.AddTo(pass.count);
}

/// s of four rows, from i on, in kTrials trials, from b on. The registers hold the sums of one
/// half of the lanes at a time.
template <class Real, int kTrials>
void ForwardTile(const WeightPass<Real>& pass, int64_t i, int64_t b) {
  const int64_t columns = pass.columns;
  const Real* const W = pass.W + i * columns;
  const Real* const r = pass.r_pre + b * columns;
  Vec<Real> halves[2][kTrials][kRowBlock];
  for (int half = 0; half < 2; ++half) {
    Vec<Real> sum[kTrials][kRowBlock];
    for (int t = 0; t < kTrials; ++t) {
      for (int k = 0; k < kRowBlock; ++k) sum[t][k] = hn::Zero(Tag<Real>());
    }
    for (int64_t j = half * kVec<Real>; j < columns; j += kLanes<Real>) {
      const Vec<Real> w0 = LoadVec(W + j), w1 = LoadVec(W + columns + j),
                      w2 = LoadVec(W + 2 * columns + j), w3 = LoadVec(W + 3 * columns + j);
      for (int t = 0; t < kTrials; ++t) {
        const Vec<Real> x = LoadVec(r + t * columns + j);
        sum[t][0] = hn::MulAdd(w0, x, sum[t][0]);
        sum[t][1] = hn::MulAdd(w1, x, sum[t][1]);
        sum[t][2] = hn::MulAdd(w2, x, sum[t][2]);
        sum[t][3] = hn::MulAdd(w3, x, sum[t][3]);
      }
    }
    for (int t = 0; t < kTrials; ++t) {
      for (int k = 0; k < kRowBlock; ++k) halves[half][t][k] = sum[t][k];
    }
  }
  for (int t = 0; t < kTrials; ++t) {
    AddSumsOfLanes(halves[0][t], halves[1][t], pass.s + (b + t) * pass.post_stride + i);
  }
}

template <class Real>
void Forward(const WeightPass<Real>& pass, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i += kRowBlock) {
    int64_t b = 0;
    for (; b + 3 <= pass.batch; b += 3) ForwardTile<Real, 3>(pass, i, b);
    if (b + 2 == pass.batch) ForwardTile<Real, 2>(pass, i, b);
    if (b + 1 == pass.batch) ForwardTile<Real, 1>(pass, i, b);
  }
}

/// e_bottom of kTrials trials, from b on, gets its part from the rows [begin, end).
template <class Real, int kTrials>
void BackwardTrials(const WeightPass<Real>& pass, int64_t begin, int64_t end, int64_t b) {
  const int64_t columns = pass.columns;
  const int64_t post_stride = pass.post_stride;
  const Real* const e = pass.e_post + b * post_stride;
  for (int64_t j = 0; j < columns; j += kLanes<Real>) {
    Real* const out = pass.e_bottom + b * columns + j;
    Vec<Real> low[kTrials], high[kTrials];
    for (int t = 0; t < kTrials; ++t) {
      low[t] = LoadVec(out + t * columns);
      high[t] = LoadVec(out + t * columns + kVec<Real>);
    }
    const Real* W = pass.W + begin * columns + j;
    for (int64_t i = begin; i < end; ++i, W += columns) {
      const Vec<Real> w_low = LoadVec(W), w_high = LoadVec(W + kVec<Real>);
      for (int t = 0; t < kTrials; ++t) {
        const Vec<Real> x = SetVec(e[t * post_stride + i]);
        low[t] = hn::MulAdd(w_low, x, low[t]);
        high[t] = hn::MulAdd(w_high, x, high[t]);
      }
    }
    for (int t = 0; t < kTrials; ++t) {
      StoreVec(low[t], out + t * columns);
      StoreVec(high[t], out + t * columns + kVec<Real>);
    }
  }
}

template <class Real>
void Backward(const WeightPass<Real>& pass, int64_t begin, int64_t end) {
  int64_t b = 0;
  for (; b + 4 <= pass.batch; b += 4) BackwardTrials<Real, 4>(pass, begin, end, b);
  for (; b < pass.batch; ++b) BackwardTrials<Real, 1>(pass, begin, end, b);
}

/// The update of four rows and two Vecs of columns: their sum over the batch stays in registers.
template <class Real, Rule kRule, bool kWatched>
void LearnTile(const WeightPass<Real>& pass, int64_t i, int64_t j,
               TileUpdate<Real, kRule, kWatched>& update) {
  const int64_t columns = pass.columns, post_stride = pass.post_stride, batch = pass.batch;
  const Real* r = pass.learn_pre + j;
  const Real* e = pass.learn_post + i;
  Vec<Real> low[kRowBlock], high[kRowBlock];
  for (int k = 0; k < kRowBlock; ++k) low[k] = high[k] = hn::Zero(Tag<Real>());
  for (int64_t b = 0; b < batch; ++b, r += columns, e += post_stride) {
    const Vec<Real> r_low = LoadVec(r), r_high = LoadVec(r + kVec<Real>);
    for (int k = 0; k < kRowBlock; ++k) {
      const Vec<Real> x = SetVec(e[k]);
      low[k] = hn::MulAdd(x, r_low, low[k]);
      high[k] = hn::MulAdd(x, r_high, high[k]);
    }
  }
  const Vec<Real> scale = SetVec(update.Scale(pass));
  for (int k = 0; k < kRowBlock; ++k) {
    Real* const at = pass.W + (i + k) * columns + j;
    update(LoadVec(at), low[k], scale, at);
    update(LoadVec(at + kVec<Real>), high[k], scale, at + kVec<Real>);
  }
}

/// Many trials: three register-tiled matrix products over a panel of rows that stays in the
/// cache, so that W still crosses the memory bus once in each direction. The sums run in the
/// order of the single pass.
template <class Real, Rule kRule, bool kWatched>
void BatchPass(const WeightPass<Real>& pass) {
  constexpr int64_t kPanelBytes = int64_t{128} * 1024;
  const int64_t row_bytes = pass.columns * static_cast<int64_t>(sizeof(Real));
  const int64_t panel = std::max(kRowBlock, kPanelBytes / row_bytes / kRowBlock * kRowBlock);
  TileUpdate<Real, kRule, kWatched> update(pass);
  for (int64_t begin = 0; begin < pass.rows; begin += panel) {
    const int64_t end = std::min(begin + panel, pass.rows);
    if (pass.s != nullptr) Forward(pass, begin, end);
    if (pass.e_bottom != nullptr) Backward(pass, begin, end);
    if constexpr (kRule == Rule::kFixed) continue;
    for (int64_t i = begin; i < end; i += kRowBlock) {
      for (int64_t j = 0; j < pass.columns; j += kLanes<Real>) LearnTile(pass, i, j, update);
    }
  }
  update.AddTo(pass.count);
}

}  // namespace prospero
