#include "engine/core/weight_pass.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <tuple>
#include <vector>

#include "absl/functional/function_ref.h"
#include "engine/core/arena.h"
#include "engine/core/random.h"
#include "hwy/targets.h"
#include "tests/support/backward_team.h"

namespace prospero {
namespace {

constexpr Rule kRules[] = {Rule::kFixed,    Rule::kPlainSgd, Rule::kSgd,
                           Rule::kMomentum, Rule::kAdam,     Rule::kLowPass};

/// The arrays of one pass, padded and aligned, and filled with noise.
template <class Real>
class Arrays {
 public:
  Arrays(int64_t post, int64_t pre, int64_t batch, uint64_t seed) : post_(post), pre_(pre) {
    pass.rows = RoundUp(post, kRowBlock);
    pass.columns = PaddedRow<Real>(pre);
    pass.post_stride = PaddedRow<Real>(post);
    pass.batch = batch;
    for (Real** weights : {&pass.W, &pass.update.m, &pass.update.v2}) {
      arena_.Want(weights, pass.rows * pass.columns);
    }
    arena_.Want(&r_pre_, batch * pass.columns);
    arena_.Want(&pass.e_bottom, batch * pass.columns);
    arena_.Want(&e_post_, batch * pass.post_stride);
    arena_.Want(&pass.s, batch * pass.post_stride);
    arena_.Want(&learn_pre_, batch * pass.columns);
    arena_.Want(&learn_post_, batch * pass.post_stride);
    const int64_t tiles = TilingOf(pass.rows, pass.columns).tiles;
    arena_.Want(&pass.tile_sums.e_bottom, tiles * pass.columns);
    arena_.Want(&pass.tile_sums.counts, tiles);
    EXPECT_TRUE(arena_.Allocate());
    pass.r_pre = r_pre_;
    pass.e_post = e_post_;
    const RandomStream noise(seed, "arrays");
    Fill(noise, 1, post, pre, pass.columns, pass.W);
    Fill(noise, 2, batch, pre, pass.columns, r_pre_);
    Fill(noise, 3, batch, post, pass.post_stride, e_post_);
    Fill(noise, 4, batch, post, pass.post_stride, pass.s);
    Fill(noise, 5, batch, pre, pass.columns, pass.e_bottom);
    Fill(noise, 6, post, pre, pass.columns, pass.update.m);
    Fill(noise, 7, post, pre, pass.columns, pass.update.v2);
    Fill(noise, 8, batch, pre, pass.columns, learn_pre_);
    Fill(noise, 9, batch, post, pass.post_stride, learn_post_);
    for (int64_t i = 0; i < pass.rows * pass.columns; ++i) {
      pass.update.v2[i] = std::abs(pass.update.v2[i]);
    }
  }

  Real& W(int64_t i, int64_t j) { return pass.W[i * pass.columns + j]; }
  Real& m(int64_t i, int64_t j) { return pass.update.m[i * pass.columns + j]; }
  Real& v2(int64_t i, int64_t j) { return pass.update.v2[i * pass.columns + j]; }
  Real& r(int64_t b, int64_t j) { return r_pre_[b * pass.columns + j]; }
  Real& e(int64_t b, int64_t i) { return e_post_[b * pass.post_stride + i]; }
  Real& s(int64_t b, int64_t i) { return pass.s[b * pass.post_stride + i]; }
  Real& e_bottom(int64_t b, int64_t j) { return pass.e_bottom[b * pass.columns + j]; }
  /// What the weights learn from.
  double from_pre(int64_t b, int64_t j) const {
    return (pass.learn_pre == nullptr ? r_pre_ : learn_pre_)[b * pass.columns + j];
  }
  double from_post(int64_t b, int64_t i) const {
    return (pass.learn_post == nullptr ? e_post_ : learn_post_)[b * pass.post_stride + i];
  }
  /// The weights learn from other factors than they transmit.
  void LearnApart() {
    pass.learn_pre = learn_pre_;
    pass.learn_post = learn_post_;
  }
  int64_t post() const { return post_; }
  int64_t pre() const { return pre_; }

