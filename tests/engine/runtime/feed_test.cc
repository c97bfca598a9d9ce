// Sensors that push frames into a network that runs by itself.

#include <atomic>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/gate.h"
#include "tests/engine/runtime/host.h"

namespace prospero {
namespace {

using testing::Each;
using testing::ElementsAre;

/// Steps of a slice on time that stands still.
constexpr int64_t kSlice = 256;

Instance::Options Free() {
  Instance::Options options;
  options.clock = ClockMode::kFree;
  options.seed = 9;
  return options;
}

/// A feed and how it ended.
struct Sensor {
  Sensor(Host& host, FeedOptions options) {
    options.on_end = [this](const absl::Status& why) { ended.Put(why); };
    auto opened = host.instance->OpenFeed(std::move(options));
    status = opened.status();
    if (opened.ok()) feed = *opened;
  }
  absl::Status Push(const std::vector<float>& values, absl::optional<int64_t> at_step = {}) {
    return feed->Push({Floats(values), at_step, false});
  }
  Box<absl::Status> ended;
  absl::Status status;
  std::shared_ptr<Feed> feed;
};

ObserverSpec Every(std::vector<int> variables) {
  return {.selections = {{.variables = std::move(variables)}}, .capacity = 1'000'000};
}

TEST(Feed, FramesTakeEffectWhereTheSummarySays) {
  Gate gate;
  Host host(Free(), 1, gate.Prepare());
  Watch watch(host, Every({host.toy->x}));
  Sensor sensor(host, {.input = host.toy->x});
  ASSERT_TRUE(host.Start().ok());
  gate.RunTo(10);
  ASSERT_TRUE(sensor.Push({1, 2, 3}).ok());
  gate.RunTo(2 * kSlice);
  gate.Open();
  ASSERT_TRUE(host.Pause().ok());
  const FeedSummary summary = sensor.feed->summary();
  EXPECT_EQ(summary.received, 1);
  EXPECT_EQ(summary.applied, 1);
  ASSERT_TRUE(summary.first_applied.has_value());
  EXPECT_EQ(summary.first_applied->step, kSlice);
  for (const ObservedSample& sample : watch.Samples(2 * kSlice)) {
    const bool fed = sample.cursor.step > kSlice;
    EXPECT_THAT(AsFloats(sample.values[0]), fed ? ElementsAre(1, 2, 3) : ElementsAre(0, 0, 0))
        << sample.cursor.step;
  }
}

TEST(Feed, NeedsAClockThatRunsByItself) {
  Host host;
  EXPECT_EQ(Reason(Sensor(host, {.input = host.toy->x}).status), "CLOCK_MISMATCH");
}

TEST(Feed, EndsWhenTheClockBecomesLockstep) {
  Host host(Free());
  Sensor sensor(host, {.input = host.toy->x});
  ASSERT_TRUE(host.Start().ok());
  ASSERT_TRUE(
      host.Ask([&](auto done) { host.instance->SetClock(ClockMode::kLockstep, done); }).ok());
  EXPECT_EQ(Reason(sensor.ended.Take()), "CLOCK_MISMATCH");
  EXPECT_EQ(Reason(sensor.Push({1, 2, 3})), "CLOCK_MISMATCH");
}

TEST(Feed, ChecksItsOptions) {
  Host host(Free());
  const auto wrong = [&host](FeedOptions options) {
    return FieldPath(host.instance->OpenFeed(std::move(options)).status());
  };
  EXPECT_EQ(wrong({.input = 99}), "input");
  EXPECT_EQ(wrong({.input = host.toy->u}), "input");
  EXPECT_EQ(wrong({.input = host.toy->present_index()}), "input");
  EXPECT_EQ(wrong({.input = host.toy->x, .max_pending = 0}), "max_pending");
  EXPECT_EQ(wrong({.input = host.toy->x, .max_pending = int64_t{1} << 40}), "max_pending");
}

TEST(Feed, OneFeedForEachInputAndTheOldOneGivesWayWhenTold) {
  Host host(Free());
  Sensor first(host, {.input = host.toy->x});
  Sensor other(host, {.input = host.toy->target});
  EXPECT_TRUE(other.status.ok());
  EXPECT_EQ(Reason(Sensor(host, {.input = host.toy->x}).status), "INPUT_FED");
  Sensor second(host, {.input = host.toy->x, .preempt = true});
  ASSERT_TRUE(second.status.ok());
  EXPECT_EQ(Reason(first.ended.Take()), "FEED_TAKEN");
  first.feed->Close();  // It is not the old one's to free.
  EXPECT_EQ(Reason(Sensor(host, {.input = host.toy->x}).status), "INPUT_FED");
  second.feed->Close();
  EXPECT_TRUE(Sensor(host, {.input = host.toy->x}).status.ok());
}

TEST(Feed, ADriversBlockWinsForItsSteps) {
  Gate gate;
  Host host(Free(), 1, gate.Prepare());
  Watch watch(host, Every({host.toy->x}));
  const auto driver = host.Attach();
  Sensor sensor(host, {.input = host.toy->x});
  ASSERT_TRUE(sensor.Push({5, 5, 5}).ok());
  ASSERT_TRUE(host.Start().ok());
  gate.RunTo(10);
  Job job;
  job.At(300).Steps(3).Give(host.toy->x, {8, 8, 8}).Submit(*driver);
  gate.RunTo(2 * kSlice);
  gate.Open();
  job.Wait();
  ASSERT_TRUE(host.Pause().ok());
  for (const ObservedSample& sample : watch.Samples(2 * kSlice)) {
    const int64_t step = sample.cursor.step;
    EXPECT_THAT(AsFloats(sample.values[0]), Each(step > 300 && step <= 303 ? 8 : 5)) << step;
  }
}

TEST(Feed, ATargetIsPresentWhileItsFeedHasAValue) {
  for (const Between between : {Between::kHold, Between::kZero}) {
    Gate gate;
    Host host(Free(), 1, gate.Prepare());
    Watch watch(host, Every({host.toy->present_index()}));
    Sensor sensor(host, {.input = host.toy->target, .between = between});
    ASSERT_TRUE(sensor.Push({1}, 20).ok());
    ASSERT_TRUE(sensor.Push({2}, 30).ok());
    ASSERT_TRUE(host.Start().ok());
    gate.RunTo(kSlice);
    gate.Open();
    ASSERT_TRUE(host.Pause().ok());
    for (const ObservedSample& sample : watch.Samples(kSlice)) {
      const int64_t step = sample.cursor.step - 1;
      const bool present = between == Between::kHold ? step >= 20 : step == 20 || step == 30;
      EXPECT_EQ(AsFloats(sample.values[0])[0], present ? 1 : 0) << step;
    }
  }
}

TEST(Feed, WhatWasRecordedReplaysWithTheSameBitsInLockstep) {
  constexpr int64_t kSteps = 8 * kSlice;
  std::vector<ObservedSample> seen;
  std::string u, W;
  {
    Gate gate;
    Host host(Free(), 1, gate.Prepare());
    const ToyNetwork& toy = *host.toy;
    Watch watch(host, Every({toy.x, toy.target, toy.present_index(), toy.u, toy.W}));
    Sensor fast(host, {.input = toy.x, .between = Between::kLinear});
    Sensor slow(host, {.input = toy.target, .between = Between::kZero, .late = Late::kApply});
    ASSERT_TRUE(host.Start().ok());
    for (int64_t step = 50; step < kSteps; step += 90) {  // Their rates have no common measure.
      gate.RunTo(step);
      const auto value = static_cast<float>(step % 17);
      ASSERT_TRUE(fast.Push({value, -value, 1}).ok());
      ASSERT_TRUE(slow.Push({value}, step + 7 * (step % 31)).ok());
    }
    gate.RunTo(kSteps);
    gate.Open();
    ASSERT_TRUE(host.Pause().ok());
    seen = watch.Samples(kSteps);
    EXPECT_GT(fast.feed->summary().applied, 4);
    EXPECT_GT(slow.feed->summary().applied, 4);
  }
  Instance::Options options;
  options.seed = 9;
  Host host(options);
  const auto driver = host.Attach();
  for (const ObservedSample& sample : seen) {
    Job job;
    job.Give(host.toy->x, AsFloats(sample.values[0]));
    if (AsFloats(sample.values[2])[0] != 0) job.Give(host.toy->target, AsFloats(sample.values[1]));
    job.Return({host.toy->u, host.toy->W}).Run(*driver);
    ASSERT_EQ(job.results[0], sample.values[3]) << sample.cursor.step;
    ASSERT_EQ(job.results[1], sample.values[4]) << sample.cursor.step;
  }
}

TEST(Feed, FinishesWhenItsFramesHaveTakenEffect) {
  Gate gate;
  Host host(Free(), 1, gate.Prepare());
  Sensor sensor(host, {.input = host.toy->x});
  ASSERT_TRUE(sensor.Push({1, 1, 1}, 300).ok());
  sensor.feed->Finish();
  EXPECT_FALSE(sensor.Push({2, 2, 2}).ok());
  host.Settle();
  EXPECT_EQ(sensor.ended.size(), 0);  // The network is paused: the frame waits.
  ASSERT_TRUE(host.Start().ok());
  gate.Open();
  EXPECT_TRUE(sensor.ended.Take().ok());
  EXPECT_EQ(sensor.feed->summary().applied, 1);
  EXPECT_EQ(sensor.feed->summary().first_applied->step, 300);
}

TEST(Feed, CountsFramesThatAreNotAllowedAndGoesOn) {
  Host host(Free());
  Sensor sensor(host, {.input = host.toy->x});
  EXPECT_TRUE(sensor.Push({1, 2}).ok());
  EXPECT_TRUE(sensor.Push({1, NAN, 2}).ok());
  EXPECT_TRUE(sensor.Push({1, 2, 3}).ok());
  const FeedSummary summary = sensor.feed->summary();
  EXPECT_EQ(summary.received, 3);
  EXPECT_EQ(summary.invalid, 2);
}

TEST(Feed, AFrameWithoutAStepGivesWayToTheNextOne) {
  Host host(Free());
  Sensor sensor(host, {.input = host.toy->x});
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(sensor.Push({1, 2, static_cast<float>(i)}).ok());
  ASSERT_TRUE(host.Start().ok());
  sensor.feed->Finish();
  EXPECT_TRUE(sensor.ended.Take().ok());
  EXPECT_EQ(sensor.feed->summary().applied, 1);
  EXPECT_EQ(sensor.feed->summary().replaced, 999);
}

TEST(Feed, RefusesMoreFramesForLaterStepsThanItKeeps) {
  Host host(Free());
  Sensor sensor(host, {.input = host.toy->x, .max_pending = 2});
  EXPECT_TRUE(sensor.Push({1, 1, 1}, int64_t{1} << 40).ok());
  EXPECT_TRUE(sensor.Push({1, 1, 1}, (int64_t{1} << 40) + 1).ok());
  const absl::Status refused = sensor.Push({1, 1, 1}, (int64_t{1} << 40) + 2);
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Reason(refused), "LIMIT_EXCEEDED");
}

TEST(Feed, StepsMustGrow) {
  Host host(Free());
  Sensor sensor(host, {.input = host.toy->x});
  EXPECT_TRUE(sensor.Push({1, 1, 1}, 5).ok());
  EXPECT_EQ(FieldPath(sensor.Push({1, 1, 1}, 5)), "at_step");
}

TEST(Feed, LateFramesAreCountedByEachPolicy) {
  for (const Late late : {Late::kDrop, Late::kApply, Late::kRefuse}) {
    Gate gate;
    Host host(Free(), 1, gate.Prepare());
    Sensor sensor(host, {.input = host.toy->x, .late = late});
    ASSERT_TRUE(host.Start().ok());
    gate.RunTo(kSlice + 1);
    ASSERT_TRUE(sensor.Push({1, 1, 1}, 7).ok());
    gate.Open();
    if (late != Late::kRefuse) sensor.feed->Finish();
    const absl::Status end = sensor.ended.Take();
    EXPECT_EQ(Reason(end), late == Late::kRefuse ? "FRAME_LATE" : "");
    EXPECT_EQ(sensor.feed->summary().late, 1);
    EXPECT_EQ(sensor.feed->summary().applied, late == Late::kApply ? 1 : 0);
  }
}

TEST(Feed, FramesThatAreTooOldAreLate) {
  for (const Late late : {Late::kDrop, Late::kApply, Late::kRefuse}) {
    Host host(Free());
    Sensor sensor(host, {.input = host.toy->x, .late = late});
    const absl::Status pushed = sensor.feed->Push({Floats({1, 1, 1}), {}, /*too_old=*/true});
    EXPECT_EQ(Reason(pushed), late == Late::kRefuse ? "FRAME_LATE" : "");
    EXPECT_EQ(sensor.feed->summary().late, 1);
    if (late == Late::kRefuse) continue;
    ASSERT_TRUE(host.Start().ok());
    sensor.feed->Finish();
    ASSERT_TRUE(sensor.ended.Take().ok());
    EXPECT_EQ(sensor.feed->summary().applied, late == Late::kApply ? 1 : 0);
  }
}

TEST(Feed, AResetEndsThoseWhoseFramesHaveSteps) {
  Host host(Free());
  Sensor stamped(host, {.input = host.toy->x});
  Sensor plain(host, {.input = host.toy->target});
  ASSERT_TRUE(stamped.Push({1, 1, 1}, 5).ok());
  ASSERT_TRUE(plain.Push({1}).ok());
  ASSERT_TRUE(
      host.Ask([&](auto done) { host.instance->Reset({}, true, absl::nullopt, done); }).ok());
  EXPECT_EQ(Reason(stamped.ended.Take()), "EPOCH_CHANGED");
  ASSERT_TRUE(host.Start().ok());
  plain.feed->Finish();
  EXPECT_TRUE(plain.ended.Take().ok());
  EXPECT_EQ(plain.feed->summary().last_applied->epoch, 1);
}

TEST(Feed, EndsWithTheNetworkAndWhenItDrains) {
  Host host(Free());
  Sensor sensor(host, {.input = host.toy->x});
  host.instance->Drain();
  EXPECT_EQ(Reason(sensor.ended.Take()), "DRAINING");
  EXPECT_EQ(Reason(Sensor(host, {.input = host.toy->x}).status), "DRAINING");

  Host other(Free());
  Sensor last(other, {.input = other.toy->x});
  other.instance->End(absl::AbortedError("deleted"));
  EXPECT_EQ(last.ended.Take().message(), "deleted");
}

TEST(Feed, ManyThreadsOpenPushAndCloseWhileTheNetworkRuns) {
  Host host(Free(), 2);
  ASSERT_TRUE(host.Start().ok());
  std::atomic<int64_t> applied{0};
  const auto feed = [&host, &applied](int input, std::vector<float> values) {
    for (int round = 0; round < 50; ++round) {
      std::atomic<bool> closed{false};
      FeedOptions options{.input = input, .preempt = round % 2 == 0};
      options.on_end = [&closed](const absl::Status&) { EXPECT_FALSE(closed.load()); };
      auto opened = host.instance->OpenFeed(std::move(options));
      if (!opened.ok()) continue;
      for (int i = 0; i < 20; ++i) (void)(*opened)->Push({Floats(values), {}, false});
      if (round % 3 == 0) (*opened)->Finish();
      (*opened)->Close();
      closed.store(true);
      applied += (*opened)->summary().received;
    }
  };
  std::thread threads[] = {std::thread(feed, host.toy->x, std::vector<float>{1, 2, 3}),
                           std::thread(feed, host.toy->x, std::vector<float>{4, 5, 6}),
                           std::thread(feed, host.toy->target, std::vector<float>{1})};
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(applied.load(), 0);
  EXPECT_TRUE(host.Pause().ok());
}

}  // namespace
}  // namespace prospero
