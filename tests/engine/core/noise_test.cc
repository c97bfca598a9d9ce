#include "engine/core/noise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/errors.h"

namespace prospero {
namespace {

constexpr double kDt = 0.01;  // [ms]

NoiseSpec OrnsteinUhlenbeck(double sigma, double tau) {
  return {NoiseSpec::Kind::kOrnsteinUhlenbeck, sigma, tau, 1};
}
NoiseSpec HeldWhite(double sigma, int64_t hold) {
  return {NoiseSpec::Kind::kHeldWhite, sigma, 0.0, hold};
}

/// The noise of a population "p".
template <class Real>
struct Fixture {
  Fixture(const NoiseSpec& spec, int64_t size, int64_t batch, uint64_t seed = 1)
      : noise(spec, "p", size, batch, kDt) {
    noise.WantMemory(arena);
    EXPECT_TRUE(arena.Allocate());
    noise.Register(variables);
    noise.ResetState();
    noise.Key(seed);
  }
  std::vector<Real> Values(const std::string& symbol) const {
    const Variable& variable = variables[variables.Find("p." + symbol)];
    std::vector<Real> values(static_cast<size_t>(variable.size()));
    variable.Read(values.data());
    return values;
  }
  void Set(const std::string& symbol, const std::vector<Real>& values) {
    variables[variables.Find("p." + symbol)].Write(values.data());
  }
  std::vector<Real> Advance(int64_t index, const Real* scale = nullptr) {
    noise.Advance({index, kDt}, scale);
    return Values("xi");
  }

