// Pieces of tape that are good, that are damaged, and that do not fit.

#include "engine/runtime/replay.h"

#include <limits>
#include <random>

#include "engine/core/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/taped_toy.h"

namespace prospero {
namespace {

using testing::HasSubstr;

std::vector<float> Rows(int64_t steps) {
  std::vector<float> rows;
  for (int64_t i = 0; i < 3 * steps; ++i) rows.push_back(static_cast<float>(i) * 0.25F);
  return rows;
}

/// A bare network to replay on. `most`: steps after which the replay is broken off.
struct Stage {
  explicit Stage(int64_t most = INT64_MAX)
      : simulation(std::make_unique<ToyNetwork>(1), 0.1, 1, nullptr) {
    origin.progress = [most](int64_t steps) { return steps < most; };
  }
  std::string Bytes() {
    std::string bytes;
    for (const std::string& values : StateOf(simulation.variables())) bytes += values;
    return bytes;
  }
  Simulation simulation;
  Origin origin;
  Replay replay{simulation, origin};
};

/// Some of everything.
std::vector<PieceKeeper::Kept> SomePieces() {
  Taped taped(Toy());
  MakeSteps(taped, 5, Rows(5));
  EXPECT_TRUE(taped.Assign(Find(taped, "W"), std::string(8, '\0')).ok());
  EXPECT_TRUE(taped.Assign(Find(taped, "in.x"), Floats({2})).ok());
  MakeSteps(taped, 300, {1, 2, 3});
  EXPECT_TRUE(taped.SetLearning(false).ok());
  EXPECT_TRUE(taped.Reset({true, false, true}, false, 1234567).ok());
  MakeSteps(taped, 7, Rows(7));
  return taped.journal->kept();
}

TEST(Replay, NeverTrustsAPieceThatWasCutShort) {
  const auto kept = SomePieces();
  Stage good;
  for (const auto& one : kept) {
    for (size_t length = 0; length < one.piece.size(); ++length) {
      Stage stage;
      for (const auto& before : kept) {
        if (&before.piece == &one.piece) break;
        ASSERT_TRUE(stage.replay.Play(before.piece).ok());
      }
      const std::string bytes = stage.Bytes();
      const absl::Status played = stage.replay.Play(one.piece.substr(0, length));
      if (played.ok()) continue;  // It was cut between two entries.
      EXPECT_EQ(Reason(played), "DATA_LOSS") << played;
      EXPECT_EQ(stage.Bytes(), bytes) << length;
    }
    ASSERT_TRUE(good.replay.Play(one.piece).ok());
  }
}

TEST(Replay, SurvivesEveryByteThatIsWrong) {
  const auto kept = SomePieces();
  std::mt19937_64 random(5);
  for (size_t i = 0; i < kept.size(); ++i) {
    for (size_t at = 0; at < kept[i].piece.size(); ++at) {
      for (int flips = 0; flips < 4; ++flips) {
        Stage stage(2000);
        for (size_t k = 0; k < i; ++k) ASSERT_TRUE(stage.replay.Play(kept[k].piece).ok());
        std::string piece = kept[i].piece;
        piece[at] = static_cast<char>(piece[at] ^ static_cast<char>(1 + random() % 255));
        const absl::Status played = stage.replay.Play(piece);
        if (played.ok() || played.code() == absl::StatusCode::kCancelled) continue;
        EXPECT_EQ(Reason(played), "DATA_LOSS") << played;
      }
    }
  }
}

TEST(Replay, SurvivesWhatIsNoPieceAtAll) {
  std::mt19937_64 random(6);
  for (int i = 0; i < 20'000; ++i) {
    std::string piece(random() % 40, '\0');
    for (char& byte : piece) byte = static_cast<char>(random() % 8);
    if (piece.size() > 3 && i % 2 == 0) piece.replace(0, 3, {1, 0, 0});
    Stage stage(100);
    const absl::Status played = stage.replay.Play(piece);
    if (played.ok() || played.code() == absl::StatusCode::kCancelled) continue;
    EXPECT_EQ(Reason(played), "DATA_LOSS") << played;
  }
}

std::string Piece(const std::string& entries) { return std::string({1, 0, 0}) + entries; }

void ExpectRefused(const std::string& piece, const std::string& message) {
  Stage stage;
  const std::string before = stage.Bytes();
  const absl::Status played = stage.replay.Play(piece);
  EXPECT_EQ(played.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Reason(played), "DATA_LOSS");
  EXPECT_THAT(std::string(played.message()), HasSubstr(message));
  EXPECT_EQ(stage.Bytes(), before);
}

TEST(Replay, SaysWhatIsWrong) {
  const ToyNetwork toy;
  const auto index = [](int variable) { return std::string(1, static_cast<char>(variable)); };
  const std::string nan = Floats({std::numeric_limits<float>::quiet_NaN()});
  ExpectRefused("", "damaged");
  ExpectRefused({2, 0, 0}, "format 2");
  ExpectRefused({1, 0, 9}, "begins at epoch 0, step 9, the network stands at epoch 0, step 0");
  ExpectRefused(Piece({99}), "damaged");
  ExpectRefused(Piece({5, 1, 'k'}), "no snapshot");
  ExpectRefused(Piece("\x02\x7F" + std::string(6, '\0')), "variable 127");
  ExpectRefused(Piece("\x02" + index(toy.x) + std::string("\0\x10", 2) + std::string(16, '\0')),
                "'in.x', which has 12");
  ExpectRefused(Piece("\x02" + index(toy.x) + std::string("\x01\x04", 2) + std::string(4, '\0')),
                "at byte 1");
  ExpectRefused(Piece("\x02" + index(toy.u) + std::string("\0\x04", 2) + std::string(4, '\0')),
                "'u', which is neither");
  ExpectRefused(Piece("\x03" + index(toy.gain) + "\x04" + nan), "must be finite");
}

TEST(Replay, SaysThatTheNetworkDoesNotDoAgainWhatItDid) {
  Stage calm;
  const absl::Status played = calm.replay.Play(Piece({6}));
  EXPECT_EQ(Reason(played), "DATA_LOSS");
  EXPECT_THAT(std::string(played.message()), HasSubstr("did not diverge in step"));
  Stage wild;
  const ToyNetwork toy;
  wild.simulation.variables()[toy.diverge_at].Fill(3);
  const absl::Status diverged = wild.replay.Play(Piece({1, 5}));
  EXPECT_EQ(Reason(diverged), "DATA_LOSS");
  EXPECT_THAT(std::string(diverged.message()), HasSubstr("diverged in step 3"));
  EXPECT_EQ(wild.simulation.cursor(), (Cursor{0, 3}));
}

TEST(Replay, GoesOnOnlyWhereThePieceBegins) {
  const auto kept = SomePieces();
  Stage stage;
  ASSERT_TRUE(stage.replay.Play(kept[0].piece).ok());
  EXPECT_EQ(Reason(stage.replay.Play(kept[0].piece)), "DATA_LOSS");
  EXPECT_EQ(Reason(stage.replay.Play(kept.back().piece)), "DATA_LOSS");
  EXPECT_TRUE(stage.replay.Play(kept[1].piece).ok());
}

/// A network that has failed in step 10, and what it wrote.
struct Failed {
  Failed() : taped(Toy()) {
    EXPECT_TRUE(taped.Assign(Find(taped, "diverge_at"), Floats({10})).ok());
    MakeSteps(taped, 30, {1, 2, 3}, absl::StatusCode::kAborted);
  }
  std::unique_ptr<Taped> Recover() {
    const auto kept = taped.journal->kept();
    const Origin origin = OriginOf(kept, 0, kept.size());
    return std::make_unique<Taped>(Toy(), 1, &origin);
  }
  Taped taped;
};

TEST(RecoveredNetwork, HasFailedAsItHad) {
  Failed failed;
  const auto after = failed.Recover();
  EXPECT_TRUE(after->loss.ok()) << after->loss;
  const InstanceStatus status = after->instance->status();
  EXPECT_EQ(status.state, RunState::kFailed);
  EXPECT_EQ(status.failure, failed.taped.instance->status().failure);
  EXPECT_EQ(status.cursor, (Cursor{0, 10}));
  EXPECT_EQ(StateOf(*after->table), StateOf(*failed.taped.table));
  MakeSteps(*after, 1, {1, 1, 1}, absl::StatusCode::kFailedPrecondition);
}

TEST(RecoveredNetwork, StaysFailedAfterAResetOfAPart) {
  Failed failed;
  ASSERT_TRUE(failed.taped.Reset({false, true, true}, false, {}).ok());
  const auto after = failed.Recover();
  EXPECT_TRUE(after->loss.ok()) << after->loss;
  EXPECT_EQ(after->instance->status().state, RunState::kFailed);
  EXPECT_EQ(after->instance->status().cursor, (Cursor{1, 10}));
}

TEST(RecoveredNetwork, IsHealedAsItWas) {
  Failed failed;
  ASSERT_TRUE(failed.taped.Assign(Find(failed.taped, "diverge_at"), Floats({-1})).ok());
  ASSERT_TRUE(failed.taped.Reset({}, true, {}).ok());
  MakeSteps(failed.taped, 20, {1, 2, 3});
  const auto after = failed.Recover();
  EXPECT_TRUE(after->loss.ok()) << after->loss;
  EXPECT_EQ(after->instance->status().state, RunState::kRunning);
  ExpectSame(*after->Snap(), *failed.taped.Snap());
}

TEST(RecoveredNetwork, HasFailedWhenItsBaseHad) {
  Failed failed;
  Origin origin;
  origin.base = failed.taped.Snap();
  Taped after(Toy(), 1, &origin);
  EXPECT_EQ(after.instance->status().state, RunState::kFailed);
  EXPECT_EQ(after.instance->status().failure, failed.taped.instance->status().failure);
  ASSERT_TRUE(after.Reset({}, false, {}).ok());
  EXPECT_EQ(after.instance->status().state, RunState::kRunning);
}

TEST(RecoveredNetwork, StandsAsWished) {
  Taped taped(Toy());
  MakeSteps(taped, 5, {1, 2, 3});
  ASSERT_TRUE(taped.SetLearning(false).ok());
  const auto kept = taped.journal->kept();
  Origin origin = OriginOf(kept, 0, kept.size());
  origin.least_epoch = 7;
  origin.learning = false;
  origin.running = false;
  Taped after(Toy(), 1, &origin);
  const InstanceStatus status = after.instance->status();
  EXPECT_EQ(status.cursor, (Cursor{7, 5}));
  EXPECT_FALSE(status.learning);
  EXPECT_EQ(status.state, RunState::kPaused);
  MakeSteps(after, 1, {1, 1, 1}, absl::StatusCode::kFailedPrecondition);
}

TEST(RecoveredNetwork, CanBeRecoveredAgainFromBothItsLives) {
  Taped first(Toy());
  MakeSteps(first, 5, Rows(5));
  auto kept = first.journal->kept();
  Origin origin = OriginOf(kept, 0, kept.size());
  origin.least_epoch = 1;
  Taped second(Toy(), 1, &origin);
  MakeSteps(second, 6, Rows(6));
  const SnapshotPointer end = second.Snap();
  for (const auto& more : second.journal->kept()) kept.push_back(more);
  origin = OriginOf(kept, 0, kept.size());
  origin.least_epoch = 2;
  Taped third(Toy(), 1, &origin);
  EXPECT_TRUE(third.loss.ok()) << third.loss;
  EXPECT_EQ(third.instance->status().cursor, (Cursor{2, 11}));
  ExpectSame(*third.Snap(), *end);
}

TEST(RecoveredNetwork, RunsByItselfIfItDid) {
  Taped taped(Toy());
  MakeSteps(taped, 5, {1, 2, 3});
  const auto kept = taped.journal->kept();
  const Origin origin = OriginOf(kept, 0, kept.size());
  ClockSpec clock = ClockMode::kRealtime;
  Taped after(Toy(), 1, &origin, clock);
  EXPECT_EQ(after.instance->status().state, RunState::kRunning);
  after.time.Advance(std::chrono::microseconds(100));
  after.Snap();
  after.Snap();
  EXPECT_EQ(after.instance->status().cursor.step, 6);
}

TEST(RecoveredNetwork, KeepsWhatCameBeforeALoss) {
  const auto kept = SomePieces();
  for (size_t good = 0; good < kept.size(); ++good) {
    Origin origin;
    size_t next = 0;
    origin.next_piece = [&]() -> absl::StatusOr<absl::optional<std::string>> {
      if (next == good) return absl::DataLossError("piece of the journal is damaged");
      return kept[next++].piece;
    };
    Taped after(Toy(), 1, &origin);
    ASSERT_TRUE(after.status.ok()) << after.status;
    EXPECT_EQ(after.loss.code(), absl::StatusCode::kDataLoss);
    if (good == 0) continue;
    EXPECT_EQ(after.instance->status().cursor, kept[good - 1].cursor);
    EXPECT_EQ(StateOf(*after.table), kept[good - 1].state);
  }
}

TEST(RecoveredNetwork, GoesBackToTheSnapshotThatItHadGoneBackTo) {
  Taped taped(Toy());
  MakeSteps(taped, 5, {1, 2, 3});
  const SnapshotPointer middle = taped.Snap();
  MakeSteps(taped, 5, {3, 2, 1});
  ASSERT_TRUE(taped.Restore(middle, "middle").ok());
  MakeSteps(taped, 2, {1, 1, 1});
  const auto kept = taped.journal->kept();
  const Origin origin = OriginOf(kept, 0, kept.size(), {{"middle", middle}});
  Taped after(Toy(), 1, &origin);
  EXPECT_TRUE(after.loss.ok()) << after.loss;
  ExpectSame(*after.Snap(), *taped.Snap());

  const Origin without = OriginOf(kept, 0, kept.size());
  Taped lost(Toy(), 1, &without);
  EXPECT_EQ(Reason(lost.loss), "DATA_LOSS");
  EXPECT_EQ(lost.instance->status().cursor, (Cursor{0, 10}));
}

TEST(RecoveredNetwork, IsNotMadeWhenTheBaseDoesNotFitOrNobodyWantsIt) {
  Origin origin;
  Snapshot bad = *Taped(Toy()).Snap();
  bad.arrays.pop_back();
  origin.base = std::make_shared<const Snapshot>(bad);
  Taped misfit(Toy(), 1, &origin);
  EXPECT_EQ(Reason(misfit.status), "SNAPSHOT_MISMATCH");

  const auto kept = SomePieces();
  origin = OriginOf(kept, 0, kept.size());
  std::vector<int64_t> told;
  origin.progress = [&told](int64_t steps) {
    told.push_back(steps);
    return steps < 100;
  };
  Taped unwanted(Toy(), 1, &origin);
  EXPECT_EQ(unwanted.status.code(), absl::StatusCode::kCancelled);
  EXPECT_GE(told.back(), 100);
  EXPECT_LT(told.back(), 305);
}

}  // namespace
}  // namespace prospero
