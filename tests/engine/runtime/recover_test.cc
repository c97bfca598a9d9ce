// Real networks to which everything happens that may happen, brought back from what was written
// down: not a bit may differ.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/runtime/replay.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/large_network.h"
#include "tests/engine/runtime/stirred.h"
#include "tests/support/chains.h"
#include "tests/support/circuit.h"
#include "tests/support/layered.h"
#include "tests/support/tangle.h"

namespace prospero {
namespace {

NetworkOptions OptionsOf(uint64_t seed, double dt, DataType precision, int64_t batch_size) {
  NetworkOptions options;
  options.dt = dt;
  options.seed = seed;
  options.precision = precision;
  options.batch_size = batch_size;
  return options;
}

Recipe TangleOf(const std::string& name, DataType precision, int64_t batch_size) {
  return {name, 0.05, [=](uint64_t seed) {
            return *MakeGle(Tangle(), OptionsOf(seed, 0.05, precision, batch_size),
                            NetworkLimits());
          }};
}

std::vector<Recipe> Recipes() {
  return {
      TangleOf("Gle", DataType::kFloat32, 1),
      TangleOf("GleInDoublePrecision", DataType::kFloat64, 1),
      TangleOf("GleOfABatch", DataType::kFloat32, 3),
      {"LatentEquilibrium", 0.1,
       [](uint64_t seed) {
         return Make(Menagerie(), OptionsOf(seed, 0.1, DataType::kFloat32, 1));
       }},
      {"Microcircuit", kCircuitDt,
       [](uint64_t seed) { return MakeCircuit(BusyCircuit(), seed, DataType::kFloat32); }},
  };
}

std::string NameOf(const testing::TestParamInfo<Recipe>& info) { return info.param.name; }

class RecoveredNetwork : public testing::TestWithParam<Recipe> {
 protected:
  /// Plays all pieces one after the other and compares the network after each.
  static void ExpectSameAfterEachPiece(Stirred& stirred) {
    const auto kept = stirred.taped.journal->kept();
    const Origin origin = OriginOf(kept, 0, 0, stirred.snapshots);
    auto network = GetParam().make(1);
    Simulation simulation(std::move(network), GetParam().dt, 1, nullptr);
    Replay replay(simulation, origin);
    for (size_t i = 0; i < kept.size(); ++i) {
      ASSERT_LT(kept[i].piece.size(), size_t{16} << 20);
      const absl::Status played = replay.Play(kept[i].piece);
      ASSERT_TRUE(played.ok()) << played << " in piece " << i;
      ASSERT_EQ(simulation.cursor(), kept[i].cursor) << "after piece " << i;
      const VariableTable& table = simulation.variables();
      ASSERT_THAT(Differences(StateOf(table), kept[i].state, table), testing::IsEmpty())
          << "after piece " << i << " of " << kept.size();
    }
  }

  /// Recovers the network and lets both go on.
  static void ExpectSameAfterwards(Stirred& stirred, uint64_t seed) {
    Taped& before = stirred.taped;
    const SnapshotPointer end = before.Snap();
    const auto kept = before.journal->kept();
    Origin origin = OriginOf(kept, 0, kept.size(), stirred.snapshots);
    origin.learning = before.instance->status().learning;
    Taped after(GetParam(), 1, &origin);
    ASSERT_TRUE(after.status.ok()) << after.status;
    EXPECT_TRUE(after.loss.ok()) << after.loss;
    EXPECT_EQ(after.instance->status().cursor, before.instance->status().cursor);
    EXPECT_EQ(after.instance->status().state, before.instance->status().state);
    if (before.instance->status().state == RunState::kFailed) return;
    ExpectSame(*after.Snap(), *end);
    EXPECT_EQ(Stirred::GoOn(after, 100, seed), Stirred::GoOn(before, 100, seed));
    ExpectSame(*after.Snap(), *before.Snap());
  }
};

TEST_P(RecoveredNetwork, IsTheSameBitForBitWhateverHappenedToIt) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(seed);
    Stirred stirred(GetParam(), seed);
    for (int i = 0; i < 30; ++i) stirred.Stir();
    ExpectSameAfterwards(stirred, seed);
    ExpectSameAfterEachPiece(stirred);
    if (HasFailure()) return;
  }
}

