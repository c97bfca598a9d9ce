// What an input is in each step, given the frames of its feed.

#include "engine/runtime/port_feed.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/host.h"

namespace prospero {
namespace {

using testing::ElementsAre;
using Value = PortFeed::Value;
using Taken = PortFeed::Taken;

/// A feed of one float, moved step by step.
struct Port {
  explicit Port(Between between, Late late = Late::kDrop, int64_t max_pending = 8)
      : feed(Scalar(), between, late, max_pending) {}

  static Variable Scalar() {
    Variable variable;
    variable.name = "x";
    variable.role = Role::kInput;
    variable.shape = {1};
    variable.strides = {1};
    return variable;
  }

  /// A frame comes before the present step.
  Taken Frame(float value, absl::optional<int64_t> at_step = {}) {
    FeedFrame frame{Floats({value}), at_step};
    return feed.Take(frame, step);
  }
  Value Step() { return feed.Advance({3, step++}); }
  /// The values of the next `count` steps, all of which must have one.
  std::vector<float> Steps(int count) {
    std::vector<float> values;
    for (int i = 0; i < count; ++i) {
      EXPECT_EQ(Step(), Value::kGiven) << "step " << step - 1;
      values.push_back(Now());
    }
    return values;
  }
  float Now() const { return AsFloats(std::string(feed.values(), sizeof(float)))[0]; }

  PortFeed feed;
  int64_t step = 0;
};

TEST(PortFeed, HoldsTheLastFrameFromTheFirstOneOn) {
  Port port(Between::kHold);
  EXPECT_EQ(port.Step(), Value::kNone);
  port.Frame(5);
  EXPECT_THAT(port.Steps(3), ElementsAre(5, 5, 5));
  port.Frame(7);
  EXPECT_THAT(port.Steps(2), ElementsAre(7, 7));
  EXPECT_EQ(port.feed.counts().applied, 2);
  EXPECT_EQ(port.feed.counts().first_applied, (Cursor{3, 1}));
  EXPECT_EQ(port.feed.counts().last_applied, (Cursor{3, 4}));
}

TEST(PortFeed, FramesWithAStepTakeEffectInIt) {
  Port port(Between::kHold);
  port.Frame(1, 2);
  port.Frame(2, 3);
  port.Frame(3, 6);
  EXPECT_EQ(port.feed.pending(), 3);
  EXPECT_EQ(port.Step(), Value::kNone);
  EXPECT_EQ(port.Step(), Value::kNone);
  EXPECT_THAT(port.Steps(5), ElementsAre(1, 2, 2, 2, 3));
  EXPECT_FALSE(port.feed.has_frames());
  EXPECT_EQ(port.feed.counts().applied, 3);
}

TEST(PortFeed, ZeroHoldsAFrameForOneStep) {
  Port port(Between::kZero);
  EXPECT_EQ(port.Step(), Value::kNone);
  port.Frame(5);
  EXPECT_THAT(port.Steps(1), ElementsAre(5));
  EXPECT_EQ(port.Step(), Value::kZero);
  port.Frame(6, 4);
  EXPECT_EQ(port.Step(), Value::kZero);
  EXPECT_THAT(port.Steps(1), ElementsAre(6));
  EXPECT_EQ(port.Step(), Value::kZero);
}

TEST(PortFeed, LinearReachesAFrameInItsStep) {
  Port port(Between::kLinear);
  port.Frame(10, 2);
  EXPECT_EQ(port.Step(), Value::kNone);  // There is nothing to come from.
  EXPECT_EQ(port.Step(), Value::kNone);
  port.Frame(14, 6);
  port.Frame(0, 8);
  EXPECT_THAT(port.Steps(8), ElementsAre(10, 11, 12, 13, 14, 7, 0, 0));
}

TEST(PortFeed, LinearReachesOtherFramesAfterTheStepsSinceTheOneBefore) {
  Port port(Between::kLinear);
  port.Frame(0);
  EXPECT_THAT(port.Steps(4), ElementsAre(0, 0, 0, 0));
  port.Frame(8);  // Four steps after the first: it is reached four steps later.
  EXPECT_THAT(port.Steps(4), ElementsAre(0, 2, 4, 6));
  port.Frame(0);
  EXPECT_THAT(port.Steps(6), ElementsAre(8, 6, 4, 2, 0, 0));
}

TEST(PortFeed, LinearTakesALateFrameAsOneWithoutAStep) {
  Port port(Between::kLinear, Late::kApply);
  port.Frame(0);
  port.Steps(2);
  EXPECT_EQ(port.Frame(4, 1), Taken::kKept);
  EXPECT_THAT(port.Steps(4), ElementsAre(0, 2, 4, 4));
  EXPECT_EQ(port.feed.counts().late, 1);
}

TEST(PortFeed, LateFramesAreDroppedAppliedOrRefused) {
  for (const auto& [late, taken, value] : {std::tuple(Late::kDrop, Taken::kDropped, 1.0F),
                                           std::tuple(Late::kApply, Taken::kKept, 2.0F),
                                           std::tuple(Late::kRefuse, Taken::kRefused, 1.0F)}) {
    Port port(Between::kHold, late);
    port.Frame(1);
    port.Steps(5);
    EXPECT_EQ(port.Frame(2, 4), taken);
    EXPECT_THAT(port.Steps(1), ElementsAre(value));
    EXPECT_EQ(port.feed.counts().late, 1);
    EXPECT_EQ(port.feed.counts().applied, taken == Taken::kKept ? 2 : 1);
  }
}

TEST(PortFeed, TheNewestOfSeveralFramesForAStepWins) {
  Port port(Between::kHold);
  port.Frame(1, 1);
  port.Step();
  port.Frame(2);
  port.Frame(3);
  EXPECT_THAT(port.Steps(1), ElementsAre(3));
  EXPECT_EQ(port.feed.counts().applied, 1);
  EXPECT_EQ(port.feed.counts().replaced, 2);
}

TEST(PortFeed, YieldsToSomebodyElseForTheirSteps) {
  Port hold(Between::kHold);
  hold.Frame(1);
  hold.Steps(1);
  hold.Frame(2, 2);
  hold.feed.Yield({3, hold.step++});
  hold.feed.Yield({3, hold.step++});
  EXPECT_THAT(hold.Steps(2), ElementsAre(2, 2));
  EXPECT_EQ(hold.feed.counts().last_applied, (Cursor{3, 3}));

  Port zero(Between::kZero);
  zero.Frame(1);
  zero.feed.Yield({3, zero.step++});
  EXPECT_EQ(zero.Step(), Value::kZero);
  EXPECT_EQ(zero.feed.counts().applied, 0);
  EXPECT_EQ(zero.feed.counts().replaced, 1);
}

TEST(PortFeed, KeepsItsFramesInARing) {
  Port port(Between::kHold, Late::kDrop, 3);
  int64_t at = 1;
  for (int64_t step = 0; step < 100; ++step) {
    for (; port.feed.pending() < 3; ++at) port.Frame(static_cast<float>(at), at);
    ASSERT_EQ(port.Step(), step == 0 ? Value::kNone : Value::kGiven);
    EXPECT_EQ(port.Now(), static_cast<float>(step));
  }
  EXPECT_EQ(port.feed.counts().applied, 99);
  EXPECT_EQ(port.feed.counts().replaced, 0);
}

}  // namespace
}  // namespace prospero
