#include "server/shelf.h"

#include <future>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "engine/core/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/convert/field.h"
#include "tests/server/store/fake_store.h"

namespace prospero::server {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// Time that a test sets.
class SetClock final : public Clock {
 public:
  Time Now() const override { return now_; }
  void Advance(std::chrono::nanoseconds time) { now_ += time; }

 private:
  Time now_{};
};

class ShelfTest : public testing::Test {
 protected:
  std::shared_ptr<Shelf> Make(std::vector<store::StoredSnapshot> rows = {}, int64_t max = 100) {
    return std::make_shared<Shelf>(
        Shelf::Options{.network = "n", .max_snapshots = max, .time = &time_}, keeper_,
        std::move(rows));
  }
  /// A snapshot that is on disk.
  static void Put(Shelf& shelf, const std::string& id,
                  v1::Snapshot::Origin origin = v1::Snapshot::ORIGIN_CALL,
                  absl::optional<absl::Duration> ttl = absl::nullopt, int64_t step = 0) {
    const auto claim = shelf.Take(id);
    ASSERT_TRUE(claim.ok()) << claim.status();
    v1::Snapshot snapshot;
    snapshot.set_origin(origin);
    snapshot.mutable_cursor()->set_step(step);
    ASSERT_TRUE((*claim)->Post(snapshot, ttl).ok());
    ASSERT_TRUE((*claim)->Publish().ok());
  }
  static std::vector<std::string> Ids(const Shelf& shelf) {
    std::vector<std::string> ids;
    for (const store::StoredSnapshot& row : shelf.Before(1 << 30, 100)) {
      ids.push_back(row.snapshot().name().substr(std::string("networks/n/snapshots/").size()));
    }
    return ids;
  }
  void Flush() {
    std::promise<void> promise;
    keeper_->Await([&](const absl::Status&) { promise.set_value(); });
    promise.get_future().get();
  }
  static store::StoredSnapshot Row(const std::string& id, int64_t seq) {
    store::StoredSnapshot row;
    row.mutable_snapshot()->set_name("networks/n/snapshots/" + id);
    row.set_blob("u/s-" + id);
    row.set_seq(seq);
    return row;
  }

  SetClock time_;
  FakeStore store_;
  Committer committer_{&store_, {.gather = absl::Hours(1), .retry = absl::Milliseconds(1)}};
  const std::shared_ptr<Keeper> keeper_ =
      std::make_shared<Keeper>(&committer_, Keeper::Options{.uid = "u"});
};

TEST_F(ShelfTest, ShowsASnapshotOnceItIsOnDisk) {
  const auto shelf = Make();
  const auto claim = *shelf->Take("a");
  EXPECT_EQ(Reason(shelf->Take("a").status()), "SNAPSHOT_EXISTS");
  EXPECT_EQ(Reason(shelf->CheckFree("a")), "SNAPSHOT_EXISTS");
  ASSERT_TRUE(claim->Post(v1::Snapshot(), absl::nullopt).ok());
  EXPECT_EQ(Reason(shelf->Find("a").status()), "SNAPSHOT_NOT_FOUND");
  EXPECT_EQ(claim->Publish()->name(), "networks/n/snapshots/a");
  EXPECT_TRUE(shelf->Find("a").ok());
  Flush();
  const auto rows = store_.All<PutSnapshot>();
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows[0].row.blob(), claim->blob());
}

TEST_F(ShelfTest, TakesBackWhatDidNotGetThere) {
  const auto shelf = Make();
  {
    const auto claim = *shelf->Take("a");
    ASSERT_TRUE(claim->Post(v1::Snapshot(), absl::nullopt).ok());
  }
  Flush();
  EXPECT_THAT(store_.All<DropSnapshot>(), SizeIs(1));
  EXPECT_THAT(Ids(*shelf), IsEmpty());
  EXPECT_TRUE(shelf->Take("a").ok());
}

