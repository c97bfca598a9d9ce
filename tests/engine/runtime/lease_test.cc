// Who may drive a network.

#include <atomic>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/host.h"

namespace prospero {
namespace {

using testing::ElementsAre;

/// Steps of a job that does not end by itself.
constexpr int64_t kEndless = int64_t{1} << 60;

/// Blocks the network in its first step.
struct Blocked {
  Door reached, leave;
  std::function<void(ToyNetwork&)> Prepare() {
    return [this](ToyNetwork& toy) {
      toy.on_advance = [this](const Step& step) {
        if (step.index != 0) return;
        reached.Open();
        leave.Pass();
      };
    };
  }
};

TEST(Lease, IsHeldByOneDriverAtATime) {
  Host host;
  EXPECT_FALSE(host.instance->status().driven);
  auto driver = host.Attach();
  EXPECT_TRUE(host.instance->status().driven);
  const absl::Status held = host.TryAttach().status();
  EXPECT_EQ(held.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Reason(held), "LEASE_HELD");
  driver->Detach();
  EXPECT_FALSE(host.instance->status().driven);
  driver = host.Attach();
  driver.reset();  // Dropping it gives it back as well.
  EXPECT_TRUE(host.TryAttach().ok());
}

TEST(Lease, RefusesInputsThatAreNone) {
  Host host;
  const absl::Status state = host.instance->Attach({.inputs = {host.toy->x, host.toy->u}}).status();
  EXPECT_EQ(FieldPath(state), "inputs[1]");
  EXPECT_EQ(FieldPath(host.instance->Attach({.inputs = {99}}).status()), "inputs[0]");
  EXPECT_FALSE(host.instance->status().driven);
}

TEST(Lease, TakeOverEndsTheJobsOfTheOldDriverAndTellsIt) {
  Blocked blocked;
  Host host({}, 1, blocked.Prepare());
  Box<Event::Kind> events;
  const auto old = host.Attach({.on_event = [&](const Event& event) { events.Put(event.kind); }});
  Job running, waiting, late;
  running.Steps(1000).Every(1000).Submit(*old);
  blocked.reached.Pass();
  waiting.Submit(*old);
  const auto driver = host.Attach({.preempt = true});
  blocked.leave.Open();
  EXPECT_EQ(Reason(running.Wait().status), "LEASE_LOST");
  EXPECT_EQ(running.status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(running.steps_done, 256);
  EXPECT_EQ(running.cursor.step, 256);
  EXPECT_EQ(Reason(waiting.Wait().status), "LEASE_LOST");
  EXPECT_EQ(waiting.steps_done, 0);
  EXPECT_EQ(events.Take(), Event::Kind::kLeaseLost);
  EXPECT_EQ(Reason(late.Run(*old).status), "LEASE_LOST");
  EXPECT_EQ(old->in_flight(), 0);

  Job job;
  EXPECT_EQ(job.Run(*driver).cursor.step, 257);
  old->Detach();
  EXPECT_TRUE(host.instance->status().driven);  // It was not the old one's to give back.
  EXPECT_EQ(job.Run(*driver).cursor.step, 258);
}

TEST(Lease, DetachingBreaksOffARunningJobBetweenTwoStepsAndCancelsTheRest) {
  Blocked blocked;
  Host host({.max_steps_per_job = kEndless}, 1, blocked.Prepare());
  Box<int> order;
  Job jobs[3];
  const auto driver = host.Attach();
  for (int i = 0; i < 3; ++i) {
    jobs[i].done = [&order, i](DriveJob&) { order.Put(i); };
    jobs[i].Steps(kEndless).Submit(*driver);
  }
  blocked.reached.Pass();
  std::thread detach([&] {
    driver->Detach();
    EXPECT_EQ(order.size(), 3);
  });
  blocked.leave.Open();
  detach.join();
  EXPECT_THAT((std::vector<int>{order.Take(), order.Take(), order.Take()}), ElementsAre(0, 1, 2));
  for (const Job& job : jobs) EXPECT_EQ(job.status.code(), absl::StatusCode::kCancelled);
  EXPECT_GE(jobs[0].steps_done, 1);
  EXPECT_EQ(jobs[1].steps_done, 0);
  host.Settle();
  EXPECT_EQ(host.instance->status().cursor.step, jobs[0].steps_done);
  const auto next = host.Attach();
  Job job;
  EXPECT_EQ(job.Run(*next).cursor.step, jobs[0].steps_done + 1);
}

TEST(Lease, DetachingIsABarrier) {
  Host host({}, 2);
  for (int round = 0; round < 50; ++round) {
    std::atomic<bool> detached{false};
    Box<bool> begun;
    auto driver = host.Attach({.on_event = [&](const Event&) { EXPECT_FALSE(detached.load()); }});
    std::vector<DriveJob> jobs(8);
    for (DriveJob& job : jobs) {
      job.steps = 300;
      job.done = [&](DriveJob&) {
        EXPECT_FALSE(detached.load());
        begun.Put(true);
      };
      driver->Submit(&job);
    }
    begun.Take();
    host.instance->Pause([](absl::StatusOr<Cursor>) {});
    driver->Detach();
    detached.store(true);
    EXPECT_EQ(driver->in_flight(), 0);
    EXPECT_EQ(begun.size(), 7);
    ASSERT_TRUE(host.Start().ok());
  }
}

TEST(Lease, ASubmitAfterDetachingIsCancelled) {
  Host host;
  const auto driver = host.Attach();
  driver->Detach();
  driver->Detach();
  Job job;
  EXPECT_EQ(job.Run(*driver).status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(host.instance->status().cursor.step, 0);
}

TEST(Lease, AnAbandonedJobLeavesNothingBehind) {
  Blocked blocked;
  Host host({}, 1, blocked.Prepare());
  Job job;
  job.Steps(1000).Every(1000).Give(host.toy->target, {1});
  job.Return({host.toy->count, host.toy->present_index()});
  auto driver = host.Attach();
  job.Submit(*driver);
  blocked.reached.Pass();
  std::thread detach([&] { driver->Detach(); });
  blocked.leave.Open();
  detach.join();
  host.Settle();
  EXPECT_FALSE(host.toy->watched());
  Job next;
  next.Return({host.toy->present_index()}).Run(*host.Attach());
  EXPECT_THAT(AsFloats(next.results[0]), ElementsAre(0));
}

TEST(Lease, DriversHearWhatHappensToTheNetwork) {
  Host host;
  Box<Event> events;
  const auto driver = host.Attach({.on_event = [&](const Event& event) { events.Put(event); }});
  Job job;
  job.Steps(3).Run(*driver);
  ASSERT_TRUE(host.Pause().ok());
  ASSERT_TRUE(host.Start().ok());
  ASSERT_TRUE(
      host.Ask([&](auto done) { host.instance->Reset({}, /*step=*/true, absl::nullopt, done); })
          .ok());
  host.instance->Drain();
  const Event paused = events.Take();
  EXPECT_EQ(paused.kind, Event::Kind::kPaused);
  EXPECT_EQ(paused.cursor, (Cursor{0, 3}));
  EXPECT_EQ(events.Take().kind, Event::Kind::kStarted);
  const Event epoch = events.Take();
  EXPECT_EQ(epoch.kind, Event::Kind::kEpochChanged);
  EXPECT_EQ(epoch.cursor, (Cursor{1, 0}));
  EXPECT_EQ(events.Take().kind, Event::Kind::kDraining);
}

TEST(Lease, ADrainingNetworkFinishesItsJobsAndLetsNobodyIn) {
  Host host;
  const auto driver = host.Attach();
  host.instance->Drain();
  Job job;
  EXPECT_TRUE(job.Run(*driver).status.ok());
  driver->Detach();
  const absl::Status refused = host.TryAttach({.preempt = true}).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Reason(refused), "DRAINING");
}

}  // namespace
}  // namespace prospero