  /// True when all padding of W is 0.
  bool PaddingIsZero() {
    for (int64_t i = 0; i < pass.rows; ++i) {
      for (int64_t j = 0; j < pass.columns; ++j) {
        if ((i >= post_ || j >= pre_) && W(i, j) != 0) return false;
      }
    }
    return true;
  }

  WeightPass<Real> pass;

 private:
  static void Fill(const RandomStream& noise, int64_t salt, int64_t rows, int64_t columns,
                   int64_t stride, Real* x) {
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        x[i * stride + j] = static_cast<Real>(noise.Uniform((salt << 40) + i * columns + j) - 0.5);
      }
    }
  }

  const int64_t post_, pre_;
  Real* r_pre_ = nullptr;
  Real* e_post_ = nullptr;
  Real* learn_pre_ = nullptr;
  Real* learn_post_ = nullptr;
  Arena arena_;
};

/// What one weight should become, computed as its definition says.
template <class Real>
double Updated(Arrays<Real>& a, int64_t i, int64_t j) {
  const Update<Real>& update = a.pass.update;
  const int64_t mean_over = a.pass.mean_over > 0 ? a.pass.mean_over : a.pass.batch;
  double g = 0;
  for (int64_t b = 0; b < a.pass.batch; ++b) {
    g -= a.from_post(b, i) * a.from_pre(b, j) / static_cast<double>(mean_over);
  }
  const double w = a.W(i, j);
  if (update.rule == Rule::kFixed) return w;
  if (update.rule != Rule::kPlainSgd) {
    g = std::clamp(g, -double{update.clip}, double{update.clip});
  }
  if (update.rule == Rule::kMomentum) g += double{update.momentum} * double{a.m(i, j)};
  if (update.rule == Rule::kAdam) {
    const double beta1 = update.beta1, beta2 = update.beta2;
    const double m = beta1 * double{a.m(i, j)} + (1 - beta1) * g;
    const double v2 = beta2 * double{a.v2(i, j)} + (1 - beta2) * g * g;
    g = m * double{update.m_scale} /
        (std::sqrt(v2) * double{update.v2_scale} + double{update.epsilon});
  }
  if (update.rule == Rule::kLowPass) {
    g = double{a.m(i, j)} + double{update.mix} * (g - double{a.m(i, j)});
  }
  const double moved = w - double{update.eta} * (g + double{update.weight_decay} * w);
  if (update.rule == Rule::kPlainSgd) return moved;
  return std::clamp(moved, -double{update.bound}, double{update.bound});
}

template <class Real>
void Configure(Rule rule, Update<Real>& update) {
  update.rule = rule;
  update.eta = Real(0.1);
  if (rule == Rule::kPlainSgd) return;
  update.weight_decay = Real(0.2);
  update.clip = Real(0.05);
  update.bound = Real(0.4);
  update.mix = Real(0.3);
  update.momentum = Real(0.7);
  update.beta1 = Real(0.9);
  update.beta2 = Real(0.99);
  update.epsilon = Real(0.1);
  update.m_scale = Real(1.5);
  update.v2_scale = Real(2);
}

template <class Real>
void ExpectPass(int64_t post, int64_t pre, int64_t batch, Rule rule, bool backward) {
  Arrays<Real> before(post, pre, batch, 1), a(post, pre, batch, 1);
  Configure(rule, a.pass.update);
  Configure(rule, before.pass.update);
  if (!backward) a.pass.e_bottom = nullptr;
  RunPass(a.pass);
  const double bound = 20 * double{std::numeric_limits<Real>::epsilon()};
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t i = 0; i < post; ++i) {
      double s = before.s(b, i);
      for (int64_t j = 0; j < pre; ++j) s += double{before.W(i, j)} * double{before.r(b, j)};
      ASSERT_NEAR(a.s(b, i), s, bound * std::sqrt(static_cast<double>(pre)));
    }
    for (int64_t j = 0; backward && j < pre; ++j) {
      double e = before.e_bottom(b, j);
      for (int64_t i = 0; i < post; ++i) e += double{before.W(i, j)} * double{before.e(b, i)};
      ASSERT_NEAR(a.e_bottom(b, j), e, bound * std::sqrt(static_cast<double>(post)));
    }
  }
  for (int64_t i = 0; i < post; ++i) {
    for (int64_t j = 0; j < pre; ++j) {
      ASSERT_NEAR(a.W(i, j), Updated(before, i, j), bound) << i << ", " << j;
    }
  }
  EXPECT_TRUE(a.PaddingIsZero());
}

