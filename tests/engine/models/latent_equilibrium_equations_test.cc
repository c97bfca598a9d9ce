// Every order, feedback path, kind of layer and filter, against the equations written a second
// time.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/random.h"
#include "tests/support/layered.h"
#include "tests/support/naive_layers.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

using Spec = LatentEquilibriumSpec;
using Layer = LatentEquilibriumLayer;
using Pooling = Layer::Pool::Kind;

/// Inputs change every 7 steps; there is no target in the first 3 of 11.
void Drive(int64_t n, const Network& network) {
  for (const Variable& variable : network.variables()) {
    const bool is_w = variable.name.ends_with(".w");
    if (variable.name != "input.r" && !variable.name.ends_with(".target") && !is_w) continue;
    const RandomStream random(is_w ? static_cast<uint64_t>(n) : static_cast<uint64_t>(n / 7),
                              variable.name);
    std::vector<double> values(static_cast<size_t>(variable.size()));
    for (size_t i = 0; i < values.size(); ++i) values[i] = random.Normal(static_cast<int64_t>(i));
    Set(network, variable.name, values);
    if (is_w) Set(network, variable.name + "_given", 1.0);
    if (!is_w && variable.name != "input.r") {
      const std::string output = variable.name.substr(0, variable.name.find('.'));
      Set(network, output + ".teach", n % 11 < 3 ? 0.0 : 1.0);
    }
  }
}

void ExpectFollowsItsEquations(const Spec& spec) {
  const NetworkOptions options = LayeredOptions(DataType::kFloat64, /*batch_size=*/3);
  const auto network = Make(spec, options);
  NaiveLayers naive(spec, options, *network);
  double moved = 0;
  for (int64_t n = 0; n < 60 && !testing::Test::HasFailure(); ++n) {
    Drive(n, *network);
    naive.Advance({n, options.dt}, *network);
    network->Advance({n, options.dt});
    ASSERT_TRUE(network->finite());
    for (const auto& [name, expected] : naive.Values()) {
      const std::vector<double> ours = Values(*network, name);
      ASSERT_EQ(ours.size(), expected.size()) << name;
      for (size_t i = 0; i < ours.size(); ++i) {
        ASSERT_NEAR(ours[i], expected[i], 1e-11 * std::max(1.0, std::abs(expected[i])))
            << name << "[" << i << "] after step " << n;
      }
      if (name.ends_with(".e")) moved = std::max(moved, std::abs(ours[0]));
    }
  }
  EXPECT_GT(moved, 1e-3);
}

Layer Strided(Layer layer, std::vector<int64_t> stride, std::vector<int64_t> padding) {
  auto& convolution = std::get<Layer::Convolution>(layer.kind);
  convolution.stride = std::move(stride);
  convolution.padding = std::move(padding);
  return layer;
}

/// Four dense layers with all that neurons can have.
Spec Dense(FeedbackPath feedback) {
  Spec spec;
  spec.input_shape = {5};
  spec.layers = {
      DenseLayer("a", 7, Activation::kTanh, 0.05), DenseLayer("b", 4, Activation::kSigmoid, 0.03),
      DenseLayer("c", 9, Activation::kLinear, 0.02), DenseLayer("d", 3, Activation::kTanh, 0.04)};
  spec.feedback = feedback;
  spec.beta = 0.4;
  spec.layers[0].tau_m = {7.0, 3.0, 9.0, 2.0, 4.0, 6.0, 8.0};
  spec.layers[1].tau_spread = 0.2;
  spec.layers[2].tau_m = {4.0};
  spec.layers[0].tau_m_plasticity = Sgd(0.02);
  spec.layers[1].tau_m_plasticity = Sgd(0.02);
  spec.layers[2].bias.reset();
  for (size_t l = 0; l < 4; ++l) {
    spec.layers[l].noise = OuNoise(0.1, 1.0 + static_cast<double>(l));
    if (feedback == FeedbackPath::kAligned && l > 0) {
      spec.layers[l].alignment = Aligned(0.3, 0.01, 0.5);
    }
  }
  return spec;
}

/// Convolutions and pools on an image, with strides, padding and windows that overlap.
Spec Images(FeedbackPath feedback, Pooling first, Pooling second) {
  Spec spec;
  spec.input_shape = {2, 11, 9};
  Layer overlapping = PoolLayerOf("b", {3, 2}, first);
  std::get<Layer::Pool>(overlapping.kind).stride = {2, 1};
  spec.layers = {Strided(ConvolutionLayer("a", 3, {3, 2}, Activation::kTanh, 0.02), {2, 1}, {1, 0}),
                 overlapping,
                 Strided(ConvolutionLayer("c", 5, {2}, Activation::kSigmoid, 0.02), {}, {1}),
                 PoolLayerOf("d", {2}, second),
                 DenseLayer("e", 6, Activation::kTanh, 0.05),
                 DenseLayer("f", 3, Activation::kLinear, 0.05)};
  spec.feedback = feedback;
  spec.beta = 0.5;
  for (Layer& layer : spec.layers) layer.noise = OuNoise(0.1, 0.7);
  if (feedback != FeedbackPath::kAligned) return spec;
  for (const size_t l : {2, 4, 5}) spec.layers[l].alignment = Aligned(0.2, 0.02, 1.0);
  return spec;
}

