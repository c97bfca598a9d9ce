// Which inputs are silent, and whether the driver is missing, by signs of life and the time.

#include "engine/runtime/safety.h"

#include <cmath>

#include "engine/core/errors.h"
#include "engine/runtime/commands.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/host.h"

namespace prospero {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

constexpr int kCamera = 3, kTouch = 5;

/// Counts on invented time: a camera with 100 ms, touch with 30 ms.
struct Watchman {
  explicit Watchman(absl::optional<Clock::Time::duration> driver_timeout = {}) {
    SafetySpec spec;
    spec.inputs = {{.input = kCamera, .timeout = milliseconds(100)},
                   {.input = kTouch, .timeout = milliseconds(30)}};
    if (driver_timeout.has_value()) spec.inputs.clear();
    spec.driver_timeout = driver_timeout;
    safety.Declare(spec, At(0));
  }
  static Clock::Time At(int64_t ms) { return Clock::Time(milliseconds(5000 + ms)); }
  Safety::Changes Look(int64_t ms) {
    Safety::Changes changes;
    safety.Look(At(ms), &changes);
    return changes;
  }
  Safety safety;
};

TEST(Safety, AnInputIsSilentWhenNoFrameCameForItsTimeout) {
  Watchman watch;
  EXPECT_FALSE(watch.Look(29).any());
  const Safety::Changes silent = watch.Look(30);
  EXPECT_THAT(silent.silent, ElementsAre(1));
  EXPECT_TRUE(silent.became_unsafe);
  EXPECT_TRUE(watch.safety.unsafe());
  EXPECT_FALSE(watch.Look(31).any());  // Told once.
  const Safety::Changes both = watch.Look(100);
  EXPECT_THAT(both.silent, ElementsAre(0));
  EXPECT_FALSE(both.became_unsafe);
}

TEST(Safety, TheFirstFrameOfEachSilentInputMakesItSafe) {
  Watchman watch;
  EXPECT_THAT(watch.Look(100).silent, ElementsAre(0, 1));
  watch.safety.Frame(kTouch, watch.At(101));
  const Safety::Changes one = watch.Look(101);
  EXPECT_THAT(one.returned, ElementsAre(1));
  EXPECT_FALSE(one.became_safe);
  watch.safety.Frame(kCamera, watch.At(110));
  const Safety::Changes other = watch.Look(110);
  EXPECT_THAT(other.returned, ElementsAre(0));
  EXPECT_TRUE(other.became_safe);
  EXPECT_FALSE(watch.safety.unsafe());
  EXPECT_THAT(watch.Look(131).silent, ElementsAre(1));
}

TEST(Safety, FramesOfOtherInputsAreNoSignOfLife) {
  Watchman watch;
  watch.safety.Frame(kCamera, watch.At(29));
  watch.safety.Frame(77, watch.At(29));
  EXPECT_THAT(watch.Look(30).silent, ElementsAre(1));
}

TEST(Safety, CountsAnewFromARestartButWhatIsSilentRemainsSo) {
  Watchman watch;
  watch.Look(30);
  watch.safety.Restart(watch.At(500));
  const Safety::Changes changes = watch.Look(510);
  EXPECT_FALSE(changes.any());
  EXPECT_TRUE(watch.safety.unsafe());
  EXPECT_FALSE(watch.Look(599).any());
  EXPECT_THAT(watch.Look(600).silent, ElementsAre(0));
}

TEST(Safety, NothingIsSilentWhileSuspended) {
  Watchman watch;
  watch.Look(30);
  watch.safety.Suspend();
  EXPECT_TRUE(watch.Look(40).became_safe);
  EXPECT_FALSE(watch.Look(100'000).any());
  EXPECT_FALSE(watch.safety.next_look().has_value());
}

TEST(Safety, NoDriverForTheTimeoutIsUnsafeUntilOneComes) {
  Watchman watch(milliseconds(50));
  EXPECT_FALSE(watch.Look(49).any());
  const Safety::Changes missing = watch.Look(50);
  EXPECT_TRUE(missing.driver_missing);
  EXPECT_TRUE(missing.became_unsafe);
  EXPECT_FALSE(watch.Look(60).any());
  watch.safety.Driven(true, watch.At(70));
  EXPECT_TRUE(watch.Look(70).became_safe);
  EXPECT_FALSE(watch.Look(1000).any());
  watch.safety.Driven(false, watch.At(1000));
  EXPECT_FALSE(watch.Look(1049).any());
  EXPECT_TRUE(watch.Look(1050).driver_missing);
}

TEST(Safety, SaysWhenItMustLookNext) {
  Watchman watch;
  EXPECT_EQ(watch.safety.next_look(), watch.At(30));
  watch.safety.Frame(kTouch, watch.At(90));
  EXPECT_EQ(watch.safety.next_look(), watch.At(100));
  watch.Look(100);
  EXPECT_EQ(watch.safety.next_look(), watch.At(120));
  watch.Look(120);
  EXPECT_FALSE(watch.safety.next_look().has_value());
  EXPECT_EQ(Watchman(milliseconds(50)).safety.next_look(), watch.At(50));
  EXPECT_FALSE(Watchman(Clock::Time::duration::max()).safety.next_look().has_value());
}

struct Table {
  ToyNetwork toy;
  Commands commands{toy};
  int command = toy.variables().Find("out.command");
  std::string Wrong(const SafetySpec& spec) {
    return FieldPath(CheckSafety(spec, toy.variables()));
  }
};

TEST(CheckSafety, NamesTheFieldThatIsWrong) {
  Table table;
  const ToyNetwork& toy = table.toy;
  const auto second = milliseconds(1000);
  EXPECT_EQ(table.Wrong({.inputs = {{.input = toy.u, .timeout = second}}}), "inputs[0].input");
  EXPECT_EQ(table.Wrong({.inputs = {{.input = toy.present_index(), .timeout = second}}}),
            "inputs[0].input");
  EXPECT_EQ(table.Wrong({.inputs = {{.input = toy.x, .timeout = second},
                                    {.input = toy.x, .timeout = second}}}),
            "inputs[1].input");
  EXPECT_EQ(table.Wrong({.inputs = {{.input = toy.x}}}), "inputs[0].timeout");
  const auto fail_safe = [&](const std::string& values) {
    return SafetySpec{.inputs = {{.input = toy.x,
                                  .timeout = second,
                                  .fallback = Fallback::kFailSafe,
                                  .fail_safe = values}}};
  };
  EXPECT_EQ(table.Wrong(fail_safe(Floats({1, 2}))), "inputs[0].fail_safe");
  EXPECT_EQ(table.Wrong(fail_safe(Floats({1, NAN, 2}))), "inputs[0].fail_safe");
  EXPECT_EQ(table.Wrong(fail_safe(Floats({1, 2, 3}))), "");
  EXPECT_EQ(table.Wrong(fail_safe(Floats({1}))), "");
  EXPECT_EQ(table.Wrong({.outputs = {{.command = toy.r}}}), "outputs[0].output");
  EXPECT_EQ(table.Wrong({.outputs = {{.command = table.command}}}), "");
  EXPECT_EQ(table.Wrong({.driver_timeout = milliseconds(0)}), "driver_timeout");
}

}  // namespace
}  // namespace prospero
