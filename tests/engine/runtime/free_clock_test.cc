// Starting, pausing, and jobs on a free clock.

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/host.h"

namespace prospero {
namespace {

using testing::Each;
using testing::ElementsAre;

Instance::Options Free() {
  Instance::Options options;
  options.clock = ClockMode::kFree;
  return options;
}

/// Stops the network in a step until the test has done something.
struct Stop {
  explicit Stop(int64_t at) : step(at) {}
  void operator()(const Step& now) {
    if (now.index != step) return;
    reached.Open();
    leave.Pass();
  }
  const int64_t step;
  Door reached, leave;
};

std::function<void(ToyNetwork&)> StopAt(Stop& stop) {
  return [&stop](ToyNetwork& toy) { toy.on_advance = [&stop](const Step& now) { stop(now); }; };
}

TEST(FreeClock, StartsPausedAndRunsUntilItIsPaused) {
  Stop stop(1000);
  Host host(Free(), 1, StopAt(stop));
  EXPECT_EQ(host.instance->status().state, RunState::kPaused);
  EXPECT_EQ(host.Start()->step, 0);
  stop.reached.Pass();
  EXPECT_EQ(host.instance->status().state, RunState::kRunning);
  stop.leave.Open();
  const Cursor paused = *host.Pause();
  EXPECT_GT(paused.step, 1000);
  host.Settle();
  EXPECT_EQ(host.instance->status().state, RunState::kPaused);
  EXPECT_EQ(host.instance->status().cursor, paused);
  const Cursor resumed = *host.Start();
  EXPECT_EQ(resumed, paused);
}

TEST(FreeClock, StartAndPauseSayNothingWhenNothingChanges) {
  Host host(Free());
  Watch watch(host, {.selections = {{.variables = {host.toy->u}, .every_steps = 1 << 30}}});
  ASSERT_TRUE(host.Pause().ok());
  ASSERT_TRUE(host.Start().ok());
  ASSERT_TRUE(host.Start().ok());
  ASSERT_TRUE(host.Pause().ok());
  EXPECT_EQ(watch.NextEvent().kind, Event::Kind::kStarted);
  EXPECT_EQ(watch.NextEvent().kind, Event::Kind::kPaused);
  host.Settle();
  Observed rest;
  EXPECT_FALSE(watch.observer->Take(0, &rest));
}

TEST(FreeClock, FramesTakeEffectAtTheStepTheyAreFor) {
  Stop stop(10);
  Host host(Free(), 1, StopAt(stop));
  const auto driver = host.Attach();
  ASSERT_TRUE(host.Start().ok());
  stop.reached.Pass();
  Job job;
  job.At(2000).Steps(3).Give(host.toy->target, {1}).Return({host.toy->steps});
  job.Submit(*driver);
  stop.leave.Open();
  job.Wait();
  EXPECT_TRUE(job.status.ok()) << job.status;
  EXPECT_THAT(AsFloats(job.results[0]), ElementsAre(2001, 2002, 2003));
  EXPECT_EQ(job.cursor, (Cursor{0, 2003}));
  EXPECT_EQ(job.loss_steps, 3);
}

TEST(FreeClock, RefusesFramesOfThePast) {
  Stop stop(10);
  Host host(Free(), 1, StopAt(stop));
  const auto driver = host.Attach();
  ASSERT_TRUE(host.Start().ok());
  stop.reached.Pass();
  Job job;
  job.At(5).Submit(*driver);
  stop.leave.Open();
  job.Wait();
  EXPECT_EQ(Reason(job.status), "STEP_MISMATCH");
  EXPECT_EQ(job.steps_done, 0);
}

TEST(FreeClock, NoTargetIsPresentOutsideOfJobs) {
  Stop stop(3);
  Host host(Free(), 1, StopAt(stop));
  const auto driver = host.Attach();
  Watch watch(host,
              {.selections = {{.variables = {host.toy->present_index()}}}, .capacity = 1'000'000});
  Job job;
  job.At(1000).Steps(2).Give(host.toy->target, {1, 1}).Submit(*driver);
  EXPECT_EQ(Reason(job.Wait().status), "NETWORK_PAUSED");  // It would wait for ever.
  ASSERT_TRUE(host.Start().ok());
  stop.reached.Pass();
  job.Submit(*driver);
  stop.leave.Open();
  EXPECT_TRUE(job.Wait().status.ok()) << job.status;
  ASSERT_TRUE(host.Pause().ok());
  for (const ObservedSample& sample : watch.Samples(1003)) {
    const bool taught = sample.cursor.step == 1001 || sample.cursor.step == 1002;
    EXPECT_EQ(AsFloats(sample.values[0])[0], taught ? 1 : 0) << sample.cursor.step;
  }
}

TEST(FreeClock, RefusesJobsWhilePausedAndEndsTheOneThatWaits) {
  Stop stop(10);
  Host host(Free(), 1, StopAt(stop));
  const auto driver = host.Attach();
  Job job, waiting;
  job.Run(*driver);
  EXPECT_EQ(job.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Reason(job.status), "NETWORK_PAUSED");
  ASSERT_TRUE(host.Start().ok());
  stop.reached.Pass();
  waiting.At(int64_t{1} << 40).Submit(*driver);
  stop.leave.Open();
  ASSERT_TRUE(host.Pause().ok());
  waiting.Wait();
  EXPECT_EQ(Reason(waiting.status), "NETWORK_PAUSED");
  EXPECT_EQ(waiting.steps_done, 0);
}

TEST(Pause, BreaksOffARunningJobBetweenTwoSteps) {
  Stop stop(300);
  Host host({}, 1, StopAt(stop));
  const auto driver = host.Attach();
  Job job, refused;
  job.Steps(1000).Give(host.toy->target, {1}).Return({host.toy->steps}).Submit(*driver);
  stop.reached.Pass();
  Box<absl::StatusOr<Cursor>> paused;
  host.instance->Pause([&](absl::StatusOr<Cursor> at) { paused.Put(at); });
  stop.leave.Open();
  job.Wait();
  EXPECT_EQ(Reason(job.status), "NETWORK_PAUSED");
  EXPECT_EQ(job.steps_done, 512);
  EXPECT_EQ(AsFloats(job.results[0]).size(), 512U);
  EXPECT_EQ(job.loss_steps, 512);
  EXPECT_EQ(paused.Take()->step, 512);
  EXPECT_EQ(Reason(refused.Run(*driver).status), "NETWORK_PAUSED");
  ASSERT_TRUE(host.Start().ok());
  EXPECT_TRUE(refused.Run(*driver).status.ok());
}

TEST(SetClock, FramesByStepGiveTheSameBitsOnBothClocks) {
  const auto run = [](ClockMode clock) {
    Stop stop(1);
    Instance::Options options;
    options.clock = clock;
    options.seed = 9;
    Host host(options, 1, StopAt(stop));
    const auto driver = host.Attach();
    Job quiet, taught;
    quiet.Steps(500).Every(500);
    taught.At(500).Steps(400).Give(host.toy->x, {1, -2, 3}).Give(host.toy->target, {2});
    taught.Return({host.toy->u, host.toy->W});
    if (clock == ClockMode::kLockstep) {
      quiet.Submit(*driver);
    } else {
      EXPECT_TRUE(host.Start().ok());
    }
    stop.reached.Pass();
    taught.Submit(*driver);
    stop.leave.Open();
    taught.Wait();
    EXPECT_TRUE(taught.status.ok()) << taught.status;
    return taught.results;
  };
  EXPECT_EQ(run(ClockMode::kLockstep), run(ClockMode::kFree));
}

TEST(FreeClock, StopsWhereItDiverges) {
  Host host(Free());
  Watch watch(host, {.selections = {{.variables = {host.toy->steps}}}});
  ASSERT_TRUE(host.Assign(host.toy->diverge_at, Floats({700})).ok());
  ASSERT_TRUE(host.Start().ok());
  EXPECT_EQ(watch.NextEvent().kind, Event::Kind::kStarted);
  const Event event = watch.NextEvent();
  EXPECT_EQ(event.kind, Event::Kind::kPaused);
  EXPECT_THAT(event.message, testing::HasSubstr("diverged in step 700: 'u'"));
  const InstanceStatus status = host.instance->status();
  EXPECT_EQ(status.state, RunState::kFailed);
  EXPECT_EQ(status.cursor, (Cursor{0, 700}));
  EXPECT_EQ(watch.Samples(700).back().cursor.step, 700);
  Observed rest;
  EXPECT_FALSE(watch.observer->Take(1, &rest));
  EXPECT_TRUE(watch.observer->end().ok());
}

}  // namespace
}  // namespace prospero
