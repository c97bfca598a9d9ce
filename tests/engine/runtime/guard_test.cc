// A network whose inputs, or driver, stop.

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/gate.h"
#include "tests/engine/runtime/host.h"

namespace prospero {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using Kind = Event::Kind;

constexpr int64_t kSlice = 256;
constexpr auto kTimeout = milliseconds(100);

Instance::Options Free() {
  Instance::Options options;
  options.clock = ClockMode::kFree;
  return options;
}

/// A network that runs as far as the test says, on time that passes when it says so, with a feed of
/// each input and somebody who watches all of it.
struct Robot {
  explicit Robot(SafetySpec spec = {}) : host(Free(), 1, gate.Prepare()) {
    Declare(std::move(spec));
    x = *host.instance->OpenFeed({.input = toy().x});
    target = *host.instance->OpenFeed({.input = toy().target});
  }
  ~Robot() { gate.Open(); }
  const ToyNetwork& toy() const { return *host.toy; }
  int Find(const char* name) const { return host.instance->variables().Find(name); }

  void Declare(SafetySpec spec) {
    const auto declared = host.Ask([&](auto done) { host.instance->SetSafety(spec, done); });
    ASSERT_TRUE(declared.ok()) << declared.status();
  }
  SafetySpec Watched(Fallback fallback = Fallback::kHold, std::string fail_safe = {}) const {
    return {.inputs = {{toy().x, kTimeout, fallback, std::move(fail_safe)}}};
  }
  void Start() {
    ASSERT_TRUE(host.Start().ok());
    gate.RunTo(0);
  }
  /// Runs until the slice that is going on has ended, and another one after it: so what has come
  /// until now, and the time, were looked at, and what came of it was told.
  void RunOn() { gate.RunTo(stand += 2 * kSlice); }
  void Stop() {
    gate.Open();
    ASSERT_TRUE(host.Pause().ok());
  }
  void Sense() {
    ASSERT_TRUE(x->Push({Floats({1, 2, 3}), {}, false}).ok());
    ASSERT_TRUE(target->Push({Floats({0.7F}), {}, false}).ok());
  }

