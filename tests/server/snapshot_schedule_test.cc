#include "server/snapshot_schedule.h"

#include <chrono>

#include "gtest/gtest.h"

namespace prospero::server {
namespace {

using std::chrono::seconds;

constexpr absl::Duration kEvery = absl::Seconds(10);
const Clock::Time kStart{};

TEST(SnapshotSchedule, IsDueOnceInEachPeriodOfANetworkThatMoves) {
  SnapshotSchedule schedule;
  int taken = 0;
  absl::optional<Cursor> last;
  for (int t = 0; t <= 35; ++t) {
    const Cursor cursor{0, t};
    if (!schedule.IsDue("a", kEvery, cursor, last, kStart + seconds(t))) continue;
    last = cursor;
    ++taken;
  }
  EXPECT_EQ(taken, 3);
}

TEST(SnapshotSchedule, WaitsForANetworkThatStands) {
  SnapshotSchedule schedule;
  const Cursor cursor{0, 5};
  EXPECT_FALSE(schedule.IsDue("a", kEvery, cursor, cursor, kStart));
  EXPECT_FALSE(schedule.IsDue("a", kEvery, cursor, cursor, kStart + seconds(100)));
  EXPECT_TRUE(schedule.IsDue("a", kEvery, Cursor{0, 6}, cursor, kStart + seconds(101)));
}

TEST(SnapshotSchedule, TakesANewEpochForAMove) {
  SnapshotSchedule schedule;
  schedule.IsDue("a", kEvery, Cursor{0, 5}, Cursor{0, 5}, kStart);
  EXPECT_TRUE(schedule.IsDue("a", kEvery, Cursor{1, 5}, Cursor{0, 5}, kStart + seconds(10)));
}

TEST(SnapshotSchedule, CatchesUpWithOneSnapshotAfterAPause) {
  SnapshotSchedule schedule;
  schedule.IsDue("a", kEvery, Cursor{0, 0}, absl::nullopt, kStart);
  EXPECT_TRUE(schedule.IsDue("a", kEvery, Cursor{0, 1}, absl::nullopt, kStart + seconds(1000)));
  EXPECT_FALSE(schedule.IsDue("a", kEvery, Cursor{0, 2}, Cursor{0, 1}, kStart + seconds(1001)));
}

TEST(SnapshotSchedule, BeginsAnewWithAnotherPeriod) {
  SnapshotSchedule schedule;
  schedule.IsDue("a", absl::Hours(1), Cursor{0, 0}, absl::nullopt, kStart);
  EXPECT_FALSE(schedule.IsDue("a", kEvery, Cursor{0, 1}, absl::nullopt, kStart + seconds(60)));
  EXPECT_TRUE(schedule.IsDue("a", kEvery, Cursor{0, 1}, absl::nullopt, kStart + seconds(70)));
}

TEST(SnapshotSchedule, ForgetsNetworksThatAreGone) {
  SnapshotSchedule schedule;
  schedule.IsDue("a", kEvery, Cursor{0, 0}, absl::nullopt, kStart);
  schedule.Keep({"b"});
  EXPECT_FALSE(schedule.IsDue("a", kEvery, Cursor{0, 1}, absl::nullopt, kStart + seconds(60)));
}

}  // namespace
}  // namespace prospero::server
