#pragma once

#include <algorithm>

#include "engine/core/arena.h"
#include "engine/core/update_counter.h"
#include "engine/core/update_inl.h"
#include "engine/core/weight_pass.h"

namespace prospero {

/// Four rows and two Vecs of columns of W, held in registers.
template <class Real>
struct Tile {
  Vec<Real> low[kRowBlock];
  Vec<Real> high[kRowBlock];

  void Clear() {
    for (int k = 0; k < kRowBlock; ++k) low[k] = high[k] = hn::Zero(Tag<Real>());
  }
};

/// The update of W, where its gradient or the factors of it are in registers.
template <class Real, Rule kRule, bool kWatched>
class TileUpdate {
 public:
  explicit TileUpdate(const WeightPass<Real>& pass)
      : pass_(pass), updater_(pass.update), eta_(SetVec(pass.update.eta)) {}
  ~TileUpdate() { counter_.AddTo(pass_.count); }
  TileUpdate(const TileUpdate&) = delete;
  TileUpdate& operator=(const TileUpdate&) = delete;

  /// Moves the weights w that stand at `at`; `descent` is −g there.
  void operator()(Vec<Real> w, Vec<Real> descent, Real* at) {
    if constexpr (kRule == Rule::kPlainSgd) {
      Move(
          w, hn::MulAdd(eta_, descent, w), [&] { return hn::Mul(eta_, descent); }, at);
    } else if constexpr (kRule != Rule::kFixed) {
      const int64_t offset = at - pass_.W;
      const Vec<Real> change =
          updater_(w, hn::Neg(descent), pass_.update.m + offset, pass_.update.v2 + offset);
      Move(
          w, hn::Sub(w, change), [&] { return change; }, at);
    }
  }

  /// The same for descent = e r with η e = `eta_e`, known before for a whole row.
  void Plain(Vec<Real> w, Vec<Real> eta_e, Vec<Real> r, Real* at) {
    Move(
        w, hn::MulAdd(eta_e, r, w), [&] { return hn::Mul(eta_e, r); }, at);
  }

 private:
  template <class Change>
  void Move(Vec<Real> before, Vec<Real> after, Change change, Real* at) {
    if constexpr (kWatched) counter_.See(before, after, change());
    StoreVec(after, at);
  }

  const WeightPass<Real>& pass_;
  const Updater<Real, kRule> updater_;
  const Vec<Real> eta_;
  UpdateCounter<Real, kWatched> counter_;
};

/// One trial: forward, backward and update in one sweep over four rows at a time.
template <class Real, Rule kRule, bool kWatched, bool kBackward>
class SinglePass {
 public:
  explicit SinglePass(const WeightPass<Real>& pass) : pass_(pass), update_(pass) {}

  void Run() {
    for (int64_t i = 0; i < pass_.rows; i += kRowBlock) RowBlock(i);
  }

 private:
  void RowBlock(int64_t i) {
    Real* const W = pass_.W + i * pass_.columns;
    Tile<Real> sum;
    sum.Clear();
    for (int k = 0; k < kRowBlock; ++k) {
      e_[k] = SetVec(pass_.e_post[i + k]);
      eta_e_[k] = SetVec(pass_.update.eta * pass_.e_post[i + k]);
    }
    for (int64_t j = 0; j < pass_.columns; j += kLanes<Real>) {
      Columns(W, j, sum.low);
      Columns(W, j + kVec<Real>, sum.high);
    }
    AddSumsOfLanes(sum.low, sum.high, pass_.s + i);
  }

  HWY_INLINE void Columns(Real* W, int64_t j, Vec<Real> (&sum)[kRowBlock]) {
    const Vec<Real> r = LoadVec(pass_.r_pre + j);
    Vec<Real> back = hn::Zero(Tag<Real>());
    if constexpr (kBackward) back = LoadVec(pass_.e_bottom + j);
    for (int k = 0; k < kRowBlock; ++k) {
      Real* const at = W + k * pass_.columns + j;
      const Vec<Real> w = LoadVec(at);
      sum[k] = hn::MulAdd(w, r, sum[k]);
      if constexpr (kBackward) back = hn::MulAdd(w, e_[k], back);
      if constexpr (kRule == Rule::kPlainSgd) {
        update_.Plain(w, eta_e_[k], r, at);
      } else if constexpr (kRule != Rule::kFixed) {
        update_(w, hn::Mul(e_[k], r), at);
      }
    }
    if constexpr (kBackward) StoreVec(back, pass_.e_bottom + j);
  }

  const WeightPass<Real>& pass_;
  TileUpdate<Real, kRule, kWatched> update_;
  Vec<Real> e_[kRowBlock];
  Vec<Real> eta_e_[kRowBlock];
};

/// Many trials: three register-tiled matrix products over a panel of rows that stays in the
/// cache, so that W still crosses the memory bus once in each direction. The sums run as in
/// the single pass.
template <class Real, Rule kRule, bool kWatched>
class BatchPass {
 public:
  explicit BatchPass(const WeightPass<Real>& pass)
      : pass_(pass),
        update_(pass),
        one_over_batch_(SetVec(Real{1} / static_cast<Real>(pass.batch))) {}

  void Run() {
    const int64_t row_bytes = pass_.columns * static_cast<int64_t>(sizeof(Real));
    const int64_t panel = std::max(kRowBlock, kPanelBytes / row_bytes / kRowBlock * kRowBlock);
    for (int64_t i = 0; i < pass_.rows; i += panel) {
      const int64_t end = std::min(i + panel, pass_.rows);
      Forward(i, end);
      if (pass_.e_bottom != nullptr) Backward(i, end);
      if constexpr (kRule != Rule::kFixed) Learn(i, end);
    }
  }

