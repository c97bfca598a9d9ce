#include "engine/models/gle/gle.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/pair.h"
#include "tests/support/tangle.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

TEST(Gle, LearnsAFactor) {
  auto network = Make(Pair());
  Teach(1.0, 2.0, *network);
  Advance(5000, *network);
  EXPECT_NEAR(Value(*network, "x_to_y.W"), 2.0, 1e-4);
  EXPECT_NEAR(Value(*network, "loss"), 0.0, 1e-7);
}

TEST(Gle, IsSilentAtFirst) {
  auto network = Make(Pair(Activation::kSigmoid));
  Teach(1.0, 2.0, *network);
  EXPECT_EQ(Value(*network, "y.r"), 0);
  EXPECT_EQ(Value(*network, "y.r_prime"), 0);
  network->Advance({0, kPairDt});
  EXPECT_EQ(Value(*network, "y.y"), 0);
  EXPECT_EQ(Value(*network, "y.e"), 0);
  EXPECT_GT(Value(*network, "y.r"), 0.5);
}

TEST(Gle, ATrialOfNoWeightListensAndTheOthersLearnAsIfAlone) {
  const NetworkOptions two = PairOptions(DataType::kFloat64, 2);
  const NetworkOptions one = PairOptions(DataType::kFloat64, 1);
  auto pair = Make(Pair(), two);
  auto alone = Make(Pair(), one);
  Set(*pair, "y.trial_weight", {1.0, 0.0});
  Set(*pair, "x_to_y.W.eta", 2.0 * Value(*alone, "x_to_y.W.eta"));  // the mean is over two
  for (int n = 0; n < 500; ++n) {
    const double x = std::sin(0.1 * n);
    Teach(x, 2.0 * x, *alone);
    Teach(x, 2.0 * x, *pair);
    Set(*pair, "x.r", {x, std::cos(0.3 * n)});
    Advance(1, *alone);
    Advance(1, *pair);
    ASSERT_NEAR(Value(*pair, "x_to_y.W"), Value(*alone, "x_to_y.W"), 1e-12);
    ASSERT_EQ(Values(*pair, "y.e")[1], 0.0);
    ASSERT_NEAR(2.0 * Value(*pair, "loss"), Value(*alone, "loss"), 1e-12);
  }
  EXPECT_GT(std::abs(Value(*alone, "x_to_y.W") - 0.5), 0.1);
  EXPECT_NE(Values(*pair, "y.r")[1], Values(*pair, "y.r")[0]);
}

class GleInBothPrecisions : public testing::TestWithParam<DataType> {};

TEST_P(GleInBothPrecisions, GoesOnBitForBitFromItsSavedVariables) {
  auto first = Make(Tangle(), PairOptions(GetParam()));
  RunTangle(0, 150, kPairDt, *first);
  auto second = Make(Tangle(), PairOptions(GetParam()));
  RestoreBytes(SavedBytes(*first), *second);
  RunTangle(150, 300, kPairDt, *first);
  RunTangle(150, 300, kPairDt, *second);
  EXPECT_TRUE(first->finite());
  EXPECT_EQ(SavedBytes(*first), SavedBytes(*second));
}

TEST_P(GleInBothPrecisions, GivesTheSameBitsWhoeverWatches) {
  auto alone = Make(Tangle(), PairOptions(GetParam()));
  auto watched = Make(Tangle(), PairOptions(GetParam()));
  for (const Variable& variable : watched->variables()) {
    if (variable.watched != nullptr) *variable.watched = true;
  }
  for (int64_t n = 0; n < 100; ++n) {
    RunTangle(n, n + 1, kPairDt, *alone);
    RunTangle(n, n + 1, kPairDt, *watched);
    for (const Variable& variable : watched->variables()) Values(*watched, variable.name);
  }
  EXPECT_EQ(SavedBytes(*alone), SavedBytes(*watched));
}

TEST_P(GleInBothPrecisions, ReturnsToItsStart) {
  auto network = Make(Tangle(), PairOptions(GetParam()));
  const std::string start = SavedBytes(*network);
  RunTangle(0, 100, kPairDt, *network);
  EXPECT_NE(SavedBytes(*network), start);
  network->Reset(11, {});
  EXPECT_EQ(SavedBytes(*network), start);
  network->Reset(12, {});
  EXPECT_NE(SavedBytes(*network), start);
}

