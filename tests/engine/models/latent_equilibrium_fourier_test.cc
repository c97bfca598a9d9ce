// Fourier synthesis (Haider et al., arXiv 2110.14549, Fig. 2a): from 50 sines the network learns
// a sawtooth while both run.

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "tests/support/layered.h"
#include "tests/support/trace.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

constexpr double kDt = 0.005;           // [ms]
constexpr int64_t kSteps = 120'000;     // 600 ms
constexpr double kLearningRate = 0.25;  // per ms
constexpr double kBeta = 0.1;
constexpr int kSines = 50;

LatentEquilibriumSpec Synthesis(const Trace& official) {
  LatentEquilibriumSpec spec;
  spec.input_shape = {kSines};
  spec.layers = {DenseLayer("l1", 30, Activation::kTanh, kLearningRate * kDt),
                 DenseLayer("l2", 1, Activation::kLinear, kLearningRate * kDt)};
  for (LatentEquilibriumLayer& layer : spec.layers) {
    const Trace::Array& W = official.arrays.at("first." + layer.name + ".W");
    const Trace::Array& b = official.arrays.at("first." + layer.name + ".b");
    layer.initializer = GivenValues(W.shape, W.values);
    layer.bias->initializer = GivenValues(b.shape, b.values);
  }
  spec.order = LatentEquilibriumSpec::Order::kDynamics;
  spec.target_error = LatentEquilibriumSpec::TargetError::kPotential;
  spec.beta = kBeta;
  // The published code adds the gradient to the membrane.
  spec.gamma = -1.0;
  return spec;
}

/// Sines of 10, 20, ... 500 Hz and a sawtooth of 20 Hz that rises from -1 to 1.
void Drive(int64_t step, const Network& network) {
  const double t = static_cast<double>(step) * kDt * 1e-3;  // [s]
  std::vector<double> x(kSines);
  for (int k = 0; k < kSines; ++k) {
    x[static_cast<size_t>(k)] = std::sin(2.0 * std::numbers::pi * 10.0 * (k + 1) * t);
  }
  Set(network, "input.r", x);
  const double phase = 20.0 * t;
  Set(network, "l2.target", 2.0 * (phase - std::floor(phase)) - 1.0);
  Set(network, "l2.teach", 1.0);
  Set(network, "l2.beta", step < kSteps * 2 / 3 ? kBeta : 0.0);
}

/// Mean squared errors of windows that end before the given steps.
std::vector<double> Windows(const std::vector<int64_t>& ends, Network& network) {
  std::vector<double> means;
  int64_t begin = 0;
  for (const int64_t end : ends) {
    double sum = 0;
    for (int64_t n = begin; n < end; ++n) {
      Drive(n, network);
      network.Advance({n, kDt});
      sum += 2.0 * Value(network, "loss");
    }
    means.push_back(sum / static_cast<double>(end - begin));
    begin = end;
  }
  return means;
}

class FourierSynthesis : public testing::TestWithParam<DataType> {};

TEST_P(FourierSynthesis, FollowsThePublishedCodeFromItsFirstWeights) {
  const Trace official = ReadTrace("le_fourier_official");
  const auto network = Make(Synthesis(official), LayeredOptions(GetParam(), 1, kDt));
  const std::vector<double> mse =
      Windows(official.header["window_ends"].get<std::vector<int64_t>>(), *network);
  const std::vector<double>& published = official.arrays.at("mse").values;
  ASSERT_EQ(mse.size(), 24u);
  // The published run is of single precision.
  for (size_t k = 0; k < mse.size(); ++k) {
    EXPECT_NEAR(mse[k], published[k], 2e-6) << "window " << k;
  }
  double test_phase = 0;
  for (size_t k = 16; k < mse.size(); ++k) test_phase += mse[k] / 8.0;
  EXPECT_NEAR(test_phase, 0.0085, 0.0002);
}

INSTANTIATE_TEST_SUITE_P(Float, FourierSynthesis,
                         testing::Values(DataType::kFloat32, DataType::kFloat64));

}  // namespace
}  // namespace prospero
