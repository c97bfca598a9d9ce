// How observers get what they see: gaps, events, wake-ups, the end.

#include <atomic>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/host.h"

namespace prospero {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Observer, ThatIsSlowLosesTheOldestSamplesAndIsToldWhich) {
  Host host;
  Watch watch(host, {.selections = {{.variables = {host.toy->steps}}}, .capacity = 4});
  MakeSteps(host, 3);
  MakeSteps(host, 7);
  const Observed seen = watch.Waiting(1);
  ASSERT_TRUE(seen.gap.has_value());
  EXPECT_EQ(seen.gap->first, (Cursor{0, 1}));
  EXPECT_EQ(seen.gap->last, (Cursor{0, 6}));
  EXPECT_EQ(seen.gap->count, 6);
  EXPECT_THAT(StepsOf(seen.samples), ElementsAre(7));
  MakeSteps(host, 2);
  const Observed later = watch.Waiting();
  EXPECT_EQ(later.gap->first, (Cursor{0, 8}));
  EXPECT_EQ(later.gap->last, (Cursor{0, 8}));
  EXPECT_EQ(later.gap->count, 1);
  EXPECT_THAT(StepsOf(later.samples), ElementsAre(9, 10, 11, 12));
}

TEST(Observer, AGapKeepsUntilSamplesAreTaken) {
  Host host;
  Watch watch(host, {.selections = {{.variables = {host.toy->steps}}}, .capacity = 2});
  MakeSteps(host, 5);
  ASSERT_TRUE(host.Pause().ok());
  const Observed events = watch.Waiting(0);
  EXPECT_FALSE(events.gap.has_value());
  EXPECT_THAT(events.samples, IsEmpty());
  EXPECT_EQ(events.events.size(), 3U);  // The driver came and left; paused.
  EXPECT_EQ(watch.Waiting().gap->count, 3);
}

