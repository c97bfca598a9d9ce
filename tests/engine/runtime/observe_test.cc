// What observers see.

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/host.h"

namespace prospero {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

TEST(Observer, SeesEveryNthStepByTheNetworksOwnCount) {
  Host host;
  MakeSteps(host, 2);
  Watch watch(host, {.selections = {{.variables = {host.toy->steps}, .every_steps = 3}}});
  MakeSteps(host, 10);
  const Observed seen = watch.Waiting();
  EXPECT_THAT(StepsOf(seen.samples), ElementsAre(3, 6, 9, 12));
  for (const ObservedSample& sample : watch.Unpacked(seen)) {
    EXPECT_THAT(AsFloats(sample.values[0]), ElementsAre(sample.cursor.step));
  }
  EXPECT_FALSE(seen.gap.has_value());
  EXPECT_EQ(seen.progress, (Cursor{0, 12}));
}

TEST(Observer, SeesSeveralSelectionsInTheOrderOfTime) {
  Host host;
  const Selection often = {.variables = {host.toy->steps, host.toy->u}, .every_steps = 2};
  const Selection seldom = {.variables = {host.toy->W}, .every_steps = 3};
  Watch watch(host, {.selections = {often, seldom}});
  MakeSteps(host, 6);
  std::vector<std::pair<uint32_t, int64_t>> order;
  for (const ObservedSample& sample : watch.Samples(5)) {
    order.emplace_back(sample.selection, sample.cursor.step);
    EXPECT_EQ(sample.values.size(), sample.selection == 0 ? 2U : 1U);
    EXPECT_EQ(sample.values.back().size(), sample.selection == 0 ? 24U : 8U);
  }
  EXPECT_THAT(order, ElementsAre(std::pair(0, 2), std::pair(1, 3), std::pair(0, 4), std::pair(0, 6),
                                 std::pair(1, 6)));
}

TEST(Observer, SeesTheSameValuesAsTheDriver) {
  Host host;
  Watch watch(host, {.selections = {{.variables = {host.toy->u, host.toy->W}}}});
  Job job;
  job.Steps(5).Give(host.toy->x, {1, 2, 3}).Give(host.toy->target, {3});
  job.Return({host.toy->u, host.toy->W}).Run(*host.Attach());
  std::string u, W;
  for (const ObservedSample& sample : watch.Samples(5)) {
    u += sample.values[0];
    W += sample.values[1];
  }
  EXPECT_EQ(u, job.results[0]);
  EXPECT_EQ(W, job.results[1]);
}

TEST(Observer, SeesASliceOfAPaddedVariable) {
  Host host;
  const auto selection = [&](Slice slice) {
    return Selection{.variables = {host.toy->u}, .slice = slice};
  };
  Watch watch(host, {.selections = {selection({.start = 1, .count = 3}), selection({.start = 4}),
                                    selection({.start = 1, .stride = 2})}});
  Job job;
  job.Give(host.toy->x, {1, 2, 3}).Return({host.toy->u}).Run(*host.Attach());
  const std::vector<float> u = AsFloats(job.results[0]);
  const auto samples = watch.Samples(3);
  EXPECT_THAT(AsFloats(samples[0].values[0]), ElementsAre(u[1], u[2], u[3]));
  EXPECT_THAT(AsFloats(samples[1].values[0]), ElementsAre(u[4], u[5]));
  EXPECT_THAT(AsFloats(samples[2].values[0]), ElementsAre(u[1], u[3], u[5]));
}

TEST(Observer, SeesAStridedSliceOfAPackedVariable) {
  Host host({}, 1, nullptr, /*width=*/10);
  const Slice slice = {.start = 2, .count = 2, .stride = 5};
  Watch watch(host, {.selections = {{.variables = {host.toy->wide}, .slice = slice}}});
  MakeSteps(host, 1);
  EXPECT_THAT(AsFloats(watch.Samples(1)[0].values[0]), ElementsAre(1, 1));
}

TEST(Observer, SeesTheMeanOfEachInterval) {
  Host host;
  Watch watch(host, {.selections = {{.variables = {host.toy->steps, host.toy->W},
                                     .every_steps = 3,
                                     .aggregation = Aggregation::kMean}}});
  Job job;
  job.Steps(6).Give(host.toy->target, {3}).Return({host.toy->W}).Run(*host.Attach());
  double W[6];
  std::memcpy(W, job.results[0].data(), sizeof(W));
  const auto samples = watch.Samples(2);
  EXPECT_THAT(AsFloats(samples[0].values[0]), ElementsAre(2));
  EXPECT_THAT(AsFloats(samples[1].values[0]), ElementsAre(5));
  double mean = 0;
  std::memcpy(&mean, samples[1].values[1].data(), sizeof(mean));
  EXPECT_EQ(mean, (W[3] + W[4] + W[5]) / 3);
}

TEST(Observer, SeesTheLeastAndTheGreatestOfEachInterval) {
  Host host({}, 1, nullptr, /*width=*/2);
  Watch watch(host, {.selections = {{.variables = {host.toy->wide, host.toy->u},
                                     .every_steps = 4,
                                     .aggregation = Aggregation::kMinMax}}});
  Job job;
  job.Steps(8).Return({host.toy->u}).Run(*host.Attach());
  const auto samples = watch.Samples(2);
  EXPECT_THAT(AsFloats(samples[0].values[0]), ElementsAre(1, 1, 4, 4));
  EXPECT_THAT(AsFloats(samples[1].values[0]), ElementsAre(5, 5, 8, 8));
  const std::vector<float> u = AsFloats(job.results[0]);
  std::vector<float> expected(12);
  for (size_t i = 0; i < 6; ++i) {
    const auto at = [&](size_t step) { return u[step * 6 + i]; };
    expected[i] = std::min({at(4), at(5), at(6), at(7)});
    expected[6 + i] = std::max({at(4), at(5), at(6), at(7)});
  }
  EXPECT_THAT(AsFloats(samples[1].values[1]), ElementsAreArray(expected));
}

TEST(Observer, AnIntervalDoesNotReachOverAReset) {
  Host host;
  Watch watch(host, {.selections = {{.variables = {host.toy->steps},
                                     .every_steps = 4,
                                     .aggregation = Aggregation::kMean}}});
  MakeSteps(host, 3);
  ASSERT_TRUE(
      host.Ask([&](auto done) { host.instance->Reset({}, /*step=*/true, absl::nullopt, done); })
          .ok());
  MakeSteps(host, 4);
  const auto sample = watch.Samples(1)[0];
  EXPECT_EQ(sample.cursor, (Cursor{1, 4}));
  EXPECT_THAT(AsFloats(sample.values[0]), ElementsAre(2.5F));
}

TEST(Observer, CanStartWithThePresentValues) {
  Host host;
  MakeSteps(host, 5);
  const Selection last = {.variables = {host.toy->steps}, .every_steps = 4};
  Selection spread = last;
  spread.aggregation = Aggregation::kMinMax;
  Watch watch(host, {.selections = {last, spread}, .start = ObserverSpec::Start::kSnapshot});
  const auto first = watch.Samples(2);
  EXPECT_EQ(first[0].cursor, (Cursor{0, 5}));
  EXPECT_THAT(AsFloats(first[0].values[0]), ElementsAre(5));
  EXPECT_THAT(AsFloats(first[1].values[0]), ElementsAre(5, 5));
  MakeSteps(host, 3);
  const auto next = watch.Samples(2);
  EXPECT_THAT(AsFloats(next[0].values[0]), ElementsAre(8));
  EXPECT_THAT(AsFloats(next[1].values[0]), ElementsAre(6, 8));  // The snapshot is no step.
}

TEST(Observer, LargeSamplesArriveWholeThoughTheyDoNotFitTogether) {
  constexpr int64_t kWidth = 20'000;
  Host host({}, 1, nullptr, kWidth);
  Watch watch(host, {.selections = {{.variables = {host.toy->wide}}},
                     .capacity = 500,
                     .retained_bytes = int64_t{64} << 20});
  MakeSteps(host, 300);
  const Observed seen = watch.Waiting();
  ASSERT_EQ(seen.samples.size(), 300U);
  for (const ObservedSample& sample : watch.Unpacked(seen)) {
    const std::vector<float> expected(kWidth, static_cast<float>(sample.cursor.step));
    EXPECT_EQ(sample.values[0], Floats(expected));
  }
}

TEST(Observer, SeesAtMostSoManySamplesPerSecond) {
  FakeClock* time = nullptr;
  Host host({}, 1, [&time](ToyNetwork& toy) {
    toy.on_advance = [&time](const prospero::Step&) {
      time->Advance(std::chrono::milliseconds(1));
    };
  });
  time = &host.time;
  Watch watch(host, {.selections = {{.variables = {host.toy->steps}, .max_rate_hz = 100}}});
  for (int i = 0; i < 45; ++i) MakeSteps(host, 1);
  EXPECT_THAT(StepsOf(watch.Waiting().samples), ElementsAre(1, 11, 21, 31, 41));
  host.time.Advance(std::chrono::seconds(1));  // The time without samples is not made up for.
  for (int i = 0; i < 15; ++i) MakeSteps(host, 1);
  EXPECT_THAT(StepsOf(watch.Waiting().samples), ElementsAre(46, 56));
}

TEST(Observer, SeesOnlyWhatHasChanged) {
  // `steps` grows by one with each step.
  Host host;
  const Selection all = {.variables = {host.toy->steps}, .on_change = 0.0};
  Selection far = all;
  far.on_change = 2.5;
  Selection thin = far;
  thin.every_steps = 2;
  const Selection still = {.variables = {host.toy->gain}, .on_change = 0.0};
  Watch every(host, {.selections = {all}});
  Watch third(host, {.selections = {far}});
  Watch fourth(host, {.selections = {thin}});
  Watch constant(host, {.selections = {still}});
  MakeSteps(host, 10);
  EXPECT_EQ(every.Waiting().samples.size(), 10U);
  EXPECT_THAT(StepsOf(third.Waiting().samples), ElementsAre(1, 4, 7, 10));
  EXPECT_THAT(StepsOf(fourth.Waiting().samples), ElementsAre(2, 6, 10));
  EXPECT_THAT(StepsOf(constant.Waiting().samples), ElementsAre(1));
  ASSERT_TRUE(host.Assign(host.toy->gain, Floats({0.25F})).ok());
  MakeSteps(host, 10);
  EXPECT_THAT(StepsOf(constant.Waiting().samples), ElementsAre(11));
}

TEST(Observer, SeesTheFirstSampleOfEachEpochThoughItIsLikeTheLast) {
  Host host;
  Watch watch(host, {.selections = {{.variables = {host.toy->gain}, .on_change = 0.0}}});
  MakeSteps(host, 5);
  ASSERT_TRUE(
      host.Ask([&](auto done) { host.instance->Reset({}, /*step=*/true, absl::nullopt, done); })
          .ok());
  MakeSteps(host, 5);
  EXPECT_THAT(StepsOf(watch.Waiting().samples), ElementsAre(1, 1));
}

TEST(Observer, SeesTheIntervalsWhoseAggregateHasChanged) {
  // Means of three steps: 2, 5, 8, 11, ... The intervals between are not added up.
  Host host;
  Watch watch(host, {.selections = {{.variables = {host.toy->steps},
                                     .every_steps = 3,
                                     .aggregation = Aggregation::kMean,
                                     .on_change = 4.0}}});
  MakeSteps(host, 15);
  const auto samples = watch.Samples(3);
  EXPECT_THAT(AsFloats(samples[0].values[0]), ElementsAre(2));
  EXPECT_THAT(AsFloats(samples[1].values[0]), ElementsAre(8));
  EXPECT_THAT(AsFloats(samples[2].values[0]), ElementsAre(14));
}

TEST(Observer, ThatComesLaterDoesNotDisturbTheIntervalOfAnother) {
  Host host;
  const Selection mean = {
      .variables = {host.toy->steps}, .every_steps = 4, .aggregation = Aggregation::kMean};
  Watch first(host, {.selections = {mean}});
  MakeSteps(host, 3);
  Watch second(host, {.selections = {mean}, .start = ObserverSpec::Start::kSnapshot});
  EXPECT_THAT(AsFloats(second.Samples(1)[0].values[0]), ElementsAre(3));
  MakeSteps(host, 1);
  EXPECT_THAT(AsFloats(first.Samples(1)[0].values[0]), ElementsAre(2.5F));
  EXPECT_THAT(AsFloats(second.Samples(1)[0].values[0]), ElementsAre(2.5F));
}

TEST(Observer, HasComputedVariablesEvaluatedOnlyWhenDue) {
  Host host;
  Watch watch(host, {.selections = {{.variables = {host.toy->norm}, .every_steps = 10}}});
  MakeSteps(host, 100);
  EXPECT_EQ(watch.Samples(10).size(), 10U);
  EXPECT_EQ(host.toy->computations.load(), 10);
}

TEST(Observer, TheNetworkHelpsAsLongAsSomebodyWatches) {
  Host host;
  const ObserverSpec spec = {.selections = {{.variables = {host.toy->count}, .every_steps = 5}}};
  auto one = std::make_unique<Watch>(host, spec);
  auto two = std::make_unique<Watch>(host, spec);
  MakeSteps(host, 5);
  EXPECT_THAT(AsFloats(one->Samples(1)[0].values[0]), ElementsAre(5));
  one.reset();
  MakeSteps(host, 5);
  EXPECT_EQ(two->Samples(2)[1].cursor.step, 10);
  host.Settle();
  EXPECT_TRUE(host.toy->watched());
  two.reset();
  host.Settle();
  EXPECT_FALSE(host.toy->watched());
  EXPECT_EQ(host.instance->status().observers, 0);
}

TEST(Observer, ChangesNoBit) {
  const auto run = [](bool observed) {
    Host host;
    std::vector<std::unique_ptr<Watch>> watches;
    for (int i = 0; observed && i < 3; ++i) {
      watches.push_back(std::make_unique<Watch>(
          host, ObserverSpec{.selections = {{.variables = {host.toy->u, host.toy->norm}},
                                            {.variables = {host.toy->W},
                                             .every_steps = 7,
                                             .aggregation = Aggregation::kMean}},
                             .start = ObserverSpec::Start::kSnapshot,
                             .capacity = 5}));
    }
    Job job;
    job.Steps(1000).Give(host.toy->x, {1, 2, 3}).Give(host.toy->target, {3}).Run(*host.Attach());
    return host.Snap()->arrays;
  };
  EXPECT_EQ(run(true), run(false));
}

}  // namespace
}  // namespace prospero
