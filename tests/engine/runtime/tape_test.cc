// What a hosted network writes down, and when.

#include "engine/runtime/tape.h"

#include <chrono>

#include "engine/runtime/replay.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/gate.h"
#include "tests/engine/runtime/taped_toy.h"

namespace prospero {
namespace {

using std::chrono::milliseconds;

/// Steps of a slice on time that stands still.
constexpr int64_t kSlice = 256;

void ExpectComesBack(Taped& taped, const Origin& origin) {
  const SnapshotPointer end = taped.Snap();
  Taped after(Toy(), 1, &origin);
  ASSERT_TRUE(after.status.ok()) << after.status;
  EXPECT_TRUE(after.loss.ok()) << after.loss;
  EXPECT_EQ(after.instance->status().cursor, taped.instance->status().cursor);
  ExpectSame(*after.Snap(), *end);
}

TEST(Tape, HasAllStepsOfAJobBeforeItIsDone) {
  Taped taped(Toy());
  for (const int64_t steps : {1, 7, 1000}) {
    Cursor written;
    DriveJob job;
    job.steps = steps;
    Box<bool> over;
    job.done = [&](DriveJob&) {
      written = taped.journal->kept().back().cursor;
      over.Put(true);
    };
    taped.Drive().Submit(&job);
    over.Take();
    EXPECT_EQ(written, job.cursor);
  }
  EXPECT_EQ(taped.journal->kept().back().cursor, (Cursor{0, 1008}));
}

TEST(Tape, OnlyCountsStepsThatSeeNothingNew) {
  Taped taped(Toy());
  MakeSteps(taped, 10'000, {1, 2, 3});
  size_t bytes = 0;
  for (const auto& kept : taped.journal->kept()) bytes += kept.piece.size();
  EXPECT_LT(bytes, 150U);
  EXPECT_LE(taped.journal->size(), 2U);
}

TEST(Tape, TellsOfStepsThatSeeNothingNewNowAndThen) {
  Gate gate;
  const Recipe gated = {"gated", 0.1, [&](uint64_t seed) {
                          auto toy = std::make_unique<ToyNetwork>(seed);
                          gate.Prepare()(*toy);
                          return toy;
                        }};
  Taped taped(gated, 1, nullptr, ClockMode::kFree);
  ASSERT_TRUE(taped.Start().ok());
  gate.RunTo(kSlice);
  const size_t before = taped.journal->size();
  gate.RunTo(20 * kSlice);
  EXPECT_EQ(taped.journal->size(), before);
  taped.time.Advance(milliseconds(10));
  gate.RunTo(22 * kSlice);
  EXPECT_EQ(taped.journal->size(), before + 1);
  gate.Open();
  ASSERT_TRUE(taped.Pause().ok());
  EXPECT_EQ(taped.journal->kept().back().cursor, taped.instance->status().cursor);
}

TEST(Tape, BelongsTogetherWithWhatAnOrderAnswers) {
  Taped taped(Toy());
  MakeSteps(taped, 3, {1, 2, 3});
  const size_t before = taped.journal->size();
  Box<std::pair<size_t, bool>> seen;
  taped.instance->Assign({{Find(taped, "gain"), Floats({0.5F})}}, [&](const auto&) {
    seen.Put({taped.journal->size(), taped.journal->in_order()});
  });
  EXPECT_EQ(seen.Take(), std::make_pair(before + 1, true));
  EXPECT_TRUE(taped.journal->kept().back().in_order);
  ASSERT_TRUE(taped.Pause().ok());  // Is nothing that a replay must do.
  EXPECT_EQ(taped.journal->size(), before + 1);
}

TEST(Tape, GoesToAnotherJournalFromThereOn) {
  Taped taped(Toy());
  MakeSteps(taped, 5, {1, 2, 3});
  const auto other = std::make_shared<PieceKeeper>();
  const auto set = [&](std::shared_ptr<Journal> journal) {
    return taped.Ask([&](auto done) { taped.instance->SetJournal(std::move(journal), done); });
  };
  ASSERT_TRUE(set(other).ok());
  const SnapshotPointer base = taped.Snap();
  const size_t before = taped.journal->size();
  MakeSteps(taped, 5, {3, 2, 1});
  EXPECT_EQ(taped.journal->size(), before);
  Origin origin = OriginOf(other->kept(), 0, other->size());
  origin.base = base;
  ExpectComesBack(taped, origin);

  ASSERT_TRUE(set(nullptr).ok());
  const size_t there = other->size();
  MakeSteps(taped, 5, {1, 1, 1});
  EXPECT_EQ(taped.journal->size(), before);
  EXPECT_EQ(other->size(), there);
}

TEST(Tape, KeepsNegativeZerosAndDenormals) {
  Taped taped(Toy());
  MakeSteps(taped, 2, {0, 0, 0});
  MakeSteps(taped, 3, {-0.0F, 1e-42F, 1});
  ASSERT_TRUE(taped.Assign(Find(taped, "out.target"), Floats({-1e-42F})).ok());
  const auto kept = taped.journal->kept();
  ExpectComesBack(taped, OriginOf(kept, 0, kept.size()));
  const SnapshotPointer end = taped.Snap();
  EXPECT_EQ(end->arrays[0].values, Floats({-0.0F, 1e-42F, 1}));
}

TEST(Tape, KnowsThatLearningWasFrozenWhenTheSnapshotSaysWhatIsWished) {
  Recipe slow = Toy();
  slow.dt = 1.0;
  Taped taped(slow);
  const SafetySpec spec = {.inputs = {{Find(taped, "in.x"), milliseconds(5)}}};
  ASSERT_TRUE(taped.Ask([&](auto done) { taped.instance->SetSafety(spec, done); }).ok());
  ASSERT_TRUE(taped.SetClock(ClockMode::kRealtime).ok());
  const auto x = *taped.instance->OpenFeed({.input = Find(taped, "in.x")});
  const auto target = *taped.instance->OpenFeed({.input = Find(taped, "out.target")});
  const auto pass = [&](int ms) {
    for (; ms > 0; --ms) {
      ASSERT_TRUE(target->Push({Floats({0.7F}), {}, false}).ok());
      taped.time.Advance(milliseconds(1));
      taped.Snap();
      taped.Snap();
    }
  };
  ASSERT_TRUE(x->Push({Floats({1, 2, 3}), {}, false}).ok());
  pass(4);
  EXPECT_FALSE(taped.instance->status().unsafe);
  pass(10);
  EXPECT_TRUE(taped.instance->status().unsafe);
  const SnapshotPointer base = taped.Snap();
  const size_t first = taped.journal->size();
  pass(10);
  const SnapshotPointer end = taped.Snap();
  const auto kept = taped.journal->kept();
  Origin origin = OriginOf(kept, first, kept.size());
  origin.base = base;
  Taped after(slow, 1, &origin);
  ASSERT_TRUE(after.status.ok()) << after.status;
  EXPECT_GE(end->step, base->step + 9);
  ExpectSame(*after.Snap(), *end);
}

TEST(Tape, HasInputsThatNoStepHasSeenWhenASnapshotIsTaken) {
  // A job is begun, and broken off before its first step: what it wrote is there all the same.
  Taped taped(Toy());
  MakeSteps(taped, 2, {1, 2, 3});
  ASSERT_TRUE(taped.Assign(Find(taped, "in.x"), Floats({7, 8, 9})).ok());
  const SnapshotPointer base = taped.Snap();
  const size_t first = taped.journal->size();
  MakeSteps(taped, 2, {1, 2, 3});
  const auto kept = taped.journal->kept();
  Origin origin = OriginOf(kept, first, kept.size());
  origin.base = base;
  ExpectComesBack(taped, origin);
}

}  // namespace
}  // namespace prospero