class LatentEquilibriumPaths : public testing::TestWithParam<FeedbackPath> {};

TEST_P(LatentEquilibriumPaths, FollowLayeredOrder) {
  for (const double gamma : {0.0, 1.0, -0.5}) {
    Spec spec = Dense(GetParam());
    spec.gamma = gamma;
    ExpectFollowsItsEquations(spec);
    spec.target_error = Spec::TargetError::kPotential;
    ExpectFollowsItsEquations(spec);
  }
}

TEST_P(LatentEquilibriumPaths, FollowDynamicsOrder) {
  for (const double gamma : {0.0, 1.0, -1.0}) {
    Spec spec = Dense(GetParam());
    spec.order = Spec::Order::kDynamics;
    spec.gamma = gamma;
    ExpectFollowsItsEquations(spec);
    spec.target_error = Spec::TargetError::kPotential;
    spec.tau_error = 0.3;
    ExpectFollowsItsEquations(spec);
  }
}

TEST_P(LatentEquilibriumPaths, KnowFiltersAndRateNoise) {
  Spec spec = Dense(GetParam());
  spec.gamma = 1.0;
  spec.tau_rate = 0.4;
  ExpectFollowsItsEquations(spec);
  spec.tau_error = 0.3;
  spec.tau_target = 0.9;
  for (Layer& layer : spec.layers) layer.rate_noise = 0.2;
  ExpectFollowsItsEquations(spec);
}

TEST_P(LatentEquilibriumPaths, LeadThroughConvolutionsAndPools) {
  ExpectFollowsItsEquations(Images(GetParam(), Pooling::kMax, Pooling::kMax));
  ExpectFollowsItsEquations(Images(GetParam(), Pooling::kAverage, Pooling::kMax));
  ExpectFollowsItsEquations(Images(GetParam(), Pooling::kMax, Pooling::kAverage));
}

TEST_P(LatentEquilibriumPaths, LeadThroughOneSpatialDimension) {
  Spec spec;
  spec.input_shape = {3, 20};
  spec.layers = {Strided(ConvolutionLayer("a", 4, {5}, Activation::kTanh, 0.05), {2}, {2}),
                 PoolLayerOf("b", {2}, Pooling::kMax), PoolLayerOf("c", {2}, Pooling::kAverage),
                 DenseLayer("d", 2, Activation::kLinear, 0.05)};
  spec.feedback = GetParam();
  spec.gamma = 0.7;
  spec.layers[0].noise = OuNoise(0.1, 1.0);
  spec.layers[1].noise = OuNoise(0.05, 1.0);
  if (GetParam() == FeedbackPath::kAligned) spec.layers[3].alignment = Aligned(0.3, 0.01, 1.0);
  ExpectFollowsItsEquations(spec);
}

TEST_P(LatentEquilibriumPaths, LeadFromPoolsOfTheInput) {
  Spec spec;
  spec.input_shape = {2, 6, 6};
  spec.layers = {PoolLayerOf("a", {2}, Pooling::kMax),
                 ConvolutionLayer("b", 3, {2}, Activation::kRelu, 0.05),
                 DenseLayer("c", 2, Activation::kLinear, 0.05)};
  spec.layers[0].noise = OuNoise(0.1, 1.0);
  spec.feedback = GetParam();
  ExpectFollowsItsEquations(spec);
}

TEST(LatentEquilibriumErrors, AreReadOffTheMembraneIfAskedFor) {
  for (const FeedbackPath path :
       {FeedbackPath::kTranspose, FeedbackPath::kRandom, FeedbackPath::kAligned}) {
    Spec spec = Dense(path);
    spec.gamma = 1.0;
    spec.errors_from_rate_potential = true;
    ExpectFollowsItsEquations(spec);
  }
}

std::string NameOf(FeedbackPath path) {
  constexpr const char* kNames[] = {"Transpose", "Random", "Direct", "Aligned"};
  return kNames[static_cast<int>(path)];
}

INSTANTIATE_TEST_SUITE_P(Each, LatentEquilibriumPaths,
                         testing::Values(FeedbackPath::kTranspose, FeedbackPath::kRandom,
                                         FeedbackPath::kDirect, FeedbackPath::kAligned),
                         [](const auto& test) { return NameOf(test.param); });

}  // namespace
}  // namespace prospero