  Noise<Real> noise;
  VariableTable variables;
  Arena arena;
};

TEST(Noise, FollowsItsEquationWhenItIsDriven) {
  Fixture<double> p(OrnsteinUhlenbeck(0.05, 0.1), 2, 1);
  double expected[2] = {0, 0};
  for (int64_t n = 0; n < 20; ++n) {
    const auto t = static_cast<double>(n);
    const std::vector<double> w = {std::sin(1.0 + t), std::cos(2.0 * t)};
    p.Set("w", w);
    p.Set("w_given", {1});
    const std::vector<double> xi = p.Advance(n);
    for (size_t i = 0; i < 2; ++i) {
      expected[i] += (std::sqrt(kDt * 0.1) * 0.05 * w[i] - kDt * expected[i]) / 0.1;
      EXPECT_NEAR(xi[i], expected[i], 1e-15);
    }
  }
}

// 64 neurons for 40,000 steps are about 10^5 independent samples (correlation time 10 steps):
// a correct generator misses a bound of 3% with a probability below 1e-6.
TEST(Noise, HasTheVarianceAndTheMemoryOfAnOrnsteinUhlenbeckProcess) {
  constexpr double kSigma = 0.05, kTau = 0.1;
  constexpr int64_t kSteps = 40'000, kSize = 64, kLag = 10;
  Fixture<double> p(OrnsteinUhlenbeck(kSigma, kTau), kSize, 1);
  std::vector<std::vector<double>> history(kLag);
  double mean = 0, variance = 0, covariance = 0;
  constexpr double kTotal = (kSteps - 100) * kSize;
  for (int64_t n = 0; n < kSteps; ++n) {
    const std::vector<double> xi = p.Advance(n);
    std::vector<double>& before = history[static_cast<size_t>(n % kLag)];
    for (size_t i = 0; n >= 100 && i < kSize; ++i) {
      mean += xi[i] / kTotal;
      variance += xi[i] * xi[i] / kTotal;
      covariance += xi[i] * before[i] / kTotal;
    }
    before = xi;
  }
  const double expected = kSigma * kSigma / (2 - kDt / kTau);
  EXPECT_NEAR(mean, 0, 0.02 * std::sqrt(expected));
  EXPECT_NEAR(variance, expected, 0.03 * expected);
  EXPECT_NEAR(covariance, expected * std::pow(1 - kDt / kTau, kLag), 0.03 * expected);
}

TEST(Noise, OfEachNeuronAndTrialIsItsOwn) {
  Fixture<double> p(OrnsteinUhlenbeck(0.05, 0.1), 3, 4);
  const std::vector<double> xi = p.Advance(0);
  for (size_t i = 0; i < xi.size(); ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_NE(xi[i], xi[j]);
  }
}

TEST(Noise, NeedsNoHistoryButItsState) {
  Fixture<double> whole(OrnsteinUhlenbeck(0.05, 0.1), 5, 2);
  for (int64_t n = 0; n < 10; ++n) whole.Advance(n);
  Fixture<double> restored(OrnsteinUhlenbeck(0.05, 0.1), 5, 2);
  restored.Set("xi", whole.Values("xi"));
  for (int64_t n = 10; n < 15; ++n) EXPECT_EQ(restored.Advance(n), whole.Advance(n));
}

TEST(Noise, HoldsWhiteNoise) {
  Fixture<double> p(HeldWhite(0.05, 5), 3, 1);
  const std::vector<double> first = p.Advance(0);
  for (int64_t n = 1; n < 5; ++n) EXPECT_EQ(p.Advance(n), first);
  EXPECT_NE(p.Advance(5), first);
}

TEST(Noise, TakesDrivenWhiteNoiseAtOnceAndHoldsIt) {
  Fixture<double> p(HeldWhite(0.5, 3), 2, 1);
  p.Advance(0);
  p.Advance(1);
  p.Set("w", {4, -2});
  p.Set("w_given", {1});
  const std::vector<double> driven = {2, -1};
  EXPECT_EQ(p.Advance(2), driven);
  p.Set("w_given", {0});
  EXPECT_EQ(p.Advance(3), driven);
  EXPECT_EQ(p.Advance(4), driven);
  EXPECT_NE(p.Advance(5), driven);
}

TEST(Noise, CanBeScaledForEachNeuron) {
  Fixture<double> plain(HeldWhite(1, 1), 3, 1), scaled(HeldWhite(1, 1), 3, 1);
  alignas(64) const double scale[8] = {0, 1, 2};
  const std::vector<double> a = plain.Advance(0), b = scaled.Advance(0, scale);
  EXPECT_EQ(b, (std::vector<double>{0 * a[0], a[1], 2 * a[2]}));
}

TEST(Noise, IsTheSameInBothPrecisions) {
  Fixture<double> wide(OrnsteinUhlenbeck(0.05, 0.1), 7, 2);
  Fixture<float> narrow(OrnsteinUhlenbeck(0.05, 0.1), 7, 2);
  for (int64_t n = 0; n < 1000; ++n) {
    const std::vector<double> a = wide.Advance(n);
    const std::vector<float> b = narrow.Advance(n);
    for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], double{b[i]}, 1e-7);
  }
}

TEST(CheckNoise, NamesTheFieldThatIsWrong) {
  EXPECT_TRUE(Check(OrnsteinUhlenbeck(0.05, 0.1), kDt).ok());
  EXPECT_TRUE(Check(HeldWhite(0.05, 5), kDt).ok());
  EXPECT_EQ(FieldPath(Check(OrnsteinUhlenbeck(-0.1, 0.1), kDt)), "sigma");
  EXPECT_EQ(FieldPath(Check(OrnsteinUhlenbeck(std::nan(""), 0.1), kDt)), "sigma");
  EXPECT_EQ(FieldPath(Check(OrnsteinUhlenbeck(0.1, kDt / 2), kDt)), "tau_ms");
  EXPECT_EQ(FieldPath(Check(HeldWhite(0.1, 0), kDt)), "hold_steps");
  NoiseSpec both = HeldWhite(0.1, 2);
  both.tau = 1;
  EXPECT_EQ(FieldPath(Check(both, kDt)), "tau_ms");
  both = OrnsteinUhlenbeck(0.1, 0.1);
  both.hold = 2;
  EXPECT_EQ(FieldPath(Check(both, kDt)), "hold_steps");
}

}  // namespace
}  // namespace prospero
