#include "engine/core/learner.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "engine/core/describe.h"

namespace prospero {
namespace {

/// An array "p.b" of 3 values that learns.
struct Fixture {
  explicit Fixture(const Plasticity& plasticity) : learner(plasticity) {
    const Layout layout{1, 3, 1, PaddedRow<float>(3)};
    arena.Want(&b, layout.stride);
    learner.WantMemory(layout, arena);
    EXPECT_TRUE(arena.Allocate());
    learner.Register(Describe("p.b", Role::kWeight, {3}, b, "1", "bias"), variables);
  }
  const Variable& operator[](const std::string& name) const {
    const int index = variables.Find("p.b." + name);
    EXPECT_GE(index, 0) << name;
    return variables[index];
  }

  Learner<float> learner;
  float* b = nullptr;
  VariableTable variables;
  Arena arena;
};

Plasticity With(Optimizer optimizer) {
  Plasticity plasticity;
  plasticity.optimizer = optimizer;
  plasticity.learning_rate = 0.5;
  return plasticity;
}

TEST(Learner, OwnsTheVariablesOfItsOptimizer) {
  EXPECT_EQ(Fixture(With(Optimizer::kSgd)).variables.size(), 5);
  EXPECT_EQ(Fixture(With(Optimizer::kMomentum)).variables.size(), 7);
  EXPECT_EQ(Fixture(With(Optimizer::kLowPass)).variables.size(), 7);
  const Fixture adam(With(Optimizer::kAdam));
  EXPECT_EQ(adam.variables.size(), 12);
  EXPECT_EQ(adam["v2"].shape, (std::vector<int64_t>{3}));
  EXPECT_EQ(adam["v2"].role, Role::kWeight);
  EXPECT_EQ(adam["eta"].role, Role::kParameter);
  EXPECT_EQ(adam["eta"].scalar(), 0.5);
  EXPECT_EQ(adam["beta2_power"].type, DataType::kFloat64);
}

TEST(Learner, OfAConstantArrayOwnsNothing) {
  Learner<float> learner{absl::nullopt};
  Arena arena;
  learner.WantMemory({1, 3, 1, 16}, arena);
  EXPECT_EQ(arena.bytes(), 0);
  EXPECT_EQ(learner.Next(true).rule, Rule::kFixed);
}

TEST(Learner, TakesTheShortestRule) {
  Fixture sgd(With(Optimizer::kSgd));
  EXPECT_EQ(sgd.learner.Next(true).rule, Rule::kPlainSgd);
  sgd["clip"].Fill(0.1);
  EXPECT_EQ(sgd.learner.Next(true).rule, Rule::kSgd);
  sgd["clip"].Fill(0);
  sgd["weight_decay"].Fill(0.1);
  const Update<float> update = sgd.learner.Next(true);
  EXPECT_EQ(update.rule, Rule::kSgd);
  EXPECT_EQ(update.clip, std::numeric_limits<float>::infinity());
}

TEST(Learner, TakesTheGeneralRuleForABound) {
  Fixture sgd(With(Optimizer::kSgd));
  sgd["bound"].Fill(4);
  const Update<float> update = sgd.learner.Next(true);
  EXPECT_EQ(update.rule, Rule::kSgd);
  EXPECT_EQ(update.bound, 4.0f);
}

TEST(Learner, ForgetsTheLowPassOfItsGradient) {
  Plasticity plasticity = With(Optimizer::kLowPass);
  plasticity.mix = 0.25;
  Fixture low_pass(plasticity);
  const Update<float> update = low_pass.learner.Next(true);
  EXPECT_EQ(update.rule, Rule::kLowPass);
  EXPECT_EQ(update.mix, 0.25f);
  low_pass["m"].Fill(3);
  low_pass.learner.Forget();
  EXPECT_EQ(update.m[0], 0.0f);
}

TEST(Learner, DoesNothingWhileItIsOff) {
  Fixture adam(With(Optimizer::kAdam));
  EXPECT_EQ(adam.learner.Next(false).rule, Rule::kFixed);
  adam["plastic"].Fill(0);
  EXPECT_EQ(adam.learner.Next(true).rule, Rule::kFixed);
  EXPECT_EQ(adam["beta1_power"].scalar(), 1);
}

TEST(Learner, CorrectsTheBiasOfAdamInDoublePrecision) {
  Fixture adam(With(Optimizer::kAdam));
  for (int t = 1; t <= 1000; ++t) {
    const Update<float> update = adam.learner.Next(true);
    const auto expected = static_cast<float>(1 / std::sqrt(1 - std::pow(double{update.beta2}, t)));
    ASSERT_NEAR(update.v2_scale, expected, 1e-6f * expected) << t;
  }
  adam.learner.Forget();
  EXPECT_EQ(adam["beta2_power"].scalar(), 1);
}

}  // namespace
}  // namespace prospero