TEST_F(ShelfTest, OrdersByNumbersAndNotByTimes) {
  std::vector<store::StoredSnapshot> rows = {Row("b", 2), Row("c", 7), Row("a", 5)};
  *rows[0].mutable_snapshot()->mutable_create_time() = ToProto(absl::Now() + absl::Hours(1000));
  const auto shelf = Make(rows);
  Put(*shelf, "new");
  EXPECT_THAT(Ids(*shelf), ElementsAre("new", "c", "a", "b"));
  EXPECT_EQ(shelf->Before(7, 1)[0].seq(), 5);
}

TEST_F(ShelfTest, KeepsTheNewestOfAPolicyAndAllOthers) {
  const auto shelf = Make();
  Put(*shelf, "mine");
  for (int i = 0; i < 4; ++i) {
    Put(*shelf, "auto-" + std::to_string(i), v1::Snapshot::ORIGIN_POLICY, absl::nullopt, 10 + i);
  }
  Put(*shelf, "imported", v1::Snapshot::ORIGIN_IMPORT);
  EXPECT_THAT(shelf->Spent(2), ElementsAre("auto-1", "auto-0"));
  EXPECT_THAT(shelf->Spent(absl::nullopt), IsEmpty());
  EXPECT_EQ(shelf->last_of_policy()->step, 13);
}

TEST_F(ShelfTest, LetsSnapshotsExpireByTimeThatNobodySets) {
  const auto shelf = Make();
  Put(*shelf, "short", v1::Snapshot::ORIGIN_CALL, absl::Seconds(10));
  Put(*shelf, "long", v1::Snapshot::ORIGIN_CALL, absl::Hours(10));
  time_.Advance(seconds(9));
  EXPECT_THAT(shelf->Spent(absl::nullopt), IsEmpty());
  time_.Advance(seconds(1));
  EXPECT_THAT(shelf->Spent(absl::nullopt), ElementsAre("short"));
  time_.Advance(hours(10));
  EXPECT_THAT(shelf->Spent(absl::nullopt), ElementsAre("long", "short"));
}

TEST_F(ShelfTest, KnowsAfterAStartWhatHasExpired) {
  std::vector<store::StoredSnapshot> rows = {Row("past", 1), Row("future", 2)};
  *rows[0].mutable_snapshot()->mutable_expire_time() = ToProto(absl::Now() - absl::Hours(1));
  *rows[1].mutable_snapshot()->mutable_expire_time() = ToProto(absl::Now() + absl::Hours(1));
  const auto shelf = Make(rows);
  EXPECT_THAT(shelf->Spent(absl::nullopt), ElementsAre("past"));
}

TEST_F(ShelfTest, PostsNothingOfANetworkThatIsDeleted) {
  const auto shelf = Make({Row("a", 1)});
  const auto claim = *shelf->Take("b");
  EXPECT_EQ(Reason(shelf->Close(/*force=*/false)), "HAS_SNAPSHOTS");
  ASSERT_TRUE(shelf->Close(/*force=*/true).ok());
  EXPECT_EQ(Reason(claim->Post(v1::Snapshot(), absl::nullopt)), "NETWORK_NOT_FOUND");
  EXPECT_EQ(Reason(shelf->Take("c").status()), "NETWORK_NOT_FOUND");
  Flush();
  EXPECT_THAT(store_.All<PutSnapshot>(), IsEmpty());
}

TEST_F(ShelfTest, StaysWithinItsLimit) {
  const auto shelf = Make({Row("a", 1)}, /*max=*/2);
  const auto claim = *shelf->Take("b");
  EXPECT_EQ(Reason(shelf->Take("c").status()), "LIMIT_EXCEEDED");
}

TEST_F(ShelfTest, NotesWhatIsDamaged) {
  const auto shelf = Make({Row("a", 1)});
  shelf->Judge("a",
               SnapshotDamaged("networks/n/snapshots/a", absl::DataLossError("a sum is wrong")));
  EXPECT_TRUE(shelf->Find("a")->snapshot().has_damage());
  shelf->Judge("a", absl::OkStatus());
  EXPECT_FALSE(shelf->Find("a")->snapshot().has_damage());
  Flush();
  EXPECT_THAT(store_.All<PutSnapshot>(), SizeIs(2));
}

}  // namespace
}  // namespace prospero::server
