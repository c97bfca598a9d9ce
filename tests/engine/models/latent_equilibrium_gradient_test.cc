// With errors on transposed weights and a weak teacher, what a held input teaches is the gradient
// of the loss.

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "engine/core/random.h"
#include "tests/support/layered.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

using Spec = LatentEquilibriumSpec;
using Layer = LatentEquilibriumLayer;
using Pooling = Layer::Pool::Kind;
using Arrays = std::map<std::string, std::vector<double>>;

constexpr int64_t kBatch = 2;
constexpr double kLearningRate = 1e-7;  // the weights hardly move while they are looked at
constexpr int kSettle = 40, kLook = 20;

void Present(const Network& network) {
  const auto write = [&](const std::string& name) {
    std::vector<double> values(static_cast<size_t>(Get(network, name).size()));
    const RandomStream random(5, name);
    for (size_t i = 0; i < values.size(); ++i) values[i] = random.Normal(static_cast<int64_t>(i));
    Set(network, name, values);
  };
  write("input.r");
  write("out.target");
  Set(network, "out.teach", 1.0);
}

/// The loss of given weights when all is settled. The errors do not reach the membranes.
double SettledLoss(const Spec& spec, const Arrays& weights) {
  const auto network = Make(spec, LayeredOptions(DataType::kFloat64, kBatch));
  Set(*network, "learning", 0.0);
  for (const auto& [name, values] : weights) Set(*network, name, values);
  Present(*network);
  for (int64_t n = 0; n < kSettle; ++n) network->Advance({n, 0.1});
  return Value(*network, "loss");
}

/// What the network learns from a held input, in each array.
Arrays Learned(const Spec& spec, Arrays& first) {
  const auto network = Make(spec, LayeredOptions(DataType::kFloat64, kBatch));
  for (const Variable& variable : network->variables()) {
    const bool is_weight = variable.name.ends_with(".W") || variable.name.ends_with(".b");
    if (is_weight) first[variable.name] = Values(*network, variable.name);
  }
  Present(*network);
  Set(*network, "learning", 0.0);
  for (int64_t n = 0; n < kSettle; ++n) network->Advance({n, 0.1});
  Set(*network, "learning", 1.0);
  for (int64_t n = 0; n < kLook; ++n) network->Advance({n, 0.1});
  Arrays learned;
  for (const auto& [name, before] : first) {
    learned[name] = Values(*network, name);
    for (size_t i = 0; i < before.size(); ++i) learned[name][i] -= before[i];
  }
  return learned;
}

/// Expects every learned array to be -rate * beta * steps * gradient / `share`. `share` is
/// that of the bias of a convolution, which learns from the mean over its places.
void ExpectFollowsTheGradient(const Spec& spec, const std::map<std::string, double>& share = {}) {
  Arrays weights;
  const Arrays learned = Learned(spec, weights);
  constexpr double kStep = 1e-5;
  for (const auto& [name, changes] : learned) {
    const double divisor = share.contains(name) ? share.at(name) : 1.0;
    double largest = 0;
    std::vector<double> expected(changes.size());
    for (size_t i = 0; i < changes.size(); ++i) {
      Arrays moved = weights;
      moved[name][i] += kStep;
      const double up = SettledLoss(spec, moved);
      moved[name][i] -= 2 * kStep;
      const double gradient = (up - SettledLoss(spec, moved)) / (2 * kStep);
      expected[i] = -kLearningRate * spec.beta * kLook * gradient / divisor;
      largest = std::max(largest, std::abs(expected[i]));
    }
    EXPECT_GT(largest, 1e-12) << name;
    for (size_t i = 0; i < changes.size(); ++i) {
      EXPECT_NEAR(changes[i], expected[i], 2e-4 * largest) << name << "[" << i << "]";
    }
  }
}

Spec WithOutput(std::vector<int64_t> input_shape, std::vector<Layer> layers) {
  Spec spec;
  spec.input_shape = std::move(input_shape);
  spec.layers = std::move(layers);
  spec.layers.push_back(DenseLayer("out", 3, Activation::kTanh, kLearningRate));
  spec.beta = 0.01;
  return spec;
}

TEST(LatentEquilibriumGradient, IsFollowedByDenseLayers) {
  const Spec spec = WithOutput({4}, {DenseLayer("a", 6, Activation::kTanh, kLearningRate),
                                     DenseLayer("b", 5, Activation::kSigmoid, kLearningRate)});
  ExpectFollowsTheGradient(spec);
}

TEST(LatentEquilibriumGradient, IsFollowedInDynamicsOrder) {
  Spec spec = WithOutput({4}, {DenseLayer("a", 6, Activation::kTanh, kLearningRate),
                               DenseLayer("b", 5, Activation::kSigmoid, kLearningRate)});
  spec.order = Spec::Order::kDynamics;
  ExpectFollowsTheGradient(spec);
}

TEST(LatentEquilibriumGradient, IsFollowedByConvolutionsBelowAPoolOfEitherKind) {
  for (const Pooling kind : {Pooling::kMax, Pooling::kAverage}) {
    Layer first = ConvolutionLayer("a", 2, {3}, Activation::kTanh, kLearningRate);
    std::get<Layer::Convolution>(first.kind).padding = {1};
    Layer second = ConvolutionLayer("c", 3, {2}, Activation::kSigmoid, kLearningRate);
    const Spec spec = WithOutput({1, 6, 6}, {first, PoolLayerOf("b", {2}, kind), second});
    ExpectFollowsTheGradient(spec, {{"a.b", 36.0}, {"c.b", 4.0}});
  }
}

TEST(LatentEquilibriumGradient, IsFollowedThroughPoolsOnPools) {
  const Layer first = ConvolutionLayer("a", 2, {2}, Activation::kTanh, kLearningRate);
  const Layer max = PoolLayerOf("b", {2}, Pooling::kMax);
  const Layer average = PoolLayerOf("c", {2}, Pooling::kAverage);
  ExpectFollowsTheGradient(WithOutput({1, 9}, {first, max, average}), {{"a.b", 8.0}});
  Layer lower = average, upper = max;
  lower.name = std::string("b");
  upper.name = std::string("c");
  ExpectFollowsTheGradient(WithOutput({1, 9}, {first, lower, upper}), {{"a.b", 8.0}});
}

double Cosine(const Arrays& a, const Arrays& b) {
  double ab = 0, aa = 0, bb = 0;
  for (const auto& [name, values] : a) {
    for (size_t i = 0; i < values.size(); ++i) {
      ab += values[i] * b.at(name)[i];
      aa += values[i] * values[i];
      bb += b.at(name)[i] * b.at(name)[i];
    }
  }
  return ab / std::sqrt(aa * bb);
}

TEST(LatentEquilibriumGradient, KeepsItsDirectionWhenErrorsReachTheMembraneWeakly) {
  Spec spec = WithOutput({4}, {DenseLayer("a", 6, Activation::kTanh, kLearningRate)});
  Arrays first;
  const Arrays without = Learned(spec, first);
  spec.gamma = 1.0;
  EXPECT_GT(Cosine(Learned(spec, first), without), 0.999);
}

}  // namespace
}  // namespace prospero
