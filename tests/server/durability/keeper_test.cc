#include "server/durability/keeper.h"

#include <future>
#include <string>
#include <vector>

#include "engine/core/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/store/fake_store.h"

namespace prospero::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class KeeperTest : public testing::Test {
 protected:
  std::shared_ptr<Keeper> Make(v1::Durability durability, int64_t max_backlog = 1 << 20) {
    return std::make_shared<Keeper>(
        &committer_,
        Keeper::Options{.uid = "u", .durability = durability, .max_backlog_bytes = max_backlog});
  }
  /// What Await says.
  static absl::Status Await(Keeper& keeper) {
    std::promise<absl::Status> promise;
    keeper.Await([&](const absl::Status& status) { promise.set_value(status); });
    return promise.get_future().get();
  }
  std::vector<int64_t> Seqs() const {
    std::vector<int64_t> seqs;
    for (const AppendPiece& piece : store_.All<AppendPiece>()) seqs.push_back(piece.seq);
    return seqs;
  }
  static store::StoredCheckpoint Checkpoint(const std::string& blob, const Keeper::Mark& mark) {
    store::StoredCheckpoint row;
    row.set_blob(blob);
    row.set_seq(mark.seq);
    return row;
  }

  FakeStore store_;
  /// What nobody waits for is not written within a test.
  Committer committer_{&store_, {.gather = absl::Hours(1), .retry = absl::Milliseconds(1)}};
};

TEST_F(KeeperTest, NumbersPiecesWithoutAGap) {
  const auto keeper = Make(v1::DURABILITY_ASYNC);
  for (const char* piece : {"a", "b", "c"}) keeper->Append(piece, {});
  ASSERT_TRUE(Await(*keeper).ok());
  EXPECT_THAT(Seqs(), ElementsAre(0, 1, 2));
  EXPECT_EQ(store_.All<AppendPiece>()[1].piece, "b");
  EXPECT_EQ(keeper->journaled().bytes, 3);
}

TEST_F(KeeperTest, WritesWhatBelongsToAnOrderInOneTransaction) {
  const auto keeper = Make(v1::DURABILITY_SYNC);
  keeper->Append("before", {});
  ASSERT_TRUE(Await(*keeper).ok());
  keeper->BeginOrder();
  keeper->Append("order", {});
  keeper->Post({PutAnswer{}});
  bool waited = false;
  std::promise<void> kept;
  keeper->Await([&](const absl::Status& status) {
    EXPECT_TRUE(status.ok());
    waited = true;
    kept.set_value();
  });
  EXPECT_FALSE(waited);
  EXPECT_THAT(store_.transactions(), SizeIs(1)) << "an open order was written";
  keeper->EndOrder();
  kept.get_future().get();
  ASSERT_THAT(store_.transactions(), SizeIs(2));
  EXPECT_THAT(store_.transactions()[1], SizeIs(2));
}

TEST_F(KeeperTest, AcknowledgesAsTheDurabilitySays) {
  for (const v1::Durability durability : {v1::DURABILITY_NONE, v1::DURABILITY_ASYNC}) {
    const auto keeper = Make(durability);
    keeper->Append("piece", {});
    bool acknowledged = false;
    keeper->AwaitFrame([&](const absl::Status& status) { acknowledged = status.ok(); });
    EXPECT_TRUE(acknowledged) << v1::Durability_Name(durability);
    EXPECT_THAT(store_.transactions(), IsEmpty());
  }
  const auto keeper = Make(v1::DURABILITY_SYNC);
  keeper->Append("piece", {});
  std::promise<absl::Status> promise;
  keeper->AwaitFrame([&](const absl::Status& status) {
    EXPECT_FALSE(store_.transactions().empty()) << "acknowledged before it was kept";
    promise.set_value(status);
  });
  EXPECT_TRUE(promise.get_future().get().ok());
}

TEST_F(KeeperTest, LetsAnAsyncFrameWaitBehindALongBacklog) {
  const auto keeper = Make(v1::DURABILITY_ASYNC, /*max_backlog=*/10);
  keeper->Append("more than ten bytes", {});
  std::promise<absl::Status> promise;
  keeper->AwaitFrame([&](const absl::Status& status) { promise.set_value(status); });
  EXPECT_TRUE(promise.get_future().get().ok());
  EXPECT_THAT(Seqs(), ElementsAre(0));
}