  Gate gate;
  Host host;
  int64_t stand = 0;
  std::shared_ptr<Feed> x, target;
};

std::vector<Kind> Kinds(Watch& watch, size_t count) {
  std::vector<Kind> kinds;
  while (kinds.size() < count) kinds.push_back(watch.NextEvent().kind);
  return kinds;
}

ObserverSpec Every(std::vector<int> variables) {
  return {.selections = {{.variables = std::move(variables)}}, .capacity = 1'000'000};
}

float Last(const std::vector<ObservedSample>& samples, size_t variable) {
  return AsFloats(samples.back().values[variable])[0];
}

TEST(Guard, FreezesWhatIsLearnedWhenASensorFallsSilentAndLetsItGoOnAfterwards) {
  Robot robot;
  robot.Declare(robot.Watched());
  Watch watch(robot.host, Every({robot.toy().W, robot.toy().learning}));
  robot.Start();
  robot.Sense();
  robot.RunOn();
  robot.host.time.Advance(kTimeout);
  robot.RunOn();
  EXPECT_TRUE(robot.host.instance->status().unsafe);
  EXPECT_TRUE(robot.host.instance->status().learning) << "what is wished";
  EXPECT_EQ(watch.NextEvent().kind, Kind::kStarted);
  const Event silent = watch.NextEvent();
  EXPECT_EQ(silent.kind, Kind::kInputSilent);
  EXPECT_EQ(silent.variable, "in.x");
  EXPECT_EQ(watch.NextEvent().kind, Kind::kLearningFrozen);
  robot.Sense();
  robot.RunOn();
  EXPECT_FALSE(robot.host.instance->status().unsafe);
  const Event returned = watch.NextEvent();
  EXPECT_EQ(returned.kind, Kind::kInputReturned);
  EXPECT_EQ(watch.NextEvent().kind, Kind::kLearningResumed);
  robot.Stop();
  const std::vector<ObservedSample> samples = watch.Samples(static_cast<size_t>(robot.stand));
  const std::string* before = &samples[kSlice].values[0];
  int64_t frozen_steps = 0;
  for (size_t i = kSlice + 1; i < samples.size(); ++i) {
    const int64_t step = samples[i].cursor.step;
    const bool frozen = step > silent.cursor.step && step <= returned.cursor.step;
    EXPECT_EQ(AsFloats(samples[i].values[1])[0], frozen ? 0 : 1) << step;
    EXPECT_EQ(samples[i].values[0] == *before, frozen) << step;
    before = &samples[i].values[0];
    frozen_steps += frozen ? 1 : 0;
  }
  EXPECT_GE(frozen_steps, kSlice);
}

TEST(Guard, FramesThatAreRefusedAreNoSignOfLife) {
  Robot robot;
  robot.Declare(robot.Watched());
  Watch watch(robot.host, Every({robot.toy().W}));
  robot.Start();
  for (int i = 0; i < 10; ++i) {
    robot.host.time.Advance(kTimeout / 10);
    ASSERT_TRUE(robot.x->Push({Floats({1, NAN, 3}), {}, false}).ok());
    ASSERT_TRUE(robot.x->Push({Floats({1, 2}), {}, false}).ok());
    ASSERT_TRUE(robot.x->Push({Floats({1, 2, 3}), {}, /*too_old=*/true}).ok());
    ASSERT_TRUE(robot.target->Push({Floats({0.7F}), {}, false}).ok());
    robot.RunOn();
  }
  EXPECT_THAT(Kinds(watch, 2), ElementsAre(Kind::kStarted, Kind::kInputSilent));
  EXPECT_TRUE(robot.host.instance->status().unsafe);
}

TEST(Guard, SilentInputsTakeTheirFallback) {
  const auto sees = [](Fallback fallback, const std::string& fail_safe) {
    Robot robot;
    robot.Declare(robot.Watched(fallback, fail_safe));
    Watch watch(robot.host, Every({robot.toy().x}));
    robot.Start();
    robot.Sense();
    robot.RunOn();
    robot.host.time.Advance(kTimeout * 2);
    robot.RunOn();
    robot.Stop();
    return AsFloats(watch.Samples(static_cast<size_t>(robot.stand)).back().values[0]);
  };
  EXPECT_THAT(sees(Fallback::kHold, ""), ElementsAre(1, 2, 3));
  EXPECT_THAT(sees(Fallback::kZero, ""), ElementsAre(0, 0, 0));
  EXPECT_THAT(sees(Fallback::kFailSafe, Floats({7, 8, 9})), ElementsAre(7, 8, 9));
  EXPECT_THAT(sees(Fallback::kFailSafe, Floats({7})), ElementsAre(7, 7, 7));
}

TEST(Guard, ASilentTargetIsAbsent) {
  Robot robot;
  robot.Declare({.inputs = {{.input = robot.toy().target,
                             .timeout = kTimeout,
                             .fallback = Fallback::kFailSafe,
                             .fail_safe = Floats({9})}},
                 .keep_learning = true});
  Watch watch(robot.host, Every({robot.toy().present_index(), robot.toy().W}));
  robot.Start();
  robot.Sense();
  robot.RunOn();
  robot.host.time.Advance(kTimeout);
  robot.RunOn();
  robot.Stop();
  const auto samples = watch.Samples(static_cast<size_t>(robot.stand));
  EXPECT_EQ(AsFloats(samples[2 * kSlice - 1].values[0])[0], 1);
  EXPECT_EQ(Last(samples, 0), 0);
  EXPECT_EQ(samples.back().values[1], samples[samples.size() - 2].values[1]);
}

TEST(Guard, CommandsAreTheRatesWhileSafeAndElseWhatWasDeclared) {
  for (const Fallback fallback : {Fallback::kHold, Fallback::kZero, Fallback::kFailSafe}) {
    Robot robot;
    SafetySpec spec = robot.Watched();
    const int command = robot.Find("out.command");
    ASSERT_GE(command, 0);
    spec.outputs = {{command, fallback, fallback == Fallback::kFailSafe ? Floats({-5}) : ""}};
    robot.Declare(spec);
    Watch watch(robot.host, Every({robot.toy().r, command, robot.Find("safety.unsafe")}));
    robot.Start();
    robot.Sense();
    robot.RunOn();
    robot.host.time.Advance(kTimeout);
    robot.RunOn();
    robot.Stop();
    ASSERT_EQ(watch.NextEvent().kind, Kind::kStarted);
    const Event told = watch.NextEvent();
    EXPECT_EQ(told.kind, Kind::kInputSilent);
    float held = 0;
    for (const ObservedSample& sample : watch.Samples(static_cast<size_t>(robot.stand))) {
      double unsafe = -1;
      std::memcpy(&unsafe, sample.values[2].data(), sizeof(unsafe));
      const float rate = AsFloats(sample.values[0])[0];
      const float seen = AsFloats(sample.values[1])[0];
      if (unsafe == 0) {
        EXPECT_EQ(seen, rate) << sample.cursor.step;
        held = rate;
      } else {
        const float declared = fallback == Fallback::kHold   ? held
                               : fallback == Fallback::kZero ? 0
                                                             : -5;
        EXPECT_EQ(seen, declared) << sample.cursor.step;
      }
      EXPECT_EQ(unsafe, sample.cursor.step > told.cursor.step ? 1 : 0) << sample.cursor.step;
    }
  }
}

TEST(Guard, ADriversFramesAreSignsOfLife) {
  Robot robot;
  robot.Declare(robot.Watched());
  const auto driver = robot.host.Attach();
  Watch watch(robot.host, Every({robot.toy().W}));
  ASSERT_TRUE(robot.host.Start().ok());
  robot.gate.Open();
  for (int i = 0; i < 30; ++i) {
    Job job;
    job.Give(robot.toy().x, {1, 2, 3}).Run(*driver);
    ASSERT_TRUE(job.status.ok());
    robot.host.time.Advance(kTimeout * 9 / 10);
  }
  EXPECT_FALSE(robot.host.instance->status().unsafe);
  EXPECT_EQ(watch.NextEvent().kind, Kind::kStarted);
  robot.host.time.Advance(kTimeout);
  EXPECT_THAT(Kinds(watch, 2), ElementsAre(Kind::kInputSilent, Kind::kLearningFrozen));
  Job job;
  job.Give(robot.toy().x, {1, 2, 3}).Run(*driver);
  EXPECT_THAT(Kinds(watch, 2), ElementsAre(Kind::kInputReturned, Kind::kLearningResumed));
}

TEST(Guard, WhatIsWishedOfLearningOutlivesTheFreeze) {
  Robot robot;
  robot.Declare(robot.Watched());
  Watch watch(robot.host, Every({robot.toy().learning}));
  robot.Start();
  robot.host.time.Advance(kTimeout);
  robot.gate.Open();
  EXPECT_THAT(Kinds(watch, 3),
              ElementsAre(Kind::kStarted, Kind::kInputSilent, Kind::kLearningFrozen));
  EXPECT_TRUE(robot.host.instance->status().learning);
  const auto saved = robot.host.Snap();
  for (const Snapshot::Array& array : saved->arrays) {
    if (array.name != "learning") continue;
    EXPECT_THAT(AsFloats(array.values), ElementsAre(1));
  }
  ASSERT_TRUE(
      robot.host.Ask([&](auto done) { robot.host.instance->SetLearning(false, done); }).ok());
  EXPECT_FALSE(robot.host.instance->status().learning);
  ASSERT_TRUE(robot.host.Assign(robot.toy().learning, Floats({1})).ok());
  EXPECT_TRUE(robot.host.instance->status().learning);
  ASSERT_TRUE(
      robot.host.Ask([&](auto done) { robot.host.instance->RestoreSnapshot(saved, "", done); })
          .ok());
  EXPECT_TRUE(robot.host.instance->status().learning);
  EXPECT_TRUE(robot.host.instance->status().unsafe);
  robot.host.time.Advance(milliseconds(1));
  Watch late(robot.host, {.selections = {{.variables = {robot.toy().learning}}},
                          .start = ObserverSpec::Start::kSnapshot});
  EXPECT_THAT(AsFloats(late.Samples(1)[0].values[0]), ElementsAre(0));
}

TEST(Guard, ALockstepNetworkIsAlwaysSafe) {
  Robot robot;
  robot.Declare(robot.Watched());
  Watch watch(robot.host, Every({robot.toy().learning}));
  robot.Start();
  robot.host.time.Advance(kTimeout);
  robot.gate.Open();
  while (watch.NextEvent().kind != Kind::kLearningFrozen) {
  }
  ASSERT_TRUE(
      robot.host.Ask([&](auto done) { robot.host.instance->SetClock(ClockMode::kLockstep, done); })
          .ok());
  while (watch.NextEvent().kind != Kind::kLearningResumed) {
  }
  robot.host.Settle();
  EXPECT_FALSE(robot.host.instance->status().unsafe);
}

TEST(Guard, ItIsUnsafeWithoutADriverWhenItNeedsOne) {
  Robot robot({.driver_timeout = kTimeout});
  Watch watch(robot.host, Every({robot.toy().learning}));
  auto driver = robot.host.Attach();
  ASSERT_TRUE(robot.host.Start().ok());
  robot.gate.Open();
  EXPECT_THAT(Kinds(watch, 2), ElementsAre(Kind::kDriverCame, Kind::kStarted));
  robot.host.time.Advance(kTimeout * 5);
  robot.host.Settle();
  EXPECT_FALSE(robot.host.instance->status().unsafe);
  driver->Detach("it was unplugged");
  const Event left = watch.NextEvent();
  EXPECT_EQ(left.kind, Kind::kDriverLeft);
  EXPECT_THAT(left.message, testing::HasSubstr("it was unplugged"));
  robot.host.time.Advance(kTimeout);
  EXPECT_THAT(Kinds(watch, 2), ElementsAre(Kind::kDriverMissing, Kind::kLearningFrozen));
  driver = robot.host.Attach();
  EXPECT_THAT(Kinds(watch, 2), ElementsAre(Kind::kDriverCame, Kind::kLearningResumed));
}

TEST(Guard, AnotherDeclarationBeginsAnew) {
  Robot robot;
  robot.Declare(robot.Watched());
  Watch watch(robot.host, Every({robot.toy().learning}));
  robot.Start();
  robot.host.time.Advance(kTimeout);
  robot.gate.Open();
  while (watch.NextEvent().kind != Kind::kLearningFrozen) {
  }
  robot.Declare({});
  EXPECT_EQ(watch.NextEvent().kind, Kind::kLearningResumed);
  robot.host.Settle();
  EXPECT_FALSE(robot.host.instance->status().unsafe);
}

}  // namespace
}  // namespace prospero