using Case = std::tuple<int64_t, Rule>;
class WeightPassTest : public testing::TestWithParam<Case> {};

TEST_P(WeightPassTest, IsForwardBackwardAndUpdate) {
  const auto [batch, rule] = GetParam();
  for (const int64_t post : {1, 3, 8, 21}) {
    for (const int64_t pre : {1, 15, 16, 50}) {
      for (const bool backward : {true, false}) {
        ASSERT_NO_FATAL_FAILURE(ExpectPass<float>(post, pre, batch, rule, backward));
        ASSERT_NO_FATAL_FAILURE(ExpectPass<double>(post, pre, batch, rule, backward));
      }
    }
  }
}

TEST_P(WeightPassTest, HoldsForMatricesLargerThanACache) {
  const auto [batch, rule] = GetParam();
  ASSERT_NO_FATAL_FAILURE(ExpectPass<float>(230, 400, batch, rule, true));
  ASSERT_NO_FATAL_FAILURE(ExpectPass<double>(230, 400, batch, rule, true));
}

INSTANTIATE_TEST_SUITE_P(Batches, WeightPassTest,
                         testing::Combine(testing::Values(1, 2, 3, 4, 7, 9),
                                          testing::ValuesIn(kRules)));

/// Learns from other factors than it transmits, with or without each product.
template <class Real>
void ExpectApart(int64_t batch, Rule rule, bool forward, bool backward) {
  Arrays<Real> before(21, 50, batch, 6), a(21, 50, batch, 6);
  for (Arrays<Real>* arrays : {&before, &a}) {
    Configure(rule, arrays->pass.update);
    arrays->LearnApart();
    arrays->pass.mean_over = 2;
  }
  if (!forward) a.pass.s = nullptr, a.pass.r_pre = nullptr;
  if (!backward) a.pass.e_bottom = nullptr, a.pass.e_post = nullptr;
  RunPass(a.pass);
  const double bound = 20 * double{std::numeric_limits<Real>::epsilon()};
  Arrays<Real> plain(21, 50, batch, 6);
  RunPass(plain.pass);
  for (int64_t i = 0; i < 21; ++i) {
    ASSERT_TRUE(!forward || a.s(batch - 1, i) == plain.s(batch - 1, i));
    for (int64_t j = 0; j < 50; ++j) ASSERT_NEAR(a.W(i, j), Updated(before, i, j), bound);
  }
  for (int64_t j = 0; backward && j < 50; ++j) {
    ASSERT_EQ(a.e_bottom(batch - 1, j), plain.e_bottom(batch - 1, j));
  }
  EXPECT_TRUE(a.PaddingIsZero());
}

TEST(WeightPassTest, LearnsFromOtherFactorsThanItTransmits) {
  for (const Rule rule : kRules) {
    for (const int64_t batch : {1, 5}) {
      for (const bool forward : {true, false}) {
        for (const bool backward : {true, false}) {
          ASSERT_NO_FATAL_FAILURE(ExpectApart<float>(batch, rule, forward, backward));
          ASSERT_NO_FATAL_FAILURE(ExpectApart<double>(batch, rule, forward, backward));
        }
      }
    }
  }
}