TEST(Observer, ThatNeverReadsDoesNotHoldTheNetwork) {
  Host host;
  Watch watch(host, {.selections = {{.variables = {host.toy->steps}}}, .capacity = 10});
  MakeSteps(host, 100'000);
  const Observed seen = watch.Waiting();
  EXPECT_EQ(seen.gap->count, 99'990);
  EXPECT_EQ(seen.gap->first, (Cursor{0, 1}));
  EXPECT_EQ(seen.gap->last, (Cursor{0, 99'990}));
  EXPECT_EQ(StepsOf(seen.samples).front(), 99'991);
  EXPECT_EQ(seen.samples.size(), 10U);
}

TEST(Observer, IsToldOfEvents) {
  Host host;
  Watch watch(host, {.selections = {{.variables = {host.toy->steps}}}});
  ASSERT_TRUE(host.Pause().ok());
  EXPECT_EQ(watch.NextEvent().kind, Event::Kind::kPaused);
  ASSERT_TRUE(host.Start().ok());
  EXPECT_EQ(watch.NextEvent().kind, Event::Kind::kStarted);
  host.instance->Drain();
  EXPECT_EQ(watch.NextEvent().kind, Event::Kind::kDraining);
}

TEST(Observer, CanTakeWhatIsLeftAfterTheEnd) {
  Host host;
  Watch watch(host, {.selections = {{.variables = {host.toy->steps}}}});
  MakeSteps(host, 2);
  EXPECT_TRUE(watch.observer->end().ok());
  host.instance->End(Error(absl::StatusCode::kAborted, "NETWORK_DELETED", "gone"));
  EXPECT_EQ(Reason(watch.observer->end()), "NETWORK_DELETED");
  EXPECT_EQ(watch.Samples(2).back().cursor.step, 2);
}

TEST(Observer, CancellingIsABarrier) {
  Instance::Options options;
  options.clock = ClockMode::kFree;
  Host host(options, 2);
  ASSERT_TRUE(host.Start().ok());
  for (int round = 0; round < 50; ++round) {
    std::atomic<bool> cancelled{false};
    Box<bool> ready;
    const ObserverSpec spec = {.selections = {{.variables = {host.toy->u}}}};
    const auto observer = *host.instance->Observe(spec, [&] {
      EXPECT_FALSE(cancelled.load());
      if (ready.size() == 0) ready.Put(true);
    });
    ready.Take();
    observer->Cancel();
    cancelled.store(true);
    Observed left;
    EXPECT_FALSE(observer->Take(1, &left));
  }
  host.Settle();
  EXPECT_EQ(host.instance->status().observers, 0);
}

TEST(Observer, OnReadyMayTake) {
  Host host;
  Box<int64_t> seen;
  std::shared_ptr<Observer> observer;
  Door known;
  observer = *host.instance->Observe({.selections = {{.variables = {host.toy->steps}}}}, [&] {
    known.Pass();
    Observed taken;
    while (observer->Take(1, &taken)) {
      if (!taken.samples.empty()) seen.Put(taken.samples.back().place.cursor.step);
    }
  });
  known.Open();
  MakeSteps(host, 3);
  for (int64_t step = 1; step <= 3; ++step) EXPECT_EQ(seen.Take(), step);
  observer->Cancel();
}

TEST(Observer, IsCalledOnlyWhenItHasFoundNothing) {
  Host host;
  Watch watch(host, {.selections = {{.variables = {host.toy->steps}}}});
  watch.ready.Take();  // It was let in.
  for (int i = 0; i < 20; ++i) MakeSteps(host, 10);
  host.Settle();
  EXPECT_EQ(watch.ready.size(), 0U);
  EXPECT_EQ(watch.Waiting().samples.size(), 200U);
  Observed none;
  EXPECT_FALSE(watch.observer->Take(1, &none));
  MakeSteps(host, 10);
  MakeSteps(host, 10);
  host.Settle();
  EXPECT_EQ(watch.ready.size(), 1U);
}

TEST(Observer, ThatMayTakeNothingIsCalledForEventsOnly) {
  Host host;
  const auto driver = host.Attach();
  host.Settle();
  Watch watch(host, {.selections = {{.variables = {host.toy->steps}}}});
  watch.Waiting(0);
  watch.ready.Take();
  Observed none;
  EXPECT_FALSE(watch.observer->Take(0, &none));
  Job job;
  job.Steps(10).Run(*driver);
  host.Settle();
  EXPECT_EQ(watch.ready.size(), 0U);
  ASSERT_TRUE(host.Pause().ok());
  host.Settle();
  EXPECT_EQ(watch.ready.size(), 1U);
  EXPECT_EQ(watch.NextEvent().kind, Event::Kind::kPaused);
}

TEST(Observer, FindsEventsInTheirPlaceAmongSamples) {
  Host host;
  const auto driver = host.Attach();
  host.Settle();
  Watch watch(host, {.selections = {{.variables = {host.toy->steps}}}});
  host.Settle();  // It observes from the next slice on.
  Job before, after;
  before.Steps(3).Run(*driver);
  ASSERT_TRUE(host.Pause().ok());
  ASSERT_TRUE(host.Start().ok());
  after.Steps(2).Run(*driver);
  const Observed first = watch.Waiting(2);
  EXPECT_EQ(first.samples.size(), 2U);
  EXPECT_THAT(first.events, IsEmpty());
  Observed rest;
  ASSERT_TRUE(watch.observer->Take(10, &rest));
  EXPECT_THAT(StepsOf(rest.samples), ElementsAre(3, 4, 5));
  ASSERT_EQ(rest.events.size(), 2U);
  EXPECT_EQ(rest.events[0].event.kind, Event::Kind::kPaused);
  EXPECT_EQ(rest.events[0].after, 1U);
  EXPECT_EQ(rest.events[1].after, 1U);
}

TEST(Observer, TakesNoMoreThanFits) {
  Host host({}, 1, nullptr, /*width=*/10);
  Watch watch(host, {.selections = {{.variables = {host.toy->wide}}}});
  MakeSteps(host, 300);
  host.Settle();
  Observed some;
  ASSERT_TRUE(watch.observer->Take(100, 5 * 40, &some));
  EXPECT_THAT(StepsOf(some.samples), ElementsAre(1, 2, 3, 4, 5));
  ASSERT_TRUE(watch.observer->Take(100, 1, &some));
  EXPECT_THAT(StepsOf(some.samples), ElementsAre(6));
}

TEST(Observer, ProgressIsWhatItHasHadAndNoMore) {
  Host host;
  Watch watch(host, {.selections = {{.variables = {host.toy->steps}, .every_steps = 2},
                                    {.variables = {host.toy->u}, .every_steps = 4}}});
  EXPECT_EQ(watch.Waiting(0).progress, (Cursor{0, 0}));
  MakeSteps(host, 11);
  EXPECT_EQ(watch.Waiting(0).progress, (Cursor{0, 0}));
  EXPECT_EQ(watch.Waiting(1).progress, (Cursor{0, 2}));
  EXPECT_EQ(watch.Waiting(1).progress, (Cursor{0, 2}));  // One of two samples of step 4.
  EXPECT_EQ(watch.Waiting(1).progress, (Cursor{0, 4}));
  EXPECT_EQ(watch.Waiting(100).progress, (Cursor{0, 11}));
}

TEST(Observer, ThatWantsThePresentValuesHasNoProgressWithoutThem) {
  Host host;
  MakeSteps(host, 3);
  Watch watch(host, {.selections = {{.variables = {host.toy->steps}}},
                     .start = ObserverSpec::Start::kSnapshot});
  EXPECT_FALSE(watch.Waiting(0).progress.has_value());
  EXPECT_EQ(watch.Waiting(1).progress, (Cursor{0, 3}));
}

TEST(Observer, WhoeverIsRefusedMemoryLeavesNothingBehind) {
  struct : MemoryPool {
    absl::Status Take(int64_t bytes) override {
      if (taken + bytes > 100'000) return absl::ResourceExhaustedError("no more");
      taken += bytes;
      return absl::OkStatus();
    }
    void Give(int64_t bytes) override { taken -= bytes; }
    std::atomic<int64_t> taken{0};
  } pool;
  Instance::Options options;
  options.recording.memory = &pool;
  {
    Host host(options, 1, nullptr, /*width=*/1000);
    {
      Watch small(host, {.selections = {{.variables = {host.toy->steps}}}});
      EXPECT_EQ(host.instance->Observe({.selections = {{.variables = {host.toy->wide}}}}, nullptr)
                    .status()
                    .code(),
                absl::StatusCode::kResourceExhausted);
      EXPECT_EQ(host.instance->status().observers, 1);
      // What is retained grows as far as the memory allows, and no farther.
      MakeSteps(host, 100'000);
      const Observed seen = small.Waiting();
      EXPECT_GT(seen.samples.size(), 100U);
      EXPECT_LE(pool.taken, 100'000);
    }
    host.Settle();
    EXPECT_EQ(pool.taken, 0);
  }
}

TEST(Observer, TheirNumberIsBounded) {
  Instance::Options options;
  options.max_observers = 2;
  Host host(options);
  const ObserverSpec spec = {.selections = {{.variables = {host.toy->u}}}};
  Watch one(host, spec);
  {
    Watch two(host, spec);
    const absl::Status refused = host.instance->Observe(spec, nullptr).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(Reason(refused), "LIMIT_EXCEEDED");
  }
  EXPECT_TRUE(host.instance->Observe(spec, nullptr).ok());
}

}  // namespace
}  // namespace prospero
