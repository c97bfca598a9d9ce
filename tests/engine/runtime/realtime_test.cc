// A network whose steps come by wall time, on time that the test makes pass.

#include <chrono>

#include "engine/runtime/admission.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/host.h"

namespace prospero {
namespace {

using std::chrono::milliseconds;
using testing::DoubleEq;
using testing::ElementsAre;
using testing::HasSubstr;

/// A step in each ms.
Instance::Options Realtime(Overrun overrun = Overrun::kSkip) {
  Instance::Options options;
  options.dt = 1.0;
  options.clock = ClockMode::kRealtime;
  options.clock.overrun = overrun;
  return options;
}

/// Lets that much time pass at once; returns the step at which the network stands then.
int64_t Pass(Host& host, std::chrono::nanoseconds time) {
  host.time.Advance(time);
  host.Settle();
  host.Settle();  // The slice of the first one is over.
  return host.instance->status().cursor.step;
}

absl::StatusOr<Cursor> SetClock(Host& host, const ClockSpec& clock) {
  return host.Ask([&](auto done) { host.instance->SetClock(clock, done); });
}

double Signal(Host& host, const std::string& name) {
  Watch watch(host, {.selections = {{.variables = {host.instance->variables().Find(name)},
                                     .every_steps = int64_t{1} << 40}},
                     .start = ObserverSpec::Start::kSnapshot});
  double value = 0.0;
  std::memcpy(&value, watch.Samples(1)[0].values[0].data(), sizeof(value));
  return value;
}

TEST(RealtimeClock, StartsPausedAndMakesTheStepsThatAreDue) {
  Host host(Realtime());
  EXPECT_EQ(host.instance->status().state, RunState::kPaused);
  EXPECT_EQ(Pass(host, milliseconds(10)), 0);
  ASSERT_TRUE(host.Start().ok());
  EXPECT_EQ(Pass(host, milliseconds(1)), 1);
  EXPECT_EQ(Pass(host, std::chrono::microseconds(999)), 1);
  EXPECT_EQ(Pass(host, std::chrono::microseconds(2)), 2);
  ASSERT_TRUE(host.Pause().ok());
  EXPECT_EQ(Pass(host, milliseconds(10)), 2);
  ASSERT_TRUE(host.Start().ok());  // What was missed in the pause is not made.
  EXPECT_EQ(Pass(host, milliseconds(2)), 4);
  EXPECT_EQ(Signal(host, "clock.overruns"), 0);
}

TEST(RealtimeClock, StepsComeWithoutACallAndNeverEarly) {
  const auto scheduler = Scheduler::Make(2);
  Instance::Options options = Realtime();
  auto network = std::make_unique<ToyNetwork>();
  Box<bool> enough;
  network->on_advance = [&enough](const Step& step) {
    if (step.index == 19) enough.Put(true);
  };
  const auto instance = Instance::Make(std::move(network), scheduler.get(), options);
  const auto begin = std::chrono::steady_clock::now();
  instance->Start(nullptr);
  enough.Take();
  const auto passed = std::chrono::steady_clock::now() - begin;
  // Steps may be left out on a machine that is busy elsewhere, but none comes before its time.
  EXPECT_GE(passed, milliseconds(20));
  instance->End(absl::AbortedError("over"));
}

TEST(RealtimeClock, AJobRunsInTheNextStepsThatAreDue) {
  Host host(Realtime());
  const auto driver = host.Attach();
  ASSERT_TRUE(host.Start().ok());
  EXPECT_EQ(Pass(host, milliseconds(2)), 2);
  Job job;
  job.Steps(3).Give(host.toy->x, {1, 2, 3}).Return({host.toy->steps}).Submit(*driver);
  EXPECT_EQ(Pass(host, milliseconds(0)), 2);
  EXPECT_EQ(Pass(host, milliseconds(1)), 3);
  EXPECT_EQ(driver->in_flight(), 1);
  EXPECT_EQ(Pass(host, milliseconds(2)), 5);
  job.Wait();
  EXPECT_TRUE(job.status.ok()) << job.status;
  EXPECT_THAT(AsFloats(job.results[0]), ElementsAre(3, 4, 5));
  EXPECT_EQ(job.cursor, (Cursor{0, 5}));
  EXPECT_EQ(job.queued_ns, 1'000'000);                          // Until the first step.
  EXPECT_EQ(job.stepping_ns, 0);                                // No time passed in steps.
  EXPECT_EQ(Pass(host, milliseconds(2)), 7);                    // It goes on without one,
  EXPECT_EQ(host.Snap()->arrays[0].values, Floats({1, 2, 3}));  // with the inputs held.
}

TEST(RealtimeClock, AJobIsFoundWithoutAnotherCall) {
  Host host(Realtime());
  const auto driver = host.Attach();
  ASSERT_TRUE(host.Start().ok());
  for (int64_t k = 1; k <= 20; ++k) {
    Job job;
    job.Submit(*driver);
    host.time.Advance(milliseconds(1));
    job.Wait();
    EXPECT_EQ(job.cursor.step, k);
  }
}

TEST(RealtimeClock, FramesTakeEffectAtTheStepTheyAreFor) {
  Host host(Realtime());
  const auto driver = host.Attach();
  ASSERT_TRUE(host.Start().ok());
  Job job, late, bad;
  job.At(4).Steps(2).Give(host.toy->target, {1}).Return({host.toy->steps}).Submit(*driver);
  late.At(3).Submit(*driver);
  EXPECT_EQ(Pass(host, milliseconds(3)), 3);
  EXPECT_EQ(driver->in_flight(), 2);
  EXPECT_EQ(Pass(host, milliseconds(2)), 5);
  EXPECT_EQ(Pass(host, milliseconds(2)), 7);
  EXPECT_THAT(AsFloats(job.Wait().results[0]), ElementsAre(5, 6));
  EXPECT_EQ(job.loss_steps, 2);
  EXPECT_EQ(Reason(late.Wait().status), "STEP_MISMATCH");
  bad.Steps(0).Run(*driver);  // Needs no time.
  EXPECT_EQ(bad.status.code(), absl::StatusCode::kInvalidArgument);
}

TEST(RealtimeClock, AChangeOfTheClockLeavesTheNetworkRunningOrPaused) {
  Host host;
  Watch watch(host, {.selections = {{.variables = {host.toy->u}, .every_steps = 1 << 30}}});
  for (const ClockMode mode : {ClockMode::kRealtime, ClockMode::kFree, ClockMode::kLockstep}) {
    ASSERT_TRUE(SetClock(host, mode).ok());
    ASSERT_TRUE(SetClock(host, mode).ok());  // Says nothing.
    EXPECT_EQ(host.instance->status().state, RunState::kRunning);
    EXPECT_EQ(host.instance->status().clock, ClockSpec(mode));
    EXPECT_EQ(watch.NextEvent().kind, Event::Kind::kClockChanged);
  }
  ASSERT_TRUE(host.Pause().ok());
  EXPECT_EQ(watch.NextEvent().kind, Event::Kind::kPaused);
  for (const ClockMode mode : {ClockMode::kFree, ClockMode::kRealtime, ClockMode::kLockstep}) {
    ASSERT_TRUE(SetClock(host, mode).ok());
    EXPECT_EQ(host.instance->status().state, RunState::kPaused);
  }
  ClockSpec bad(ClockMode::kRealtime);
  bad.speed = -1;
  EXPECT_EQ(FieldPath(SetClock(host, bad).status()), "speed");
}

TEST(RealtimeClock, ADriverStaysThroughEveryClock) {
  Host host({.dt = 1.0});
  const auto driver = host.Attach();
  Job lockstep, realtime, free, again;
  lockstep.Steps(2).Run(*driver);
  EXPECT_EQ(lockstep.cursor.step, 2);
  ASSERT_TRUE(SetClock(host, ClockMode::kRealtime).ok());
  realtime.Steps(2).Submit(*driver);
  EXPECT_EQ(Pass(host, milliseconds(2)), 4);
  EXPECT_EQ(realtime.Wait().cursor.step, 4);
  ASSERT_TRUE(SetClock(host, ClockMode::kFree).ok());
  free.Steps(3).Run(*driver);
  EXPECT_TRUE(free.status.ok()) << free.status;
  const int64_t stopped = SetClock(host, ClockMode::kLockstep)->step;
  again.At(stopped).Run(*driver);
  EXPECT_TRUE(again.status.ok()) << again.status;
  EXPECT_EQ(again.cursor.step, stopped + 1);
}

TEST(RealtimeClock, CountsWhatComesTooLateAndTellsOfItOnce) {
  Host host(Realtime());
  Watch watch(host, {.selections = {{.variables = {host.toy->u}, .every_steps = 1 << 30}}});
  ASSERT_TRUE(host.Start().ok());
  EXPECT_EQ(watch.NextEvent().kind, Event::Kind::kStarted);
  EXPECT_EQ(Pass(host, milliseconds(11)), 1);
  EXPECT_EQ(Signal(host, "clock.overruns"), 1);
  EXPECT_EQ(Signal(host, "clock.skipped"), 10);
  EXPECT_EQ(Pass(host, milliseconds(11)), 2);
  const Event event = watch.NextEvent();
  EXPECT_EQ(event.kind, Event::Kind::kOverrun);
  EXPECT_THAT(event.message, HasSubstr("10 ms late; so far 1 overruns, 10 steps left out"));
  EXPECT_EQ(Signal(host, "clock.overruns"), 2);
  EXPECT_EQ(Pass(host, std::chrono::seconds(1)), 3);
  EXPECT_THAT(watch.NextEvent().message, HasSubstr("so far 3 overruns"));
}

TEST(RealtimeClock, OverrunsAreCountedWhenAStepCostsMoreThanItsPeriod) {
  Door enough;
  Host host(Realtime(Overrun::kSlowDown), 1, nullptr);
  host.toy->on_advance = [&](const Step& step) {
    host.time.Advance(milliseconds(3));
    if (step.index == 100) enough.Open();
  };
  ASSERT_TRUE(host.Start().ok());
  host.time.Advance(milliseconds(1));
  enough.Pass();  // It is always late from now on, and needs no more time.
  ASSERT_TRUE(host.Pause().ok());
  EXPECT_GE(Signal(host, "clock.overruns"), 30);
  EXPECT_EQ(Signal(host, "clock.skipped"), 0);
  EXPECT_THAT(Signal(host, "clock.step_cost"), DoubleEq(3.0));
  EXPECT_NEAR(Signal(host, "clock.speed"), 1.0 / 3.0, 0.01);
}

TEST(RealtimeClock, ARecordReplaysBitForBitInLockstep) {
  Host host(Realtime());
  const ToyNetwork& toy = *host.toy;
  Watch watch(host, {.selections = {{.variables = {toy.x, toy.target, toy.present_index(),
                                                   toy.learning, toy.u, toy.W}}},
                     .capacity = 10'000});
  const auto driver = host.Attach();
  ASSERT_TRUE(host.Start().ok());
  int64_t steps = 0;
  for (int round = 0; round < 40; ++round) {
    Job job;
    const auto value = static_cast<float>(round);
    job.Steps(1 + round % 3).Give(toy.x, {value, -value, 0.5F});
    if (round % 4 != 3) job.Give(toy.target, {std::sin(value)});
    job.Submit(*driver);
    if (round % 10 == 5) {
      host.Ask([&](auto done) { host.instance->SetLearning(round % 20 == 15, done); })
          .IgnoreError();
    }
    steps = Pass(host, milliseconds(1 + round % 3));
    if (round % 7 == 0) steps = Pass(host, milliseconds(30));  // Some are left out.
    job.Wait();
  }
  ASSERT_TRUE(host.Pause().ok());
  ASSERT_GT(steps, 80);

  Host replay({.dt = 1.0});
  const auto replayer = replay.Attach();
  int64_t next = 0;
  for (const ObservedSample& sample : watch.Samples(static_cast<size_t>(steps))) {
    ASSERT_TRUE(replay.Assign(toy.learning, sample.values[3]).ok());
    Job job;
    job.At(next++).Give(toy.x, AsFloats(sample.values[0])).Return({toy.u, toy.W});
    if (AsFloats(sample.values[2])[0] != 0) job.Give(toy.target, AsFloats(sample.values[1]));
    job.Run(*replayer);
    ASSERT_TRUE(job.status.ok()) << job.status;
    ASSERT_EQ(job.results[0], sample.values[4]) << "step " << next;
    ASSERT_EQ(job.results[1], sample.values[5]) << "step " << next;
  }
  EXPECT_EQ(next, steps);
}

/// Steps of which each takes so long, when asked to.
struct Slow {
  explicit Slow(std::chrono::nanoseconds cost_given, Admission* admission)
      : cost(cost_given), host({.seed = 5, .admission = admission}, 1, [this](ToyNetwork& toy) {
          toy.on_advance = [this](const Step&) { host.time.Advance(cost); };
        }) {}
  std::chrono::nanoseconds cost;
  Host host;
};

TEST(Rehearsal, ChangesNothing) {
  Admission admission(0.8);
  const auto run = [&admission](bool rehearse) {
    Host host({.seed = 5, .admission = rehearse ? &admission : nullptr});
    const ToyNetwork& toy = *host.toy;
    // Values that steps would change, without a step whose cost would be known.
    EXPECT_TRUE(host.Assign(toy.x, Floats({1, -2, 4})).ok());
    const auto before = host.Snap();
    const auto look = [&host, &toy] {
      Watch watch(host, {.selections = {{.variables = {toy.u, toy.r, toy.loss, toy.norm, toy.count,
                                                       toy.present_index(), toy.steps}}},
                         .start = ObserverSpec::Start::kSnapshot});
      return watch.Samples(1)[0].values;
    };
    const auto seen = look();
    Watch watch(host, {.selections = {{.variables = {toy.count}}}});
    if (rehearse) {
      EXPECT_EQ(host.instance->status().step_cost_ns, -1);
      EXPECT_TRUE(SetClock(host, ClockMode::kRealtime).ok());
      EXPECT_EQ(host.instance->status().step_cost_ns, 0);
      EXPECT_TRUE(SetClock(host, ClockMode::kLockstep).ok());
    }
    EXPECT_EQ(host.instance->status().cursor, Cursor());
    EXPECT_EQ(host.Snap()->arrays, before->arrays);
    EXPECT_EQ(look(), seen);
    Job job;
    job.Steps(50).Give(toy.target, {2}).Return({toy.u, toy.W, toy.r, toy.loss, toy.count});
    job.Run(*host.Attach());
    const auto samples = watch.Samples(50);
    EXPECT_EQ(samples.front().cursor.step, 1);
    EXPECT_EQ(AsFloats(samples.back().values[0])[0], 50);
    return job.results;
  };
  EXPECT_EQ(run(true), run(false));
}

TEST(Rehearsal, OneThatDivergesInItStaysAsItWas) {
  Admission admission(0.8);
  Host host({.admission = &admission});
  ASSERT_TRUE(host.Assign(host.toy->diverge_at, Floats({3})).ok());
  ASSERT_TRUE(SetClock(host, ClockMode::kRealtime).ok());
  EXPECT_EQ(host.instance->status().state, RunState::kRunning);
  ASSERT_TRUE(host.Assign(host.toy->diverge_at, Floats({-1})).ok());
  ASSERT_TRUE(SetClock(host, ClockMode::kLockstep).ok());
  Job job;
  job.Steps(10).Run(*host.Attach());
  EXPECT_TRUE(job.status.ok()) << job.status;
}

TEST(RealtimeAdmission, RefusesWhatDoesNotFitWithTheFigures) {
  Admission admission(1.6);
  Slow slow(milliseconds(3), &admission);
  ClockSpec clock(ClockMode::kRealtime);
  clock.speed = 0.1;  // 1 kHz
  const absl::Status refused = SetClock(slow.host, clock).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Reason(refused), "REALTIME_OVERLOAD");
  EXPECT_EQ(Metadata(refused, "step_cost_ns"), "3000000");
  EXPECT_EQ(Metadata(refused, "rate_hz"), "1000");
  EXPECT_EQ(Metadata(refused, "wanted"), "3");
  EXPECT_EQ(Metadata(refused, "taken"), "0");
  EXPECT_EQ(Metadata(refused, "max"), "0.9");
  EXPECT_EQ(slow.host.instance->status().clock, ClockSpec());
  EXPECT_EQ(slow.host.instance->status().cursor.step, 0);
  clock.speed = 0.01;  // 100 Hz
  EXPECT_TRUE(SetClock(slow.host, clock).ok());
  EXPECT_NEAR(admission.taken(), 0.3, 1e-9);
}

TEST(RealtimeAdmission, CountsOthersAndGivesBackWhatIsNotNeededAnyMore) {
  Admission admission(1.0);
  ClockSpec clock(ClockMode::kRealtime);
  clock.speed = 0.02;  // 200 Hz
  Slow first(milliseconds(3), &admission);
  {
    Slow second(milliseconds(3), &admission);
    ASSERT_TRUE(SetClock(first.host, clock).ok());
    EXPECT_NEAR(admission.taken(), 0.6, 1e-9);
    const auto try_clock = [&](Slow& slow) {
      return slow.host.Ask([&](auto done) { slow.host.instance->TryClock(clock, done); }).status();
    };
    const absl::Status refused = SetClock(second.host, clock).status();
    EXPECT_EQ(Reason(refused), "REALTIME_OVERLOAD");
    EXPECT_THAT(std::string(refused.message()), HasSubstr("of which 0.6 are taken"));
    EXPECT_EQ(try_clock(second), refused);
    EXPECT_TRUE(try_clock(first).ok());
    clock.speed = 0.025;  // In the place of what it has.
    ASSERT_TRUE(SetClock(first.host, clock).ok());
    EXPECT_NEAR(admission.taken(), 0.75, 1e-9);
    ASSERT_TRUE(SetClock(first.host, ClockMode::kFree).ok());
    EXPECT_EQ(admission.taken(), 0.0);
    ASSERT_TRUE(SetClock(second.host, clock).ok());
    EXPECT_NEAR(admission.taken(), 0.75, 1e-9);
  }
  EXPECT_EQ(admission.taken(), 0.0);  // It has ended.
}

}  // namespace
}  // namespace prospero
