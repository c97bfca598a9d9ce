// What can be asked of a network between two steps, and its end.

#include <atomic>
#include <limits>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/host.h"

namespace prospero {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Doubles(double value) { return {reinterpret_cast<const char*>(&value), sizeof(value)}; }

std::string State(Host& host) {
  const auto snapshot = host.Snap();
  std::string state;
  for (const auto& array : snapshot->arrays) state += array.values;
  return state;
}

/// Some steps with a teacher.
void Teach(Host& host, int64_t steps) {
  Job job;
  job.Steps(steps).Every(steps).Give(host.toy->x, {1, -2, 4}).Give(host.toy->target, {2});
  job.Run(*host.Attach());
  ASSERT_TRUE(job.status.ok()) << job.status;
}

absl::StatusOr<Cursor> Reset(Host& host, ResetScopes scopes, bool step,
                             absl::optional<uint64_t> seed = absl::nullopt) {
  return host.Ask([&](auto done) { host.instance->Reset(scopes, step, seed, done); });
}

absl::StatusOr<Cursor> Restore(Host& host, std::shared_ptr<const Snapshot> snapshot) {
  return host.Ask([&](auto done) { host.instance->RestoreSnapshot(snapshot, "", done); });
}

TEST(Assign, SetsInputsParametersAndWeights) {
  Host host;
  Teach(host, 3);
  const auto at = host.Ask([&](auto done) {
    host.instance->Assign({{host.toy->x, Floats({7, 8, 9})},
                           {host.toy->gain, Floats({0.25F})},
                           {host.toy->W, Doubles(0.125)}},
                          done);
  });
  EXPECT_EQ(*at, (Cursor{0, 3}));
  const auto snapshot = host.Snap();
  EXPECT_EQ(snapshot->arrays[0].values, Floats({7, 8, 9}));
  EXPECT_EQ(snapshot->arrays[4].values, Floats({0.25F}));
  EXPECT_EQ(snapshot->arrays[7].values, Doubles(0.125));
}

TEST(Assign, OneValueFillsAVariable) {
  Host host;
  ASSERT_TRUE(host.Assign(host.toy->x, Floats({5})).ok());
  EXPECT_EQ(host.Snap()->arrays[0].values, Floats({5, 5, 5}));
}

TEST(Assign, IsAllOrNothing) {
  Host host;
  Teach(host, 3);
  const std::string before = State(host);
  const auto expect_refused = [&](Assignment bad, const std::string& path,
                                  const std::string& message) {
    const auto answer = host.Ask([&](auto done) {
      host.instance->Assign({{host.toy->gain, Floats({9})}, bad}, done);
    });
    EXPECT_EQ(answer.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(FieldPath(answer.status()), path);
    EXPECT_THAT(std::string(answer.status().message()), HasSubstr(message));
    EXPECT_EQ(State(host), before);
  };
  expect_refused({host.toy->u, Floats({1})}, "u", "neither an input nor a parameter nor a weight");
  expect_refused({host.toy->loss, Floats({1})}, "loss", "neither");
  expect_refused({99, Floats({1})}, "variable", "no variable 99");
  expect_refused({host.toy->x, Floats({1, 2})}, "in.x",
                 "takes 12 bytes, or 4 for one value, got 8");
  expect_refused({host.toy->W, Floats({1})}, "W", "takes 8 bytes");
  const float infinity = std::numeric_limits<float>::infinity();
  expect_refused({host.toy->x, Floats({1, infinity, 3})}, "in.x", "value 1 is inf");
}

TEST(SetLearning, StopsAndAllowsPlasticityAndShowsInTheStatus) {
  Host host;
  EXPECT_TRUE(host.instance->status().learning);
  ASSERT_TRUE(host.Ask([&](auto done) { host.instance->SetLearning(false, done); }).ok());
  EXPECT_FALSE(host.instance->status().learning);
  const auto before = host.Snap();
  Teach(host, 10);
  EXPECT_EQ(host.Snap()->arrays[7].values, before->arrays[7].values);
  ASSERT_TRUE(host.Assign(host.toy->learning, Floats({1})).ok());
  EXPECT_TRUE(host.instance->status().learning);
  Teach(host, 10);
  EXPECT_NE(host.Snap()->arrays[7].values, before->arrays[7].values);
}

TEST(Reset, PutsTheNamedPartsBackAndBeginsAnEpoch) {
  Host host;
  const std::string fresh = State(host);
  Teach(host, 10);
  const auto taught = host.Snap();
  const ResetScopes state = {.state = true, .weights = false, .noise = false};
  EXPECT_EQ(*Reset(host, state, /*step=*/false), (Cursor{1, 10}));
  EXPECT_EQ(host.Snap()->arrays[7].values, taught->arrays[7].values);
  EXPECT_EQ(host.Snap()->arrays[6].values, Floats({0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(*Reset(host, {}, /*step=*/true), (Cursor{2, 0}));
  EXPECT_EQ(State(host), fresh);
  Teach(host, 10);
  EXPECT_EQ(host.Snap()->arrays, taught->arrays);
}

TEST(Reset, WithASeedIsLikeMakingTheNetworkWithIt) {
  Host host;
  Teach(host, 10);
  ASSERT_TRUE(Reset(host, {}, /*step=*/true, 77).ok());
  EXPECT_EQ(host.Snap()->seed, 77U);
  Teach(host, 10);
  Host other({.seed = 77});
  Teach(other, 10);
  EXPECT_EQ(State(host), State(other));
}

TEST(Reset, BreaksOffARunningJobAndTellsEverybody) {
  Door begun, leave;
  Host host({}, 1, [&](ToyNetwork& toy) {
    toy.on_advance = [&](const Step& step) {
      if (step.index != 0) return;
      begun.Open();
      leave.Pass();
    };
  });
  Watch watch(host, {.selections = {{.variables = {host.toy->u}, .every_steps = 1'000'000}}});
  const auto driver = host.Attach();
  Job job, next;
  job.Steps(1000).Every(1000).Submit(*driver);
  next.At(256).Submit(*driver);
  begun.Pass();
  Box<bool> done;
  const ResetScopes scopes = {.state = true, .weights = true, .noise = true};
  host.instance->Reset(scopes, false, absl::nullopt,
                       [&](absl::StatusOr<Cursor>) { done.Put(true); });
  leave.Open();
  job.Wait();
  EXPECT_EQ(job.status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Reason(job.status), "EPOCH_CHANGED");
  EXPECT_EQ(job.steps_done, 256);
  EXPECT_EQ(job.cursor, (Cursor{0, 256}));
  EXPECT_TRUE(next.Wait().status.ok());
  EXPECT_EQ(next.cursor, (Cursor{1, 257}));
  EXPECT_EQ(watch.NextEvent().kind, Event::Kind::kDriverCame);
  const Event event = watch.NextEvent();
  EXPECT_EQ(event.kind, Event::Kind::kEpochChanged);
  EXPECT_EQ(event.cursor, (Cursor{1, 256}));
  done.Take();
}

TEST(Reset, AFailedNetworkGoesOnOnlyWhenStateAndWeightsWereReset) {
  Host host;
  ASSERT_TRUE(host.Assign(host.toy->diverge_at, Floats({5})).ok());
  const auto driver = host.Attach();
  Job job;
  EXPECT_EQ(Reason(job.Steps(10).Run(*driver).status), "DIVERGED");
  ASSERT_TRUE(host.Assign(host.toy->diverge_at, Floats({-1})).ok());
  ASSERT_TRUE(Reset(host, {.state = true, .weights = false, .noise = true}, true).ok());
  EXPECT_EQ(host.instance->status().state, RunState::kFailed);
  EXPECT_EQ(Reason(job.Run(*driver).status), "NETWORK_FAILED");
  ASSERT_TRUE(Reset(host, {}, true).ok());
  EXPECT_EQ(host.instance->status().state, RunState::kRunning);
  EXPECT_TRUE(host.instance->status().failure.ok());
  EXPECT_TRUE(job.Run(*driver).status.ok()) << job.status;
  EXPECT_EQ(job.cursor, (Cursor{2, 10}));
}

TEST(Snapshots, LetANetworkGoOnBitForBit) {
  Host host({.seed = 3});
  Teach(host, 100);
  const auto middle = host.Snap();
  EXPECT_EQ(middle->step, 100);
  Teach(host, 100);
  const auto end = host.Snap();
  EXPECT_EQ(*Restore(host, middle), (Cursor{1, 100}));
  Teach(host, 100);
  EXPECT_EQ(host.Snap()->arrays, end->arrays);

  Host other({.seed = 4});
  EXPECT_EQ(*Restore(other, middle), (Cursor{1, 100}));
  Teach(other, 100);
  EXPECT_EQ(other.Snap()->arrays, end->arrays);
  EXPECT_EQ(other.Snap()->seed, 3U);
}

TEST(Snapshots, DoNotDisturbTheJobTheyAreTakenIn) {
  const auto run = [](bool snapshots) {
    Door begun, leave;
    Host host({}, 1, [&](ToyNetwork& toy) {
      toy.on_advance = [&](const Step& step) {
        if (step.index != 0) return;
        begun.Open();
        leave.Pass();
      };
    });
    const auto driver = host.Attach();
    Job job;
    job.Steps(2000).Give(host.toy->target, {2}).Return({host.toy->u, host.toy->W});
    job.Submit(*driver);
    begun.Pass();
    Box<int64_t> steps;
    using Result = absl::StatusOr<std::shared_ptr<const Snapshot>>;
    for (int i = 0; snapshots && i < 5; ++i) {
      host.instance->TakeSnapshot([&](const Result& taken) { steps.Put((*taken)->step); });
    }
    leave.Open();
    job.Wait();
    for (int i = 0; snapshots && i < 5; ++i) EXPECT_EQ(steps.Take(), 256);
    return job.results;
  };
  EXPECT_EQ(run(true), run(false));
}

TEST(Snapshots, RestoringHealsAFailedNetwork) {
  Host host;
  Teach(host, 3);
  const auto good = host.Snap();
  ASSERT_TRUE(host.Assign(host.toy->diverge_at, Floats({5})).ok());
  Job job;
  job.Steps(10).Run(*host.Attach());
  EXPECT_EQ(host.instance->status().state, RunState::kFailed);
  const auto bad = host.Snap();  // Can be taken, to look at it.
  EXPECT_EQ(*Restore(host, good), (Cursor{1, 3}));
  EXPECT_EQ(host.instance->status().state, RunState::kRunning);
  const auto refused = Restore(host, bad);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("'u' must be finite"));
  EXPECT_EQ(host.Snap()->arrays, good->arrays);
  EXPECT_EQ(host.instance->status().cursor, (Cursor{1, 3}));
}

TEST(Snapshots, OfAnotherNetworkAreRefused) {
  Host host;
  Host other({}, 1, nullptr, /*width=*/2);
  const auto refused = Restore(host, other.Snap());
  EXPECT_EQ(Reason(refused.status()), "SNAPSHOT_MISMATCH");
  EXPECT_EQ(host.instance->status().cursor, (Cursor{0, 0}));
}

/// A network whose strand stands in its first step until it is let go.
struct Stuck {
  explicit Stuck(Instance::Options options = {})
      : host(options, 1, [this](ToyNetwork& toy) {
          toy.on_advance = [this](const Step& step) {
            if (step.index != 0) return;
            begun.Open();
            leave.Pass();
          };
        }) {
    driver = host.Attach();
    job.Steps(10'000).Every(10'000).Submit(*driver);
    begun.Pass();
  }
  Door begun, leave;
  Job job;
  Host host;
  std::shared_ptr<Driver> driver;
};

TEST(Mailbox, RefusesOrdersWhenTooManyWait) {
  Stuck stuck({.max_pending_orders = 3});
  Instance& instance = *stuck.host.instance;
  Box<absl::StatusOr<Cursor>> answers;
  for (int i = 0; i < 3; ++i) {
    instance.SetLearning(i % 2 == 0, [&](absl::StatusOr<Cursor> at) { answers.Put(at); });
  }
  Box<absl::Status> refused;
  instance.Pause([&](const absl::StatusOr<Cursor>& at) { refused.Put(at.status()); });
  const absl::Status full = refused.Take();
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Reason(full), "MAILBOX_FULL");
  const ObserverSpec spec = {.selections = {{.variables = {stuck.host.toy->u}}}};
  EXPECT_EQ(Reason(instance.Observe(spec, nullptr).status()), "MAILBOX_FULL");
  EXPECT_EQ(Reason(instance.Attach({.preempt = true}).status()), "MAILBOX_FULL");
  EXPECT_EQ(answers.size(), 0);
  stuck.leave.Open();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(answers.Take().ok());
  EXPECT_TRUE(stuck.job.Wait().status.ok());  // The lease was not lost.
}

TEST(Status, CanBeReadWhileAStepTakesLong) {
  Stuck stuck;
  const InstanceStatus status = stuck.host.instance->status();
  EXPECT_EQ(status.state, RunState::kRunning);
  EXPECT_TRUE(status.driven);
  stuck.leave.Open();
  stuck.job.Wait();
}

TEST(End, TellsEverybodyWhoWaits) {
  Stuck stuck;
  Instance& instance = *stuck.host.instance;
  Job queued, late;
  queued.Submit(*stuck.driver);
  Box<absl::Status> order;
  instance.Start([&](const absl::StatusOr<Cursor>& at) { order.Put(at.status()); });
  Watch watch(stuck.host, {.selections = {{.variables = {stuck.host.toy->u}}}});
  const absl::Status why = Error(absl::StatusCode::kAborted, "NETWORK_DELETED", "deleted");
  std::thread end([&] { instance.End(why); });
  // From here on nobody is let in; the slice that runs still ends as it would have.
  while (instance.Attach({}).status() != why) std::this_thread::yield();
  stuck.leave.Open();
  end.join();
  EXPECT_EQ(stuck.job.Wait().status, why);
  EXPECT_EQ(stuck.job.steps_done, stuck.job.cursor.step);
  EXPECT_EQ(queued.Wait().status, why);
  EXPECT_EQ(watch.observer->end(), why);
  EXPECT_EQ(late.Run(*stuck.driver).status, why);
  EXPECT_EQ(stuck.host.Start().status(), why);
  EXPECT_EQ(instance.Observe({.selections = {{.variables = {0}}}}, nullptr).status(), why);
  EXPECT_FALSE(instance.status().driven);
  instance.End(absl::InternalError("the first reason stands"));
  EXPECT_EQ(watch.observer->end(), why);
}

TEST(End, TellsTheDriver) {
  Host host;
  Box<absl::Status> ended;
  DriverOptions options;
  options.on_end = [&](const absl::Status& why) { ended.Put(why); };
  const auto driver = host.Attach(options);
  const absl::Status why = Error(absl::StatusCode::kAborted, "NETWORK_DELETED", "deleted");
  host.instance->End(why);
  EXPECT_EQ(ended.Take(), why);
}

TEST(End, IsABarrierUnderLoad) {
  for (int round = 0; round < 20; ++round) {
    Instance::Options options;
    options.clock = round % 2 == 0 ? ClockMode::kLockstep : ClockMode::kFree;
    Host host(options, 2);
    std::atomic<bool> over{false};
    host.toy->on_advance = [&over](const Step&) { EXPECT_FALSE(over.load()); };
    ASSERT_TRUE(host.Start().ok());
    const auto driver = host.Attach();
    Box<bool> working;
    std::vector<std::thread> threads;
    threads.emplace_back([&] {
      Job job;
      while (job.Steps(5).Run(*driver).status.ok()) {
        if (working.size() == 0) working.Put(true);
      }
      EXPECT_EQ(job.status.code(), absl::StatusCode::kAborted);
    });
    threads.emplace_back([&] {
      while (host.Ask([&](auto done) { host.instance->SetLearning(true, done); }).ok()) {
      }
    });
    threads.emplace_back([&] {
      const ObserverSpec spec = {.selections = {{.variables = {host.toy->u}}}};
      while (host.instance->Observe(spec, nullptr).ok()) {
      }
    });
    working.Take();
    host.instance->End(absl::AbortedError("over"));
    over.store(true);
    for (std::thread& thread : threads) thread.join();
    EXPECT_FALSE(host.toy->overlapped.load());
  }
}

}  // namespace
}  // namespace prospero
