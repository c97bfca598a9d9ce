// What observers see.

#include <atomic>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/host.h"

namespace prospero {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;

void Step(Host& host, int64_t steps) {
  Job job;
  job.Steps(steps).Every(steps).Run(*host.Attach());
  ASSERT_TRUE(job.status.ok()) << job.status;
}

std::vector<int64_t> StepsOf(const std::vector<ObservedSample>& samples) {
  std::vector<int64_t> steps;
  for (const ObservedSample& sample : samples) steps.push_back(sample.cursor.step);
  return steps;
}

/// What is waiting once everything asked for so far was done.
Observed Waiting(Host& host, Observer& observer, int64_t most = INT64_MAX) {
  host.Settle();
  Observed seen;
  observer.Take(most, &seen);
  return seen;
}

TEST(Observer, SeesEveryNthStepByTheNetworksOwnCount) {
  Host host;
  Step(host, 2);
  Watch watch(host, {.selections = {{.variables = {host.toy->steps}, .every_steps = 3}}});
  Step(host, 10);
  const Observed seen = Waiting(host, *watch.observer);
  EXPECT_THAT(StepsOf(seen.samples), ElementsAre(3, 6, 9, 12));
  for (const ObservedSample& sample : seen.samples) {
    EXPECT_THAT(AsFloats(sample.values[0]), ElementsAre(sample.cursor.step));
  }
  EXPECT_FALSE(seen.gap.has_value());
  EXPECT_EQ(seen.cursor, (Cursor{0, 12}));
}

TEST(Observer, SeesSeveralSelectionsInTheOrderOfTime) {
  Host host;
  const Selection often = {.variables = {host.toy->steps, host.toy->u}, .every_steps = 2};
  const Selection seldom = {.variables = {host.toy->W}, .every_steps = 3};
  Watch watch(host, {.selections = {often, seldom}});
  Step(host, 6);
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
  Step(host, 1);
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
  Step(host, 3);
  ASSERT_TRUE(
      host.Ask([&](auto done) { host.instance->Reset({}, /*step=*/true, absl::nullopt, done); })
          .ok());
  Step(host, 4);
  const auto sample = watch.Samples(1)[0];
  EXPECT_EQ(sample.cursor, (Cursor{1, 4}));
  EXPECT_THAT(AsFloats(sample.values[0]), ElementsAre(2.5F));
}

TEST(Observer, CanStartWithThePresentValues) {
  Host host;
  Step(host, 5);
  const Selection last = {.variables = {host.toy->steps}, .every_steps = 4};
  Selection spread = last;
  spread.aggregation = Aggregation::kMinMax;
  Watch watch(host, {.selections = {last, spread}, .start_with_snapshot = true});
  const auto first = watch.Samples(2);
  EXPECT_EQ(first[0].cursor, (Cursor{0, 5}));
  EXPECT_THAT(AsFloats(first[0].values[0]), ElementsAre(5));
  EXPECT_THAT(AsFloats(first[1].values[0]), ElementsAre(5, 5));
  Step(host, 3);
  const auto next = watch.Samples(2);
  EXPECT_THAT(AsFloats(next[0].values[0]), ElementsAre(8));
  EXPECT_THAT(AsFloats(next[1].values[0]), ElementsAre(6, 8));  // The snapshot is no step.
}

TEST(Observer, ThatIsSlowLosesTheOldestSamplesAndIsToldWhich) {
  Host host;
  Watch watch(host, {.selections = {{.variables = {host.toy->steps}}}, .capacity = 4});
  Step(host, 3);
  Step(host, 7);
  const Observed seen = Waiting(host, *watch.observer, 1);
  ASSERT_TRUE(seen.gap.has_value());
  EXPECT_EQ(seen.gap->first, (Cursor{0, 1}));
  EXPECT_EQ(seen.gap->last, (Cursor{0, 6}));
  EXPECT_EQ(seen.gap->count, 6);
  EXPECT_THAT(StepsOf(seen.samples), ElementsAre(7));
  Step(host, 2);
  const Observed later = Waiting(host, *watch.observer);
  EXPECT_EQ(later.gap->first, (Cursor{0, 8}));
  EXPECT_EQ(later.gap->last, (Cursor{0, 8}));
  EXPECT_EQ(later.gap->count, 1);
  EXPECT_THAT(StepsOf(later.samples), ElementsAre(9, 10, 11, 12));
}

TEST(Observer, AGapKeepsUntilSamplesAreTaken) {
  Host host;
  Watch watch(host, {.selections = {{.variables = {host.toy->steps}}}, .capacity = 2});
  Step(host, 5);
  ASSERT_TRUE(host.Pause().ok());
  const Observed events = Waiting(host, *watch.observer, 0);
  EXPECT_FALSE(events.gap.has_value());
  EXPECT_THAT(events.samples, IsEmpty());
  EXPECT_EQ(events.events.size(), 3U);  // The driver came and left; paused.
  EXPECT_EQ(Waiting(host, *watch.observer).gap->count, 3);
}

TEST(Observer, ThatNeverReadsDoesNotHoldTheNetwork) {
  Host host;
  Watch watch(host, {.selections = {{.variables = {host.toy->steps}}}, .capacity = 10});
  Step(host, 100'000);
  const Observed seen = Waiting(host, *watch.observer);
  EXPECT_EQ(seen.gap->count, 99'990);
  EXPECT_EQ(seen.gap->first, (Cursor{0, 1}));
  EXPECT_EQ(seen.gap->last, (Cursor{0, 99'990}));
  EXPECT_EQ(StepsOf(seen.samples).front(), 99'991);
  EXPECT_EQ(seen.samples.size(), 10U);
}

TEST(Observer, LargeSamplesArriveWholeThoughTheyDoNotFitTogether) {
  constexpr int64_t kWidth = 20'000;
  Host host({}, 1, nullptr, kWidth);
  Watch watch(host, {.selections = {{.variables = {host.toy->wide}}}, .capacity = 500});
  Step(host, 300);
  const Observed seen = Waiting(host, *watch.observer);
  ASSERT_EQ(seen.samples.size(), 300U);
  for (const ObservedSample& sample : seen.samples) {
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
  for (int i = 0; i < 45; ++i) Step(host, 1);
  EXPECT_THAT(StepsOf(Waiting(host, *watch.observer).samples), ElementsAre(1, 11, 21, 31, 41));
  host.time.Advance(std::chrono::seconds(1));  // The time without samples is not made up for.
  for (int i = 0; i < 15; ++i) Step(host, 1);
  EXPECT_THAT(StepsOf(Waiting(host, *watch.observer).samples), ElementsAre(46, 56));
}

TEST(Observer, HasComputedVariablesEvaluatedOnlyWhenDue) {
  Host host;
  Watch watch(host, {.selections = {{.variables = {host.toy->norm}, .every_steps = 10}}});
  Step(host, 100);
  EXPECT_EQ(watch.Samples(10).size(), 10U);
  EXPECT_EQ(host.toy->computations.load(), 10);
}

TEST(Observer, TheNetworkHelpsAsLongAsSomebodyWatches) {
  Host host;
  const ObserverSpec spec = {.selections = {{.variables = {host.toy->count}, .every_steps = 5}}};
  auto one = std::make_unique<Watch>(host, spec);
  auto two = std::make_unique<Watch>(host, spec);
  Step(host, 5);
  EXPECT_THAT(AsFloats(one->Samples(1)[0].values[0]), ElementsAre(5));
  one.reset();
  Step(host, 5);
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
                             .start_with_snapshot = true,
                             .capacity = 5}));
    }
    Job job;
    job.Steps(1000).Give(host.toy->x, {1, 2, 3}).Give(host.toy->target, {3}).Run(*host.Attach());
    return host.Snap()->arrays;
  };
  EXPECT_EQ(run(true), run(false));
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
  Step(host, 2);
  EXPECT_TRUE(watch.observer->end().ok());
  host.instance->End(Error(absl::StatusCode::kAborted, "NETWORK_DELETED", "gone"));
  EXPECT_EQ(Reason(watch.observer->end()), "NETWORK_DELETED");
  EXPECT_THAT(StepsOf(watch.Samples(2)), ElementsAre(1, 2));
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
    while (observer->Take(1, &taken)) seen.Put(taken.cursor.step);
  });
  known.Open();
  Step(host, 3);
  for (int i = 0; i < 3; ++i) seen.Take();
  observer->Cancel();
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

struct Bad {
  const char* name;
  std::function<void(ObserverSpec&, const ToyNetwork&)> make;
  const char* path;
  const char* message;
};

class BadObserver : public testing::TestWithParam<Bad> {};

TEST_P(BadObserver, IsRefused) {
  Host host;
  ObserverSpec spec = {.selections = {{.variables = {host.toy->steps}},
                                      {.variables = {host.toy->steps, host.toy->u}}}};
  GetParam().make(spec, *host.toy);
  const absl::Status status = host.instance->Observe(spec, nullptr).status();
  EXPECT_EQ(FieldPath(status), GetParam().path) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().message));
  EXPECT_EQ(host.instance->status().observers, 0);
}