TEST_F(KeeperTest, StopsWritingDownWhenTheDiskRefusesForLong) {
  const auto keeper = Make(v1::DURABILITY_ASYNC, /*max_backlog=*/10);
  store_.Refuse(-1, Error(absl::StatusCode::kResourceExhausted, "DISK_FULL", "no space left"));
  keeper->Append("more than ten bytes", {});
  EXPECT_EQ(Await(*keeper).code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(keeper->journaled().broken);
  keeper->Append("not written down", {});
  EXPECT_TRUE(keeper->journaled().broken);

  store_.Refuse(0, absl::OkStatus());
  while (!committer_.status().ok()) std::this_thread::yield();
  const Keeper::Mark mark = keeper->MakeMark();
  keeper->Append("behind the mark", {});
  ASSERT_TRUE(Await(*keeper).ok());
  EXPECT_THAT(Seqs(), ElementsAre(0, 2)) << "a recovery would not see that something is missing";
  EXPECT_EQ(mark.seq, 2);
  EXPECT_FALSE(keeper->journaled().broken);
  keeper->DropMark(mark);
  EXPECT_TRUE(keeper->journaled().broken)
      << "there is no checkpoint to stand in for what is missing";
}

TEST_F(KeeperTest, KeepsTwoCheckpointsAndTheJournalBehindTheOlder) {
  const auto keeper = Make(v1::DURABILITY_ASYNC);
  keeper->Append("12", {});
  const Keeper::Mark first = keeper->MakeMark();
  EXPECT_THAT(keeper->Adopt(Checkpoint("c1", first), first), IsEmpty())
      << "the way from the creation was closed while there is only one checkpoint";
  keeper->Append("345", {});
  EXPECT_EQ(keeper->journaled().bytes, 3);
  const Keeper::Mark second = keeper->MakeMark();
  const std::vector<Write> trims = keeper->Adopt(Checkpoint("c2", second), second);
  ASSERT_THAT(trims, SizeIs(2));
  EXPECT_EQ(absl::get<TrimCheckpoints>(trims[0]).from, 1);
  EXPECT_EQ(absl::get<TrimJournal>(trims[1]).from, 1);
  EXPECT_THAT(keeper->LiveBlobs(), ElementsAre("c2", "c1"));
  const Keeper::Mark third = keeper->MakeMark();
  keeper->Adopt(Checkpoint("c3", third), third);
  EXPECT_THAT(keeper->LiveBlobs(), ElementsAre("c3", "c2"));
  EXPECT_EQ(keeper->journaled().bytes, 0);
}

TEST_F(KeeperTest, KeepsTheBlobOfARestoreAsLongAsTheJournalNeedsIt) {
  const auto keeper = Make(v1::DURABILITY_ASYNC);
  keeper->ExpectRestore("r1");
  keeper->ExpectRestore("r2");
  EXPECT_THAT(keeper->LiveBlobs(), ElementsAre("r1", "r2"));
  keeper->DropRestore("r2");
  keeper->BeginOrder();
  keeper->Append("restore", {});
  keeper->NoteRestore("r1");
  keeper->EndOrder();
  for (const char* blob : {"c1", "c2"}) {
    EXPECT_THAT(keeper->LiveBlobs(), testing::Contains("r1"));
    const Keeper::Mark mark = keeper->MakeMark();
    keeper->Adopt(Checkpoint(blob, mark), mark);
  }
  EXPECT_THAT(keeper->LiveBlobs(), ElementsAre("c2", "c1"));
}

TEST_F(KeeperTest, GoesOnWhereARecoveryLeftIt) {
  Keeper keeper(&committer_, {.uid = "u", .durability = v1::DURABILITY_ASYNC, .next_seq = 7});
  store::StoredCheckpoint row;
  row.set_blob("c");
  row.mutable_cursor()->set_epoch(2);
  row.mutable_cursor()->set_step(100);
  keeper.Remember({row}, /*journal_bytes=*/50);
  keeper.NoteRestore("r", 6);
  keeper.Append("x", {});
  ASSERT_TRUE(Await(keeper).ok());
  EXPECT_THAT(Seqs(), ElementsAre(7));
  EXPECT_EQ(keeper.journaled().bytes, 51);
  EXPECT_EQ(keeper.journaled().checkpoint, (Cursor{2, 100}));
  EXPECT_THAT(keeper.LiveBlobs(), ElementsAre("c", "r"));
}

}  // namespace
}  // namespace prospero::server
