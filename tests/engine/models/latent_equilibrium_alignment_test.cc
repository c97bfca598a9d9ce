// Feedback weights that learn from noise find the transpose of the forward weights (Phaseless
// Alignment Learning, Max et al., arXiv 2212.10249).

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/random.h"
#include "tests/support/layered.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

using Spec = LatentEquilibriumSpec;

constexpr int64_t kBatch = 32;
constexpr int kSeeds = 10;

/// Forward weights are constant, so that B has a standing target.
LatentEquilibriumLayer Constant(LatentEquilibriumLayer layer) {
  layer.initializer = NormalValues(0.3);
  layer.plasticity.reset();
  layer.bias.reset();
  return layer;
}

/// 6-8-8-4 with noise in the hidden layers.
Spec Chain() {
  Spec spec;
  spec.input_shape = {6};
  spec.layers = {Constant(DenseLayer("a", 8, Activation::kTanh)),
                 Constant(DenseLayer("b", 8, Activation::kTanh)),
                 Constant(DenseLayer("c", 4, Activation::kLinear))};
  spec.feedback = FeedbackPath::kAligned;
  for (const size_t l : {0, 1}) spec.layers[l].noise = OuNoise(0.05, 1.0);
  for (const size_t l : {1, 2}) {
    spec.layers[l].feedback_initializer = NormalValues(0.3);
    spec.layers[l].alignment = Aligned(/*learning_rate=*/0.5, /*decay=*/1e-3, /*tau_hp=*/1.0);
  }
  return spec;
}

std::unique_ptr<Network> MakeSeeded(const Spec& spec, int seed) {
  NetworkOptions options = LayeredOptions(DataType::kFloat32, kBatch);
  options.seed = static_cast<uint64_t>(seed);
  return Make(spec, options);
}

/// New inputs, uniform on [0, 1), every 100 steps.
void Feed(int64_t begin, int64_t end, int seed, Network& network) {
  const RandomStream random(static_cast<uint64_t>(seed), "inputs");
  const int64_t size = Get(network, "input.r").size();
  std::vector<double> x(static_cast<size_t>(size));
  for (int64_t n = begin; n < end; ++n) {
    for (int64_t i = 0; i < size && n % 100 == 0; ++i) {
      x[static_cast<size_t>(i)] = random.Uniform(n / 100 * size + i);
    }
    if (n % 100 == 0) Set(network, "input.r", x);
    network.Advance({n, 0.1});
  }
}

/// Mean and greatest of a variable over seeds.
struct OverSeeds {
  double mean = 0, greatest = 0;
  void See(double value) {
    mean += value / kSeeds;
    greatest = std::max(greatest, value);
  }
};

TEST(LatentEquilibriumAlignment, TurnsFeedbackWeightsToTheTranspose) {
  OverSeeds start[2], half[2], end[2], scale[2];
  const char* const kNames[] = {"b", "c"};
  for (int seed = 1; seed <= kSeeds; ++seed) {
    const auto network = MakeSeeded(Chain(), seed);
    const auto see = [&](const char* signal, OverSeeds(&into)[2]) {
      for (const int k : {0, 1}) into[k].See(Value(*network, std::string(kNames[k]) + signal));
    };
    see(".alignment_angle", start);
    Feed(0, 3000, seed, *network);
    see(".alignment_angle", half);
    Feed(3000, 6000, seed, *network);
    see(".alignment_angle", end);
    see(".alignment_scale", scale);
  }
  // The reference has, over 5 seeds, 82.1 and 95.5 degrees at the start, 30.3 and 31.8 in the
  // middle, 13.1 +- 4.6 and 8.6 +- 2.6 at the end, and scales .47 and .54. The bounds of the means
  // lie beyond 3 standard errors, those of single seeds beyond 4 standard deviations.
  for (const int k : {0, 1}) EXPECT_NEAR(start[k].mean, 90.0, 15.0);
  for (const int k : {0, 1}) EXPECT_NEAR(half[k].mean, 31.0, 8.0);
  EXPECT_LT(end[0].mean, 18.0);
  EXPECT_LT(end[1].mean, 12.5);
  EXPECT_LT(end[0].greatest, 32.0);
  EXPECT_LT(end[1].greatest, 20.0);
  EXPECT_NEAR(scale[0].mean, 0.47, 0.06);
  EXPECT_NEAR(scale[1].mean, 0.54, 0.06);
  testing::Test::RecordProperty("angles",
                                std::to_string(end[0].mean) + " " + std::to_string(end[1].mean));
}

TEST(LatentEquilibriumAlignment, NeedsNoise) {
  Spec spec = Chain();
  spec.layers[0].noise->sigma = 0;
  const auto network = MakeSeeded(spec, 1);
  const double before = Value(*network, "b.alignment_angle");
  Feed(0, 3000, 1, *network);
  // B only decays.
  EXPECT_NEAR(Value(*network, "b.alignment_angle"), before, 1e-3);
  EXPECT_LT(Value(*network, "c.alignment_angle"), 60.0);
}

TEST(LatentEquilibriumAlignment, TurnsTheFeedbackOfAConvolutionThroughAPool) {
  Spec spec;
  spec.input_shape = {1, 10};
  spec.layers = {Constant(ConvolutionLayer("a", 4, {3}, Activation::kTanh)),
                 PoolLayerOf("p", {2}, LatentEquilibriumLayer::Pool::Kind::kAverage),
                 Constant(ConvolutionLayer("b", 3, {2}, Activation::kTanh)),
                 Constant(DenseLayer("c", 4, Activation::kLinear))};
  spec.feedback = FeedbackPath::kAligned;
  for (const size_t l : {1, 2}) spec.layers[l].noise = OuNoise(0.05, 1.0);
  for (const size_t l : {2, 3}) {
    spec.layers[l].feedback_initializer = NormalValues(0.3);
    spec.layers[l].alignment = Aligned(0.3, 1e-3, 1.0);
  }
  for (int seed = 1; seed <= 3; ++seed) {
    const auto network = MakeSeeded(spec, seed);
    Feed(0, 6000, seed, *network);
    EXPECT_LT(Value(*network, "b.alignment_angle"), 20.0);
    EXPECT_LT(Value(*network, "c.alignment_angle"), 30.0);
  }
}

}  // namespace
}  // namespace prospero
