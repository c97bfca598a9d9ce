#include "engine/runtime/snapshot.h"

#include <cstring>
#include <numeric>
#include <vector>

#include "engine/core/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/backward_team.h"
#include "tests/support/toy_network.h"

namespace prospero {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

void Steps(ToyNetwork& network, int64_t from, int64_t to) {
  for (int64_t n = from; n < to; ++n) network.Advance({n, 0.1});
}

TEST(Snapshot, HasEverySavedVariableInTheOrderOfTheTable) {
  const ToyNetwork network;
  const Snapshot snapshot = Take(network.variables(), {0, 7}, 3);
  std::vector<std::string> names;
  for (const auto& array : snapshot.arrays) names.push_back(array.name);
  EXPECT_THAT(names, ElementsAre("in.x", "out.present", "out.target", "learning", "gain",
                                 "diverge_at", "u", "W", "steps", "wide"));
  EXPECT_EQ(snapshot.step, 7);
  EXPECT_EQ(snapshot.seed, 3U);
}

TEST(Snapshot, PacksPaddedRows) {
  ToyNetwork network;
  Steps(network, 0, 5);
  const Snapshot snapshot = Take(network.variables(), {0, 5}, 0);
  const Variable& u = network.variables()[network.u];
  const auto* rows = static_cast<const float*>(u.data);
  const std::vector<float> packed = {rows[0], rows[1], rows[2], rows[4], rows[5], rows[6]};
  EXPECT_NE(rows[0], 0);
  EXPECT_EQ(snapshot.arrays[6].values,
            std::string(reinterpret_cast<const char*>(packed.data()), 24));
}

TEST(Snapshot, OfLargeArraysIsTheSameByATeam) {
  for (const int64_t floats : {400'000, 3'000'001}) {  // copied into the caches, and past them
    ToyNetwork network(0, floats);
    auto* const values = static_cast<float*>(network.variables()[network.wide].data);
    std::iota(values, values + floats, 0.5F);
    Snapshot room = MakeRoom(network.variables());
    BackwardTeam team;
    CopyValues(network.variables(), &team, &room);
    EXPECT_GT(team.runs, 0);
    EXPECT_EQ(room.arrays, Take(network.variables(), {}, 0).arrays);
    const std::string& copy = room.arrays.back().values;
    EXPECT_EQ(std::memcmp(copy.data(), values, copy.size()), 0);
  }
}

TEST(Snapshot, LetsANetworkGoOnBitForBit) {
  ToyNetwork network(5);
  Steps(network, 0, 50);
  const Snapshot middle = Take(network.variables(), {0, 50}, 5);
  Steps(network, 50, 100);
  const Snapshot end = Take(network.variables(), {0, 100}, 5);

  ToyNetwork other(5);
  ASSERT_TRUE(Restore(middle, other.variables()).ok());
  Steps(other, 50, 100);
  const Snapshot again = Take(other.variables(), {0, 100}, 5);
  for (size_t i = 0; i < end.arrays.size(); ++i) {
    EXPECT_EQ(end.arrays[i].values, again.arrays[i].values) << end.arrays[i].name;
  }
}

TEST(Snapshot, ThatDoesNotFitIsRefusedAndChangesNothing) {
  ToyNetwork network;
  Steps(network, 0, 5);
  const Snapshot good = Take(network.variables(), {0, 5}, 0);
  ToyNetwork other;
  const Snapshot before = Take(other.variables(), {0, 0}, 0);

  const auto expect_refused = [&](const Snapshot& bad, const std::string& message) {
    const absl::Status status = Restore(bad, other.variables());
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(Reason(status), "SNAPSHOT_MISMATCH");
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
    const Snapshot after = Take(other.variables(), {0, 0}, 0);
    for (size_t i = 0; i < before.arrays.size(); ++i) {
      EXPECT_EQ(before.arrays[i].values, after.arrays[i].values) << before.arrays[i].name;
    }
  };
  Snapshot bad = good;
  bad.arrays.pop_back();
  expect_refused(bad, "the snapshot has no 'wide'");
  bad = good;
  bad.arrays.push_back({"more", DataType::kFloat32, {}, "1234"});
  expect_refused(bad, "the network has no 'more'");
  bad = good;
  bad.arrays[6].name = "v";
  expect_refused(bad, "'v' where the network has 'u'");
  bad = good;
  bad.arrays[6].shape = {3, 2};
  expect_refused(bad, "'u' is float32[2, 3] in the network, float32[3, 2] in the snapshot");
  bad = good;
  bad.arrays[7].type = DataType::kFloat32;
  expect_refused(bad, "'W' is float64[] in the network, float32[] in the snapshot");
  bad = good;
  bad.arrays[6].values.pop_back();
  expect_refused(bad, "'u' has 24 bytes in the network, 23 in the snapshot");
}

}  // namespace
}  // namespace prospero