template <class Real>
void ExpectSameBitsInABatch(int64_t post, int64_t pre, int64_t trials) {
  Arrays<Real> batch(post, pre, trials, 2), all(post, pre, trials, 2);
  RunPass(all.pass);
  for (int64_t b = 0; b < trials; ++b) {
    Arrays<Real> single(post, pre, 1, 2);
    std::copy_n(&batch.r(b, 0), single.pass.columns, &single.r(0, 0));
    std::copy_n(&batch.e(b, 0), single.pass.post_stride, &single.e(0, 0));
    std::copy_n(&batch.s(b, 0), single.pass.post_stride, &single.s(0, 0));
    std::copy_n(&batch.e_bottom(b, 0), single.pass.columns, &single.e_bottom(0, 0));
    RunPass(single.pass);
    for (int64_t i = 0; i < post; ++i) ASSERT_EQ(all.s(b, i), single.s(0, i));
    for (int64_t j = 0; j < pre; ++j) ASSERT_EQ(all.e_bottom(b, j), single.e_bottom(0, j));
  }
}

TEST(WeightPassTest, GivesATrialTheSameBitsAloneAndInABatch) {
  ExpectSameBitsInABatch<float>(21, 50, 5);
  ExpectSameBitsInABatch<double>(21, 50, 5);
  // Of several tiles and column blocks.
  ExpectSameBitsInABatch<float>(100, 2100, 13);
  ExpectSameBitsInABatch<double>(100, 1100, 13);
}

TEST(TilingOf, CutsLargeMatricesOnly) {
  EXPECT_EQ(TilingOf(256, 256).tiles, 1);
  EXPECT_EQ(TilingOf(1024, 1024).tile_rows, 64);
  EXPECT_EQ(TilingOf(1024, 1024).tiles, 16);
  // The last tile may be smaller.
  EXPECT_EQ(TilingOf(1028, 1024).tiles, 17);
  EXPECT_EQ(TilingOf(int64_t{1} << 20, int64_t{1} << 20).tiles, 64);
  // Sizes that a check is going to refuse.
  EXPECT_EQ(TilingOf(INT64_MAX, INT64_MAX).tiles, 64);
  EXPECT_EQ(TilingOf(12, INT64_MAX).tiles, 1);
}

/// Calls expect_same(a, b) with the passes of two arrays of several tiles, which start alike; it
/// runs them.
template <class Real>
void ExpectSameBitsOf(Rule rule, int64_t batch,
                      absl::FunctionRef<void(const WeightPass<Real>&)> one,
                      absl::FunctionRef<void(const WeightPass<Real>&)> other) {
  Arrays<Real> a(203, 1100, batch, 7), b(203, 1100, batch, 7);
  UpdateCount counts[2];
  a.pass.count = &counts[0];
  b.pass.count = &counts[1];
  for (Arrays<Real>* arrays : {&a, &b}) Configure(rule, arrays->pass.update);
  one(a.pass);
  other(b.pass);
  const int64_t weights = a.pass.rows * a.pass.columns;
  EXPECT_TRUE(std::equal(a.pass.W, a.pass.W + weights, b.pass.W));
  EXPECT_TRUE(std::equal(a.pass.update.m, a.pass.update.m + weights, b.pass.update.m));
  EXPECT_TRUE(std::equal(a.pass.s, a.pass.s + batch * a.pass.post_stride, b.pass.s));
  EXPECT_TRUE(
      std::equal(a.pass.e_bottom, a.pass.e_bottom + batch * a.pass.columns, b.pass.e_bottom));
  EXPECT_EQ(counts[0].swallowed, counts[1].swallowed);
  EXPECT_EQ(counts[0].squared_change, counts[1].squared_change);
}

template <class Real>
void ExpectSameBitsInATeam(Rule rule, int64_t batch) {
  BackwardTeam team;
  ExpectSameBitsOf<Real>(rule, batch, RunPass<Real>, [&team](WeightPass<Real> pass) {
    pass.team = &team;
    RunPass(pass);
  });
  EXPECT_GT(team.runs, 0);
}

TEST(WeightPassTest, GivesTheSameBitsInATeam) {
  for (const Rule rule : kRules) {
    for (const int64_t batch : {1, 5}) {
      ExpectSameBitsInATeam<float>(rule, batch);
      ExpectSameBitsInATeam<double>(rule, batch);
    }
  }
}

/// Runs the pass with the kernels of AVX2, whatever the machine has.
template <class Real>
void RunPassWithAvx2(const WeightPass<Real>& pass) {
  hwy::SetSupportedTargetsForTest(HWY_AVX2);
  RunPass(pass);
  hwy::SetSupportedTargetsForTest(0);
}