TEST_P(GleInBothPrecisions, GivesEqualTrialsTheSameStates) {
  auto batch = Make(Tangle(), PairOptions(GetParam(), 3));
  auto single = Make(Tangle(), PairOptions(GetParam(), 1));
  for (const Network* network : {batch.get(), single.get()}) {
    for (const char* name : {"learning", "a.sigma", "b.sigma"}) Set(*network, name, 0.0);
  }
  for (int64_t n = 0; n < 100; ++n) {
    WriteTangle(n, *single);
    for (const char* name : {"x.r", "z.r", "out.target", "classes.target"}) {
      std::vector<double> values;
      for (int trial = 0; trial < 3; ++trial) {
        const std::vector<double> one = Values(*single, name);
        values.insert(values.end(), one.begin(), one.end());
      }
      Set(*batch, name, values);
    }
    for (const char* name : {"out.teach", "classes.teach"}) {
      Set(*batch, name, Value(*single, name));
    }
    single->Advance({n, kPairDt});
    batch->Advance({n, kPairDt});
  }
  for (const char* name : {"a.u", "a.e", "c.v", "classes.r", "out.e_bottom"}) {
    const std::vector<double> all = Values(*batch, name), one = Values(*single, name);
    for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], one[i % one.size()]) << name;
  }
}