 private:
  static constexpr int64_t kPanelBytes = 128 * 1024;

  void Forward(int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += 2) {
      int64_t b = 0;
      for (; b + 3 <= pass_.batch; b += 3) ForwardTile<3>(i, b);
      if (b + 2 == pass_.batch) ForwardTile<2>(i, b);
      if (b + 1 == pass_.batch) ForwardTile<1>(i, b);
    }
  }

  /// s of two rows in kTrials trials.
  template <int kTrials>
  void ForwardTile(int64_t i, int64_t b) {
    const Real* const W = pass_.W + i * pass_.columns;
    const Real* const r = pass_.r_pre + b * pass_.columns;
    Vec<Real> low[2][kTrials], high[2][kTrials];
    for (int k = 0; k < 2; ++k) {
      for (int t = 0; t < kTrials; ++t) low[k][t] = high[k][t] = hn::Zero(Tag<Real>());
    }
    for (int64_t j = 0; j < pass_.columns; j += kLanes<Real>) {
      ForwardColumns(W + j, r + j, low);
      ForwardColumns(W + j + kVec<Real>, r + j + kVec<Real>, high);
    }
    for (int k = 0; k < 2; ++k) {
      for (int t = 0; t < kTrials; ++t) {
        pass_.s[(b + t) * pass_.post_stride + i + k] += SumLanes(low[k][t], high[k][t]);
      }
    }
  }

  template <int kTrials>
  HWY_INLINE void ForwardColumns(const Real* W, const Real* r, Vec<Real> (&sum)[2][kTrials]) {
    const Vec<Real> w0 = LoadVec(W);
    const Vec<Real> w1 = LoadVec(W + pass_.columns);
    for (int t = 0; t < kTrials; ++t) {
      const Vec<Real> x = LoadVec(r + t * pass_.columns);
      sum[0][t] = hn::MulAdd(w0, x, sum[0][t]);
      sum[1][t] = hn::MulAdd(w1, x, sum[1][t]);
    }
  }

  void Backward(int64_t begin, int64_t end) {
    int64_t b = 0;
    for (; b + 4 <= pass_.batch; b += 4) BackwardTrials<4>(begin, end, b);
    for (; b < pass_.batch; ++b) BackwardTrials<1>(begin, end, b);
  }

  /// e_bottom of kTrials trials, from the rows of one panel.
  template <int kTrials>
  void BackwardTrials(int64_t begin, int64_t end, int64_t b) {
    const Real* const e = pass_.e_post + b * pass_.post_stride;
    for (int64_t j = 0; j < pass_.columns; j += kLanes<Real>) {
      Real* const out = pass_.e_bottom + b * pass_.columns + j;
      Vec<Real> low[kTrials], high[kTrials];
      for (int t = 0; t < kTrials; ++t) {
        low[t] = LoadVec(out + t * pass_.columns);
        high[t] = LoadVec(out + t * pass_.columns + kVec<Real>);
      }
      const Real* W = pass_.W + begin * pass_.columns + j;
      for (int64_t i = begin; i < end; ++i, W += pass_.columns) {
        const Vec<Real> w_low = LoadVec(W), w_high = LoadVec(W + kVec<Real>);
        for (int t = 0; t < kTrials; ++t) {
          const Vec<Real> x = SetVec(e[t * pass_.post_stride + i]);
          low[t] = hn::MulAdd(w_low, x, low[t]);
          high[t] = hn::MulAdd(w_high, x, high[t]);
        }
      }
      for (int t = 0; t < kTrials; ++t) {
        StoreVec(low[t], out + t * pass_.columns);
        StoreVec(high[t], out + t * pass_.columns + kVec<Real>);
      }
    }
  }

  void Learn(int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += kRowBlock) {
      for (int64_t j = 0; j < pass_.columns; j += kLanes<Real>) LearnTile(i, j);
    }
  }

  /// The update of one tile: its Σ_batch e r stays in registers.
  void LearnTile(int64_t i, int64_t j) {
    Tile<Real> sum;
    sum.Clear();
    const Real* r = pass_.r_pre + j;
    const Real* e = pass_.e_post + i;
    for (int64_t b = 0; b < pass_.batch; ++b, r += pass_.columns, e += pass_.post_stride) {
      const Vec<Real> r_low = LoadVec(r), r_high = LoadVec(r + kVec<Real>);
      for (int k = 0; k < kRowBlock; ++k) {
        const Vec<Real> x = SetVec(e[k]);
        sum.low[k] = hn::MulAdd(x, r_low, sum.low[k]);
        sum.high[k] = hn::MulAdd(x, r_high, sum.high[k]);
      }
    }
    for (int k = 0; k < kRowBlock; ++k) {
      Real* const at = pass_.W + (i + k) * pass_.columns + j;
      update_(LoadVec(at), hn::Mul(one_over_batch_, sum.low[k]), at);
      update_(LoadVec(at + kVec<Real>), hn::Mul(one_over_batch_, sum.high[k]), at + kVec<Real>);
    }
  }

  const WeightPass<Real>& pass_;
  TileUpdate<Real, kRule, kWatched> update_;
  const Vec<Real> one_over_batch_;
};

}  // namespace prospero