TEST_P(RecoveredNetwork, IsTheSameFromEverySnapshotAndThePiecesBehindIt) {
  Stirred stirred(GetParam(), 77);
  std::vector<std::pair<SnapshotPointer, size_t>> bases;
  for (int i = 0; i < 40; ++i) {
    stirred.Stir();
    if (i % 8 != 7) continue;
    if (stirred.taped.instance->status().state == RunState::kFailed) continue;
    const SnapshotPointer base = stirred.taped.Snap();
    bases.emplace_back(base, stirred.taped.journal->size());
  }
  const SnapshotPointer end = stirred.taped.Snap();
  const auto kept = stirred.taped.journal->kept();
  for (const auto& [base, first] : bases) {
    Origin origin = OriginOf(kept, first, kept.size(), stirred.snapshots);
    origin.base = base;
    origin.learning = stirred.taped.instance->status().learning;
    Taped after(GetParam(), 1, &origin);
    ASSERT_TRUE(after.status.ok()) << after.status;
    EXPECT_TRUE(after.loss.ok()) << after.loss;
    EXPECT_EQ(after.instance->status().cursor, stirred.taped.instance->status().cursor);
    ExpectSame(*after.Snap(), *end);
  }
}

INSTANTIATE_TEST_SUITE_P(All, RecoveredNetwork, testing::ValuesIn(Recipes()), NameOf);

TEST(RecoveredLargeNetwork, IsTheSameThoughNobodyHelped) {
  const Recipe large = {"large", 0.1,
                        [](uint64_t seed) { return std::make_unique<LargeNetwork>(seed); }};
  Taped before(large);
  ASSERT_TRUE(Stirred::GoOn(before, 300, 1).ok());
  const SnapshotPointer end = before.Snap();
  const auto kept = before.journal->kept();
  const Origin origin = OriginOf(kept, 0, kept.size());
  Taped after(large, 1, &origin);
  ASSERT_TRUE(after.status.ok()) << after.status;
  ExpectSame(*after.Snap(), *end);
  ASSERT_TRUE(Stirred::GoOn(before, 100, 2).ok());
  ASSERT_TRUE(Stirred::GoOn(after, 100, 2).ok());
  ExpectSame(*after.Snap(), *before.Snap());
}

TEST(RecoveredNetworkOfManyInputs, IsWrittenInPiecesThatAreNotTooLong) {
  const Recipe wide = {"wide", 0.1, [](uint64_t seed) {
                         return *MakeGle(Chain({3'000'000, 1}, Optimizer::kSgd),
                                         OptionsOf(seed, 0.1, DataType::kFloat32, 1),
                                         NetworkLimits());
                       }};
  Taped before(wide);
  ASSERT_TRUE(Stirred::GoOn(before, 2, 1).ok());
  const int W = before.table->Find("p0_to_p1.W");
  ASSERT_TRUE(before.Assign(W, std::string(12'000'000, '\0')).ok());
  const SnapshotPointer end = before.Snap();
  const auto kept = before.journal->kept();
  EXPECT_GE(kept.size(), 5U);
  for (const auto& piece : kept) EXPECT_LE(piece.piece.size(), Tape::kMostBytes);
  const Origin origin = OriginOf(kept, 0, kept.size());
  Taped after(wide, 1, &origin);
  ASSERT_TRUE(after.status.ok()) << after.status;
  EXPECT_TRUE(after.loss.ok()) << after.loss;
  ExpectSame(*after.Snap(), *end);
}

}  // namespace
}  // namespace prospero