INSTANTIATE_TEST_SUITE_P(
    All, BadObserver,
    testing::Values(
        Bad{"NoSelection", [](ObserverSpec& spec, const ToyNetwork&) { spec.selections.clear(); },
            "selections", "at least one"},
        Bad{"NoVariable",
            [](ObserverSpec& spec, const ToyNetwork&) { spec.selections[1].variables.clear(); },
            "selections[1].variables", "at least one"},
        Bad{"UnknownVariable",
            [](ObserverSpec& spec, const ToyNetwork&) { spec.selections[1].variables[1] = 99; },
            "selections[1].variables[1]", "no variable 99"},
        Bad{"NegativeVariable",
            [](ObserverSpec& spec, const ToyNetwork&) { spec.selections[0].variables[0] = -1; },
            "selections[0].variables[0]", "no variable -1"},
        Bad{"NoStride",
            [](ObserverSpec& spec, const ToyNetwork&) { spec.selections[0].every_steps = 0; },
            "selections[0].every_steps", "must be >= 1, got 0"},
        Bad{"NegativeRate",
            [](ObserverSpec& spec, const ToyNetwork&) { spec.selections[0].max_rate_hz = -1; },
            "selections[0].max_rate_hz", "got -1"},
        Bad{"RateNotANumber",
            [](ObserverSpec& spec, const ToyNetwork&) { spec.selections[0].max_rate_hz = NAN; },
            "selections[0].max_rate_hz", "got nan"},
        Bad{"SliceBeyondTheEnd",
            [](ObserverSpec& spec, const ToyNetwork&) {
              spec.selections[1].variables = {6};
              spec.selections[1].slice = Slice{.start = 4, .count = 3};
            },
            "selections[1].slice", "6 values of 'u'"},
        Bad{"SliceThatDoesNotFitOneOfThem",
            [](ObserverSpec& spec, const ToyNetwork&) {
              spec.selections[1].slice = Slice{.start = 1};
            },
            "selections[1].slice", "1 values of 'steps'"},
        Bad{"SliceThatOverflows",
            [](ObserverSpec& spec, const ToyNetwork&) {
              spec.selections[1].variables = {6};
              spec.selections[1].slice = Slice{.start = 1, .count = INT64_MAX, .stride = INT64_MAX};
            },
            "selections[1].slice", "start 1"},
        Bad{"NegativeSlice",
            [](ObserverSpec& spec, const ToyNetwork&) {
              spec.selections[0].slice = Slice{.start = -1};
            },
            "selections[0].slice", "start -1"},
        Bad{"MeanOfAComputedVariable",
            [](ObserverSpec& spec, const ToyNetwork& toy) {
              spec.selections[1].variables = {toy.u, toy.norm};
              spec.selections[1].aggregation = Aggregation::kMean;
            },
            "selections[1].aggregation", "must be LAST for 'u.norm'"},
        Bad{"NoCapacity", [](ObserverSpec& spec, const ToyNetwork&) { spec.capacity = 0; },
            "capacity", "must be >= 1, got 0"},
        Bad{"TooMuchMemory",
            [](ObserverSpec& spec, const ToyNetwork&) { spec.capacity = INT64_MAX; }, "capacity",
            "for samples of"}),
    [](const auto& test) { return test.param.name; });

TEST(Observer, ThePathOfSixIsTheVariableU) {
  // What the table above takes for granted.
  EXPECT_EQ(ToyNetwork().u, 6);
}

}  // namespace
}  // namespace prospero