TEST(WeightPassTest, GivesTheSameBitsOnEachMachine) {
  if ((hwy::SupportedTargets() & HWY_AVX3) == 0) GTEST_SKIP() << "a machine without AVX-512";
  for (const Rule rule : kRules) {
    for (const int64_t batch : {1, 2, 13}) {
      ExpectSameBitsOf<float>(rule, batch, RunPass<float>, RunPassWithAvx2<float>);
      ExpectSameBitsOf<double>(rule, batch, RunPass<double>, RunPassWithAvx2<double>);
    }
  }
}

template <class Real>
void ExpectSameBitsWatched(Rule rule, int64_t batch) {
  Arrays<Real> plain(21, 50, batch, 3), watched(21, 50, batch, 3);
  Configure(rule, plain.pass.update);
  Configure(rule, watched.pass.update);
  UpdateCount count;
  watched.pass.count = &count;
  RunPass(plain.pass);
  RunPass(watched.pass);
  for (int64_t i = 0; i < 21; ++i) {
    EXPECT_EQ(plain.s(0, i), watched.s(0, i));
    for (int64_t j = 0; j < 50; ++j) {
      EXPECT_EQ(plain.W(i, j), watched.W(i, j));
      EXPECT_EQ(plain.m(i, j), watched.m(i, j));
      EXPECT_EQ(plain.v2(i, j), watched.v2(i, j));
    }
  }
}

TEST(WeightPassTest, GivesTheSameBitsWhileSomebodyWatches) {
  for (const Rule rule : kRules) {
    for (const int64_t batch : {1, 4}) {
      ExpectSameBitsWatched<float>(rule, batch);
      ExpectSameBitsWatched<double>(rule, batch);
    }
  }
}

TEST(WeightPassTest, CountsWhatAnUpdateDid) {
  for (const int64_t batch : {1, 4}) {
    Arrays<float> before(21, 50, batch, 4), a(21, 50, batch, 4);
    a.pass.update.rule = Rule::kPlainSgd;
    // About half of the updates are below the last bit of their weight.
    a.pass.update.eta = 2e-7f;
    // One weight of no presynaptic rate is not meant to change.
    for (int64_t b = 0; b < batch; ++b) a.r(b, 7) = 0.0f;
    UpdateCount count;
    a.pass.count = &count;
    RunPass(a.pass);
    int64_t unchanged = 0;
    double squared_change = 0;
    for (int64_t i = 0; i < 21; ++i) {
      for (int64_t j = 0; j < 50; ++j) {
        const double change = double{a.W(i, j)} - double{before.W(i, j)};
        squared_change += change * change;
        if (change == 0 && j != 7) ++unchanged;
      }
    }
    EXPECT_GT(unchanged, 21 * 50 / 5);
    EXPECT_LT(unchanged, 21 * 50 * 9 / 10);
    EXPECT_EQ(count.swallowed, unchanged);
    EXPECT_NEAR(count.squared_change, squared_change, 1e-6 * squared_change);
  }
}

TEST(UpdateArray, AppliesEachRule) {
  for (const Rule rule :
       {Rule::kPlainSgd, Rule::kSgd, Rule::kMomentum, Rule::kAdam, Rule::kLowPass}) {
    // One row of weights whose gradient is that of the pass.
    Arrays<double> pass(1, 30, 1, 5), array(1, 30, 1, 5);
    Configure(rule, pass.pass.update);
    Configure(rule, array.pass.update);
    RunPass(pass.pass);
    for (int64_t j = 0; j < 30; ++j) array.r(0, j) *= -array.e(0, 0);
    UpdateArray(array.pass.update, array.pass.r_pre, array.pass.columns, array.pass.W);
    for (int64_t j = 0; j < 30; ++j) {
      EXPECT_NEAR(array.W(0, j), pass.W(0, j), 1e-14);
      EXPECT_NEAR(array.m(0, j), pass.m(0, j), 1e-14);
    }
  }
}

}  // namespace
}  // namespace prospero
