// Neurons that differ: spread time constants, their pre-training, and rates with noise.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/core/random.h"
#include "tests/support/layered.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

using Spec = LatentEquilibriumSpec;

Spec OneLayer(int64_t size) {
  Spec spec;
  spec.input_shape = {3};
  spec.layers = {DenseLayer("out", size, Activation::kTanh)};
  spec.layers[0].initializer = NormalValues(0.5);
  return spec;
}

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double Deviation(const std::vector<double>& values) {
  const double mean = Mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

double Correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const double mean_a = Mean(a), mean_b = Mean(b);
  std::vector<double> product(a.size());
  for (size_t i = 0; i < a.size(); ++i) product[i] = (a[i] - mean_a) * (b[i] - mean_b);
  return Mean(product) / (Deviation(a) * Deviation(b));
}

double MeanDistance(const Network& network) {
  const std::vector<double> tau = Values(network, "out.tau"), tau_m = Values(network, "out.tau_m");
  double sum = 0;
  for (size_t i = 0; i < tau.size(); ++i) sum += std::abs(tau[i] - tau_m[i]);
  return sum / static_cast<double>(tau.size());
}

TEST(TauSpread, DrawsEachTimeConstantAroundItsOwn) {
  constexpr int64_t kSize = 2000;
  Spec spec = OneLayer(kSize);
  spec.layers[0].tau = {20.0};
  spec.layers[0].tau_m = {40.0};
  spec.layers[0].tau_spread = 0.2;
  const auto network = Make(spec);
  const std::vector<double> tau = Values(*network, "out.tau"),
                            tau_m = Values(*network, "out.tau_m");
  // 5 standard errors: one correct program in a million fails.
  const double error = 5 * 0.2 / std::sqrt(kSize);
  EXPECT_NEAR(Mean(tau) / 20, 1.0, error);
  EXPECT_NEAR(Mean(tau_m) / 40, 1.0, error);
  EXPECT_NEAR(Deviation(tau) / 20, 0.2, error / std::sqrt(2.0));
  EXPECT_NEAR(Deviation(tau_m) / 40, 0.2, error / std::sqrt(2.0));
  EXPECT_NEAR(Correlation(tau, tau_m), 0.0, 5 / std::sqrt(kSize));
}

TEST(TauSpread, KeepsTimeConstantsBetweenOneMillisecondAndOneSecond) {
  Spec spec = OneLayer(500);
  spec.layers[0].tau_spread = 1.0;
  spec.layers[0].tau = {2.0};
  spec.layers[0].tau_m = {800.0};
  const auto extremes = [](const std::vector<double>& values) {
    return std::minmax_element(values.begin(), values.end());
  };
  const auto network = Make(spec);
  const std::vector<double> tau = Values(*network, "out.tau"),
                            tau_m = Values(*network, "out.tau_m");
  EXPECT_EQ(*extremes(tau).first, 1.0);
  EXPECT_EQ(*extremes(tau_m).first, 1.0);
  EXPECT_EQ(*extremes(tau_m).second, 1000.0);
  // A membrane is not faster than a step.
  const auto coarse = Make(spec, LayeredOptions(DataType::kFloat64, 1, /*dt=*/3.0));
  const std::vector<double> coarse_tau_m = Values(*coarse, "out.tau_m");
  EXPECT_EQ(*extremes(coarse_tau_m).first, 3.0);
}

/// A new input in every step.
void Wiggle(int64_t begin, int64_t end, Network& network) {
  const RandomStream random(3, "inputs");
  std::vector<double> x(static_cast<size_t>(Get(network, "input.r").size()));
  for (int64_t n = begin; n < end; ++n) {
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] = random.Normal(n / 5 * static_cast<int64_t>(x.size()) + static_cast<int64_t>(i));
    }
    Set(network, "input.r", x);
    network.Advance({n, 0.1});
  }
}

TEST(TauPreTraining, PullsMembranesOntoTheirProspectiveTimeConstants) {
  Spec spec = OneLayer(40);
  spec.layers[0].tau = {10.0};
  spec.layers[0].tau_spread = 0.3;
  spec.layers[0].tau_m_plasticity = Sgd(3.0);
  const auto network = Make(spec, LayeredOptions(DataType::kFloat64, 8));
  const std::vector<double> tau = Values(*network, "out.tau");
  EXPECT_GT(MeanDistance(*network), 2.0);
  Wiggle(0, 3000, *network);
  EXPECT_LT(MeanDistance(*network), 0.01);
  EXPECT_EQ(Values(*network, "out.tau"), tau);
}

TEST(TauPreTraining, IsNotMisledByErrors) {
  Spec spec = OneLayer(40);
  spec.layers[0].tau = {10.0};
  spec.layers[0].tau_m = {5.0};
  spec.layers[0].tau_m_plasticity = Sgd(3.0);
  spec.gamma = 1.0;
  spec.beta = 1.0;
  const auto network = Make(spec, LayeredOptions(DataType::kFloat64, 8));
  Set(*network, "out.target", 3.0);
  Set(*network, "out.teach", 1.0);
  Wiggle(0, 3000, *network);
  EXPECT_LT(MeanDistance(*network), 0.01);
}

TEST(TauPreTraining, NeverMakesAMembraneFasterThanAStep) {
  Spec spec = OneLayer(4);
  spec.layers[0].tau = {0.0};
  spec.layers[0].tau_m = {2.0};
  spec.layers[0].tau_m_plasticity = Sgd(100.0);
  const auto network = Make(spec, LayeredOptions(DataType::kFloat64, 2));
  Wiggle(0, 200, *network);
  EXPECT_TRUE(network->finite());
  EXPECT_EQ(Values(*network, "out.tau_m"), std::vector<double>(4, 0.1));
}

TEST(RateNoise, IsWhiteOfTheGivenStrength) {
  Spec spec = OneLayer(50);
  spec.layers[0].bias.reset();
  spec.layers[0].rate_noise = 0.2;
  const auto network = Make(spec);
  constexpr int64_t kSteps = 2000;
  std::vector<double> now, next, other;
  for (int64_t n = 0; n < kSteps; ++n) {
    network->Advance({n, 0.1});
    const std::vector<double> r = Values(*network, "out.r");
    now.insert(now.end(), r.begin(), r.end());
    other.insert(other.end(), r.rbegin(), r.rend());
  }
  next.assign(now.begin() + 50, now.end());
  now.resize(next.size());
  other.resize(next.size());
  // 5 standard errors: one correct program in a million fails.
  const double error = 5 / std::sqrt(static_cast<double>(now.size()));
  EXPECT_NEAR(Mean(now), 0.0, 0.2 * error);
  EXPECT_NEAR(Deviation(now), 0.2, 0.2 * error / std::sqrt(2.0));
  EXPECT_NEAR(Correlation(now, next), 0.0, error);
  // Pairs stand twice in it.
  EXPECT_NEAR(Correlation(now, other), 0.0, std::sqrt(2.0) * error);
}

TEST(RateNoise, CanBeSwitchedOffWhileRunning) {
  Spec spec = OneLayer(3);
  spec.layers[0].bias.reset();
  spec.layers[0].rate_noise = 0.2;
  const auto network = Make(spec);
  Set(*network, "out.rate_noise", 0.0);
  network->Advance({0, 0.1});
  EXPECT_EQ(Values(*network, "out.r"), std::vector<double>(3, 0.0));
}

}  // namespace
}  // namespace prospero
