// What can be changed while a network learns, and what its learning leaves behind.

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "engine/models/gle/gle.h"
#include "tests/support/pair.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

TEST(GleTarget, ThatIsAbsentTeachesNothing) {
  auto network = Make(Pair());
  Teach(1.0, 2.0, *network);
  // Whatever a target holds does not matter while it is absent.
  Set(*network, "y.target", std::nan(""));
  Set(*network, "y.teach", 0.0);
  Advance(100, *network);
  EXPECT_TRUE(network->finite());
  EXPECT_EQ(Value(*network, "x_to_y.W"), 0.5);
  EXPECT_EQ(Value(*network, "loss"), 0);
}

TEST(GleTarget, BelongsToItsPresence) {
  auto network = Make(Pair());
  const Variable& target = Get(*network, "y.target");
  ASSERT_GE(target.presence, 0);
  EXPECT_EQ(network->variables()[target.presence].name, "y.teach");
  EXPECT_EQ(Get(*network, "x.r").presence, -1);
}

TEST(GleLearning, StopsAndStartsAtAWord) {
  auto network = Make(Pair());
  Teach(1.0, 2.0, *network);
  for (const char* gate : {"learning", "x_to_y.W.plastic"}) {
    Set(*network, gate, 0.0);
    const double before = Value(*network, "x_to_y.W");
    Advance(50, *network);
    EXPECT_EQ(Value(*network, "x_to_y.W"), before) << gate;
    EXPECT_NE(Value(*network, "y.e"), 0.0) << gate;
    Set(*network, gate, 1.0);
    Advance(50, *network);
    EXPECT_GT(Value(*network, "x_to_y.W"), before) << gate;
  }
}

TEST(GleLearning, StartsSwitchedOffWhenAskedTo) {
  GleSpec spec = Pair();
  spec.projections[0].plasticity->enabled = false;
  auto network = Make(spec);
  Teach(1.0, 2.0, *network);
  Advance(50, *network);
  EXPECT_EQ(Value(*network, "x_to_y.W"), 0.5);
}

TEST(GleLearning, LeavesTheOptimizersMemoryWhileItIsOff) {
  GleSpec spec = Pair();
  spec.projections[0].plasticity->optimizer = Optimizer::kAdam;
  auto network = Make(spec);
  Teach(1.0, 2.0, *network);
  Advance(10, *network);
  const double m = Value(*network, "x_to_y.W.m");
  const double power = Value(*network, "x_to_y.W.beta1_power");
  EXPECT_NEAR(power, std::pow(static_cast<double>(0.9f), 10), 1e-12);
  Set(*network, "learning", 0.0);
  Advance(10, *network);
  EXPECT_EQ(Value(*network, "x_to_y.W.m"), m);
  EXPECT_EQ(Value(*network, "x_to_y.W.beta1_power"), power);
}

TEST(GleLearning, FollowsARateThatChanges) {
  GleSpec spec = Pair();
  auto slow = Make(spec), fast = Make(spec);
  for (Network* network : {slow.get(), fast.get()}) {
    Teach(1.0, 2.0, *network);
    Advance(100, *network);
  }
  Set(*fast, "x_to_y.W.eta", 0.02);
  const double before = Value(*slow, "x_to_y.W");
  for (Network* network : {slow.get(), fast.get()}) network->Advance({100, kPairDt});
  const double slow_step = Value(*slow, "x_to_y.W") - before;
  const double fast_step = Value(*fast, "x_to_y.W") - before;
  EXPECT_NEAR(fast_step / slow_step, 2.0, 1e-3);
}

TEST(GleTau, StaysAboveItsBoundOnlyWhileTheNetworkLearns) {
  GleSpec spec = Pair();
  spec.populations[1].tau_m = {0.1};
  spec.populations[1].tau_r = {0.2};
  spec.populations[1].tau_min = 0.3;
  auto network = Make(spec);
  Set(*network, "learning", 0.0);
  Advance(1, *network);
  EXPECT_FLOAT_EQ(static_cast<float>(Value(*network, "y.tau_m")), 0.1f);
  Set(*network, "learning", 1.0);
  Advance(1, *network);
  EXPECT_FLOAT_EQ(static_cast<float>(Value(*network, "y.tau_m")), 0.3f);
  EXPECT_FLOAT_EQ(static_cast<float>(Value(*network, "y.tau_r")), 0.3f);
}

TEST(GleBeta, ScalesTheErrorStepByStep) {
  auto network = Make(Pair());
  Teach(1.0, 2.0, *network);
  Set(*network, "learning", 0.0);
  Advance(200, *network);
  const double e = Value(*network, "y.e");
  Set(*network, "y.beta", 0.25);
  network->Advance({200, kPairDt});
  EXPECT_NEAR(Value(*network, "y.inst_e"), 0.25 * e, 1e-5);
}

TEST(GleGamma, LetsTheErrorMoveTheMembrane) {
  auto network = Make(Pair());
  Teach(1.0, 2.0, *network);
  Set(*network, "learning", 0.0);
  Advance(500, *network);
  EXPECT_NEAR(Value(*network, "y.u"), 0.5, 1e-4);
  Set(*network, "y.gamma", 0.5);
  Advance(500, *network);
  // u = W r + gamma (target - u)
  EXPECT_NEAR(Value(*network, "y.u"), (0.5 + 0.5 * 2.0) / 1.5, 1e-4);
}

TEST(GleSwallowed, CountsUpdatesBelowTheLastBit) {
  GleSpec spec = Pair();
  spec.projections[0].plasticity->learning_rate = 1e-9;
  auto network = Make(spec);
  Teach(1.0, 2.0, *network);
  Advance(10, *network);
  EXPECT_TRUE(std::isnan(Value(*network, "x_to_y.W.swallowed")));
  *Get(*network, "x_to_y.W.swallowed").watched = true;
  Advance(1, *network);
  EXPECT_EQ(Value(*network, "x_to_y.W.swallowed"), 1);
  EXPECT_EQ(Value(*network, "x_to_y.W.update_ratio"), 0);
  Set(*network, "x_to_y.W.eta", 1e-2);
  const double before = Value(*network, "x_to_y.W");
  Advance(1, *network);
  const double after = Value(*network, "x_to_y.W");
  EXPECT_EQ(Value(*network, "x_to_y.W.swallowed"), 0);
  EXPECT_NEAR(Value(*network, "x_to_y.W.update_ratio"), (after - before) / after, 1e-6);
}

}  // namespace
}  // namespace prospero