TEST_P(GleInBothPrecisions, LearnsFromEqualTrialsAsFromOne) {
  auto batch = Make(Pair(Activation::kTanh), PairOptions(GetParam(), 5));
  auto single = Make(Pair(Activation::kTanh), PairOptions(GetParam(), 1));
  for (Network* network : {batch.get(), single.get()}) {
    Teach(0.7, 0.9, *network);
    Advance(500, *network);
  }
  EXPECT_GT(Value(*single, "x_to_y.W"), 0.6);
  EXPECT_NEAR(Value(*batch, "x_to_y.W"), Value(*single, "x_to_y.W"), 1e-5);
  EXPECT_NEAR(Value(*batch, "loss"), Value(*single, "loss"), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Float, GleInBothPrecisions,
                         testing::Values(DataType::kFloat32, DataType::kFloat64));

TEST(GleReset, PutsBackOnlyWhatIsAskedFor) {
  auto network = Make(Tangle());
  const std::vector<double> first = Values(*network, "a_to_a.W");
  RunTangle(0, 50, kPairDt, *network);
  const std::vector<double> learned = Values(*network, "a_to_a.W");
  network->Reset(11, {.state = true, .weights = false, .noise = false});
  EXPECT_EQ(Values(*network, "a_to_a.W"), learned);
  EXPECT_EQ(Values(*network, "a.u"), std::vector<double>(57, 0.0));
  RunTangle(0, 50, kPairDt, *network);
  const std::vector<double> u = Values(*network, "a.u");
  network->Reset(11, {.state = false, .weights = true, .noise = false});
  EXPECT_EQ(Values(*network, "a_to_a.W"), first);
  EXPECT_EQ(Values(*network, "a.u"), u);
}

TEST(GleReset, LeavesParametersAsTheyWereSet) {
  auto network = Make(Pair());
  Set(*network, "x_to_y.W.eta", 0.5);
  Set(*network, "y.gamma", 0.25);
  network->Reset(0, {});
  EXPECT_EQ(Value(*network, "x_to_y.W.eta"), 0.5);
  EXPECT_EQ(Value(*network, "y.gamma"), 0.25);
}

TEST(GleReset, BringsBackANetworkThatDiverged) {
  auto network = Make(Pair());
  Teach(1e30, 2.0, *network);
  Advance(100, *network);
  EXPECT_FALSE(network->finite());
  network->Reset(0, {});
  EXPECT_TRUE(network->finite());
  Teach(1.0, 2.0, *network);
  Advance(5000, *network);
  EXPECT_TRUE(network->finite());
  EXPECT_NEAR(Value(*network, "x_to_y.W"), 2.0, 1e-3);
}

TEST(GleDivergence, IsForgottenWhenSavedVariablesAreRestored) {
  auto network = Make(Tangle()), twin = Make(Tangle());
  RunTangle(0, 50, kPairDt, *network);
  const std::string saved = SavedBytes(*network);
  RestoreBytes(saved, *twin);
  Set(*network, "x.r", std::nan(""));
  network->Advance({50, kPairDt});
  network->Advance({51, kPairDt});
  EXPECT_FALSE(network->finite());
  RestoreBytes(saved, *network);
  network->AssumeFinite();
  RunTangle(50, 100, kPairDt, *network);
  RunTangle(50, 100, kPairDt, *twin);
  EXPECT_TRUE(network->finite());
  EXPECT_EQ(SavedBytes(*network), SavedBytes(*twin));
}

TEST(GleDivergence, IsSeenInTheStepAndNamesAVariable) {
  GleSpec spec = Pair();
  spec.projections[0].plasticity->learning_rate = 1e6;
  auto network = Make(spec);
  Teach(1.0, 2.0, *network);
  EXPECT_EQ(FindNonFinite(network->variables()), -1);
  int64_t n = 0;
  while (network->finite() && n < 10'000) network->Advance({n++, kPairDt});
  ASSERT_FALSE(network->finite());
  const int index = FindNonFinite(network->variables());
  ASSERT_GE(index, 0);
  EXPECT_EQ(network->variables()[index].name, "x_to_y.W");
}

TEST(GleDivergence, IsSeenWhenAnInputIsNoNumber) {
  auto network = Make(Pair());
  Teach(std::nan(""), 2.0, *network);
  network->Advance({0, kPairDt});
  EXPECT_FALSE(network->finite());
}

TEST(GleVariables, HaveTheRolesOfWhatMovesThem) {
  auto network = Make(Tangle());
  const auto role = [&](const char* name) { return Get(*network, name).role; };
  EXPECT_EQ(role("x.r"), Role::kInput);
  EXPECT_EQ(role("out.target"), Role::kInput);
  EXPECT_EQ(role("out.beta"), Role::kInput);
  EXPECT_EQ(role("a.r"), Role::kState);
  EXPECT_EQ(role("a.e_bottom"), Role::kState);
  EXPECT_EQ(role("a.e"), Role::kSignal);
  EXPECT_EQ(role("out.y"), Role::kSignal);
  EXPECT_EQ(role("a.b"), Role::kWeight);
  EXPECT_EQ(role("b.b"), Role::kParameter);
  EXPECT_EQ(role("a.tau_m"), Role::kWeight);
  EXPECT_EQ(role("b.tau_r"), Role::kWeight);
  EXPECT_EQ(role("d.tau_m"), Role::kParameter);
  EXPECT_EQ(role("c_to_d.W"), Role::kWeight);
  EXPECT_EQ(role("a_to_b.W.v2"), Role::kWeight);
  EXPECT_EQ(role("a_to_b.W.eta"), Role::kParameter);
  EXPECT_EQ(role("a.gamma"), Role::kParameter);
  EXPECT_EQ(role("learning"), Role::kParameter);
  EXPECT_EQ(role("loss"), Role::kSignal);
}

TEST(GleVariables, SayWhatMayBeWritten) {
  auto network = Make(Tangle());
  const double dt = static_cast<float>(kPairDt);
  EXPECT_EQ(Get(*network, "a.tau_m").minimum, dt);
  EXPECT_EQ(Get(*network, "d.tau_r").minimum, dt);
  EXPECT_EQ(Get(*network, "a.gamma").minimum, 0.0);
  EXPECT_EQ(Get(*network, "a.gamma").maximum, 1.0);
  EXPECT_EQ(Get(*network, "out.beta").minimum, 0.0);
  EXPECT_EQ(Get(*network, "out.trial_weight").minimum, 0.0);
  EXPECT_EQ(Get(*network, "a_to_b.W.eta").minimum, 0.0);
  EXPECT_EQ(Get(*network, "a_to_b.W.plastic").maximum, 1.0);
  EXPECT_LT(Get(*network, "a.b.momentum").maximum, 1.0);
  EXPECT_GT(Get(*network, "c.tau_m.epsilon").minimum, 0.0);
  EXPECT_TRUE(std::isinf(Get(*network, "c_to_d.W").minimum));
}

TEST(GleVariables, HaveShapeUnitAndDescription) {
  auto network = Make(Tangle());
  EXPECT_EQ(Get(*network, "a.u").shape, (std::vector<int64_t>{3, 19}));
  EXPECT_EQ(Get(*network, "z_to_a.W").shape, (std::vector<int64_t>{19, 17}));
  EXPECT_EQ(Get(*network, "a.tau_m").shape, (std::vector<int64_t>{19}));
  EXPECT_EQ(Get(*network, "a.tau_m").unit, "ms");
  EXPECT_TRUE(Get(*network, "loss").shape.empty());
  for (const Variable& variable : network->variables()) {
    EXPECT_FALSE(variable.unit.empty()) << variable.name;
    EXPECT_FALSE(variable.description.empty()) << variable.name;
    EXPECT_TRUE(variable.computed() || variable.data != nullptr) << variable.name;
  }
}

}  // namespace
}  // namespace prospero
