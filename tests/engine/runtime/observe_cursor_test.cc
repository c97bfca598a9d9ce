// Recordings that are shared and retained: reliable observers, and those who go on at a cursor.

#include <chrono>

#include "absl/strings/numbers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/host.h"

namespace prospero {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Delivery = ObserverSpec::Delivery;
using Start = ObserverSpec::Start;

/// What one sample of a scalar takes of what is retained, when it is a chunk of its own.
constexpr int64_t kLoneSample = 100;

ObserverSpec Of(int variable, Delivery delivery = Delivery::kReliable) {
  return {.selections = {{.variables = {variable}}}, .delivery = delivery};
}

ObserverSpec Behind(ObserverSpec spec, Cursor cursor) {
  spec.start = Start::kBehind;
  spec.behind = {cursor};
  return spec;
}

/// What was computed is what one recording has computed.
TEST(Recording, IsSharedByObserversWithEqualSelections) {
  Host host;
  std::vector<std::unique_ptr<Watch>> watches;
  for (int i = 0; i < 10; ++i) watches.push_back(std::make_unique<Watch>(host, Of(host.toy->norm)));
  watches.push_back(std::make_unique<Watch>(host, Of(host.toy->norm, Delivery::kLatest)));
  MakeSteps(host, 100);
  const Observed one = watches[0]->Waiting();
  EXPECT_EQ(one.samples.size(), 100U);
  EXPECT_EQ(host.toy->computations, 100);
  EXPECT_EQ(host.instance->status().recordings, 1);
  EXPECT_EQ(host.instance->status().observers, 11);
  for (const auto& watch : watches) {
    if (watch == watches[0]) continue;
    const Observed other = watch->Waiting();
    EXPECT_EQ(other.samples.runs()[0].chunk, one.samples.runs()[0].chunk);
  }
}

TEST(Recording, IsAnotherForAnotherSelection) {
  Host host;
  ObserverSpec spec = Of(host.toy->u);
  Watch plain(host, spec);
  spec.selections[0].every_steps = 2;
  Watch thin(host, spec);
  spec.selections[0].slice = Slice{.start = 1};
  Watch slice(host, spec);
  spec.selections[0].aggregation = Aggregation::kMean;
  Watch mean(host, spec);
  spec.selections[0].on_change = 0.0;
  Watch changes(host, spec);
  spec.selections[0].on_change = 0.5;
  Watch moves(host, spec);
  spec.selections.push_back({.variables = {host.toy->W}});
  Watch two(host, spec);
  EXPECT_EQ(host.instance->status().recordings, 7);
}

TEST(Recording, EndsWithItsLastReaderWhenNothingIsToBeRetained) {
  Host host;
  auto watch = std::make_unique<Watch>(host, Of(host.toy->count));
  host.Settle();
  EXPECT_TRUE(host.toy->watched());
  watch.reset();
  host.Settle();
  EXPECT_FALSE(host.toy->watched());
  EXPECT_EQ(host.instance->status().recordings, 0);
}

TEST(Recording, OutlivesItsLastReaderForAWhile) {
  Instance::Options options;
  options.recording.retention = std::chrono::seconds(60);
  Host host(options);
  auto watch = std::make_unique<Watch>(host, Of(host.toy->count));
  MakeSteps(host, 5);
  host.Settle();
  watch.reset();
  host.time.Advance(std::chrono::seconds(59));
  MakeSteps(host, 5);
  EXPECT_EQ(host.instance->status().observers, 0);
  EXPECT_EQ(host.instance->status().recordings, 1);
  watch = std::make_unique<Watch>(host, Behind(Of(host.toy->count), {0, 2}));
  EXPECT_THAT(StepsOf(watch->Waiting().samples), ElementsAre(3, 4, 5, 6, 7, 8, 9, 10));
  watch.reset();
  host.time.Advance(std::chrono::seconds(60));
  host.instance->DropExpired();
  host.Settle();
  EXPECT_EQ(host.instance->status().recordings, 0);
  EXPECT_FALSE(host.toy->watched());
}

TEST(Recording, OfThoseWithoutReadersTheOldestGoWhenThereAreMany) {
  Instance::Options options;
  options.recording.retention = std::chrono::seconds(60);
  Host host(options);
  for (int64_t every = 1; every <= 20; ++every) {
    ObserverSpec spec = Of(host.toy->steps);
    spec.selections[0].every_steps = every;
    Watch watch(host, spec);
    host.Settle();
  }
  host.Settle();
  EXPECT_EQ(host.instance->status().recordings, 16);
  MakeSteps(host, 40);
  ObserverSpec spec = Behind(Of(host.toy->steps), {0, 0});
  spec.selections[0].every_steps = 20;
  Watch last(host, spec);
  EXPECT_THAT(StepsOf(last.Waiting().samples), ElementsAre(20, 40));
  spec.selections[0].every_steps = 1;
  Watch first(host, spec);
  host.Settle();
  EXPECT_EQ(Reason(first.observer->end()), "CURSOR_EVICTED");
}

TEST(Recording, RetainsTheLargestOfWhatItsReadersAskFor) {
  Host host;
  ObserverSpec spec = Of(host.toy->steps);
  spec.retained_bytes = 10 * kLoneSample;
  Watch little(host, spec);
  MakeSteps(host, 1000);
  host.Settle();
  EXPECT_EQ(Reason(little.observer->end()), "");  // Nobody has looked yet.
  Observed seen;
  EXPECT_FALSE(little.observer->Take(1, &seen));
  EXPECT_EQ(Reason(seen.end), "CURSOR_EVICTED");
  spec.retained_bytes = 1000 * kLoneSample;
  Watch much(host, spec);
  Watch other(host, Of(host.toy->steps));
  MakeSteps(host, 900);
  EXPECT_EQ(much.Waiting().samples.size(), 900U);
  EXPECT_EQ(other.Waiting().samples.size(), 900U);
}

TEST(ReliableObserver, GetsEverySampleHoweverFarItIsBehind) {
  Host host;
  ObserverSpec spec = Of(host.toy->steps);
  spec.capacity = 3;
  Watch watch(host, spec);
  MakeSteps(host, 10'000);
  const Observed seen = watch.Waiting();
  EXPECT_EQ(seen.samples.size(), 10'000U);
  EXPECT_FALSE(seen.gap.has_value());
}

TEST(ReliableObserver, EndsWhenItFallsBehindWhatIsRetained) {
  Host host;
  ObserverSpec spec = Of(host.toy->steps);
  spec.retained_bytes = 10 * kLoneSample;
  Watch watch(host, spec);
  MakeSteps(host, 5);
  EXPECT_EQ(watch.Waiting().samples.size(), 5U);
  MakeSteps(host, 100);
  host.Settle();
  Observed seen;
  EXPECT_FALSE(watch.observer->Take(1, &seen));
  EXPECT_EQ(seen.end.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(Reason(seen.end), "CURSOR_EVICTED");
  EXPECT_EQ(Metadata(seen.end, "oldest_epoch"), "0");
  // It is possible to go on from there.
  int64_t oldest = 0;
  ASSERT_TRUE(absl::SimpleAtoi(Metadata(seen.end, "oldest_step"), &oldest));
  EXPECT_GT(oldest, 5);
  spec.start = Start::kBehind;
  spec.behind = {{0, oldest}};
  Watch again(host, spec);
  const std::vector<int64_t> steps = StepsOf(again.Waiting().samples);
  EXPECT_EQ(steps.front(), oldest + 1);
  EXPECT_EQ(steps.back(), 105);
  spec.behind = {{0, oldest - 1}};
  Watch early(host, spec);
  host.Settle();
  EXPECT_EQ(Reason(early.observer->end()), "CURSOR_EVICTED");
}

TEST(ObserverBehindACursor, GoesOnWhereAnotherStopped) {
  Host host;
  Watch one(host, Of(host.toy->steps));
  MakeSteps(host, 10);
  EXPECT_EQ(one.Samples(4).back().cursor.step, 4);
  Watch two(host, Behind(one.spec, {0, 4}));
  const Observed seen = two.Waiting(3);
  EXPECT_EQ(seen.opened->cursor, (Cursor{0, 10}));
  EXPECT_EQ(seen.opened->oldest, (Cursor{0, 0}));
  EXPECT_THAT(StepsOf(seen.samples), ElementsAre(5, 6, 7));
  EXPECT_EQ(seen.progress, (Cursor{0, 7}));
}

TEST(ObserverBehindACursor, ThatIsBehindAllAndHasNoneOfTheNextIsNotTooLate) {
  Host host;
  MakeSteps(host, 10);
  Watch watch(host, Behind(Of(host.toy->steps), {0, 10}));
  const Observed opened = watch.Waiting();
  EXPECT_FALSE(opened.opened->oldest.has_value());
  MakeSteps(host, 2);
  EXPECT_THAT(StepsOf(watch.Waiting().samples), ElementsAre(11, 12));
}

TEST(ObserverBehindACursor, GoesOnOverEpochs) {
  Host host;
  Watch one(host, Of(host.toy->steps));
  MakeSteps(host, 5);
  const auto snapshot = host.Snap();
  MakeSteps(host, 3);
  ASSERT_TRUE(
      host.Ask([&](auto done) { host.instance->Reset({}, /*step=*/true, absl::nullopt, done); })
          .ok());
  MakeSteps(host, 2);
  ASSERT_TRUE(
      host.Ask([&](auto done) { host.instance->RestoreSnapshot(snapshot, "", done); }).ok());
  MakeSteps(host, 1);
  Watch two(host, Behind(one.spec, {0, 7}));
  std::vector<Cursor> cursors;
  for (const ObservedSample& sample : two.Unpacked(two.Waiting())) cursors.push_back(sample.cursor);
  EXPECT_THAT(cursors, ElementsAre(Cursor{0, 8}, Cursor{1, 1}, Cursor{1, 2}, Cursor{2, 6}));
  Watch three(host, Behind(one.spec, {1, 100}));
  EXPECT_THAT(StepsOf(three.Waiting().samples), ElementsAre(6));
}

TEST(ObserverBehindACursor, CanNameTheSelectionThatItHasHadLast) {
  Host host;
  ObserverSpec spec = Of(host.toy->steps);
  spec.selections.push_back({.variables = {host.toy->u}});
  spec.selections.push_back({.variables = {host.toy->W}});
  Watch one(host, spec);
  MakeSteps(host, 2);
  spec.start = Start::kBehind;
  spec.behind = {{0, 1}, 0};
  Watch two(host, spec);
  const Observed seen = two.Waiting();
  ASSERT_EQ(seen.samples.size(), 5U);
  EXPECT_EQ(seen.samples[0].place, (Place{{0, 1}, 1}));
  EXPECT_EQ(seen.samples[1].place, (Place{{0, 1}, 2}));
  EXPECT_EQ(seen.samples[2].place, (Place{{0, 2}, 0}));
}

TEST(ObserverBehindACursor, IsRefusedWhatLiesAheadOfTheNetwork) {
  Host host;
  MakeSteps(host, 5);
  for (const Delivery delivery : {Delivery::kLatest, Delivery::kReliable}) {
    for (const Cursor cursor : {Cursor{0, 6}, Cursor{1, 0}}) {
      Watch watch(host, Behind(Of(host.toy->steps, delivery), cursor));
      host.Settle();
      Observed seen;
      EXPECT_FALSE(watch.observer->Take(1, &seen));
      EXPECT_EQ(seen.end.code(), absl::StatusCode::kOutOfRange);
      EXPECT_EQ(Reason(seen.end), "CURSOR_AHEAD");
    }
  }
}

TEST(LatestObserverBehindACursor, IsToldOfWhatIsNoLongerRetained) {
  Host host;
  ObserverSpec spec = Of(host.toy->steps, Delivery::kLatest);
  spec.retained_bytes = 10 * kLoneSample;
  Watch one(host, spec);
  MakeSteps(host, 1000);
  Watch two(host, Behind(spec, {0, 17}));
  const Observed seen = two.Waiting();
  ASSERT_TRUE(seen.gap.has_value());
  EXPECT_EQ(seen.gap->reason, Gap::Reason::kEvicted);
  EXPECT_EQ(seen.gap->first, (Cursor{0, 17}));
  EXPECT_EQ(seen.gap->last, *seen.opened->oldest);
  EXPECT_EQ(seen.gap->count, 0);
  EXPECT_EQ(StepsOf(seen.samples).front(), seen.gap->last.step + 1);
}

TEST(LatestObserverBehindACursor, IsToldWhenNothingWasRecorded) {
  Host host;
  MakeSteps(host, 10);
  Watch watch(host, Behind(Of(host.toy->steps, Delivery::kLatest), {0, 4}));
  const Observed seen = watch.Waiting();
  ASSERT_TRUE(seen.gap.has_value());
  EXPECT_EQ(seen.gap->first, (Cursor{0, 4}));
  EXPECT_EQ(seen.gap->last, (Cursor{0, 10}));
  EXPECT_THAT(seen.samples.runs(), IsEmpty());
  EXPECT_EQ(seen.progress, (Cursor{0, 10}));
}

TEST(LatestObserverBehindACursor, GetsAllThatIsRetainedBeforeItsCapacityCounts) {
  Host host;
  Watch one(host, Of(host.toy->steps));
  MakeSteps(host, 100);
  ObserverSpec spec = Behind(Of(host.toy->steps, Delivery::kLatest), {0, 10});
  spec.capacity = 5;
  Watch two(host, spec);
  EXPECT_THAT(StepsOf(two.Waiting(3).samples), ElementsAre(11, 12, 13));
  EXPECT_EQ(two.Waiting().samples.size(), 87U);
  MakeSteps(host, 10);
  const Observed slow = two.Waiting();
  EXPECT_EQ(slow.gap->reason, Gap::Reason::kSlowReader);
  EXPECT_EQ(slow.gap->count, 5);
}

}  // namespace
}  // namespace prospero
