#include "server/store/sqlite_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "store_contents.h"

namespace prospero::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::unique_ptr<Store> Open(const TestDirectory& directory) {
  absl::StatusOr<std::unique_ptr<Store>> store = OpenStore({directory.path()});
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

/// Every kind of write, and two networks.
std::vector<Write> Everything() {
  return {Spec("a", 1),
          Network("a", 1),
          Spec("b", 2),
          Network("b", 7),
          Piece("a", 0, "first"),
          Piece("a", 1, ""),
          Piece("b", 0, std::string(100'000, 'x')),
          Checkpoint("a", 1),
          Checkpoint("a", 2),
          SnapshotRow("a", "early", 10),
          SnapshotRow("a", "late", 20),
          Answer("r2", "second", 2),
          Answer("r1", "first", 1)};
}

TEST(SqliteStore, GivesBackWhatWasKeptAfterItWasClosed) {
  const TestDirectory directory;
  Contents before;
  {
    const auto store = Open(directory);
    ASSERT_TRUE(store->Commit(Everything()).ok());
    before = ReadAll(*store);
  }
  const auto store = Open(directory);
  const Contents after = ReadAll(*store);
  EXPECT_EQ(after.rows, before.rows);
  EXPECT_EQ(after.rows.size(), 10U);
  EXPECT_EQ(after.journals, before.journals);
  EXPECT_THAT(after.journals.at("a"), ElementsAre("first", ""));
  EXPECT_FALSE(after.damaged.at("a"));
  EXPECT_THAT(store->findings(), IsEmpty());
}

TEST(SqliteStore, GivesBackWhatWasKeptAfterTheServerWasKilled) {
  const TestDirectory directory;
  const auto store = Open(directory);
  ASSERT_TRUE(store->Commit(Everything()).ok());
  const TestDirectory copy;
  directory.CopyTo(copy);
  const auto again = Open(copy);
  EXPECT_EQ(ReadAll(*again).rows, ReadAll(*store).rows);
  EXPECT_EQ(ReadAll(*again).journals, ReadAll(*store).journals);
  EXPECT_THAT(again->findings(), IsEmpty());
}

TEST(SqliteStore, OrdersWhatItGives) {
  const TestDirectory directory;
  const auto store = Open(directory);
  ASSERT_TRUE(store->Commit(Everything()).ok());
  EXPECT_EQ(store->Networks()->front().network().uid(), "b");
  EXPECT_EQ(store->Checkpoints("a")->front().seq(), 2);
  EXPECT_EQ(store->Snapshots("a")->front().blob(), "a/s-late.safetensors");
  EXPECT_EQ(store->Answers()->front().request_id(), "r1");
}

TEST(SqliteStore, KeepsAllOfACommitOrNothing) {
  const TestDirectory directory;
  const auto store = Open(directory);
  ASSERT_TRUE(store->Commit(Everything()).ok());
  const Contents before = ReadAll(*store);
  // The third write cannot be: there is that piece already.
  const absl::Status refused =
      store->Commit({Network("a", 5), Piece("a", 2, "x"), Piece("a", 2, "y")});
  EXPECT_EQ(refused.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ReadAll(*store).rows, before.rows);
  EXPECT_EQ(ReadAll(*store).journals, before.journals);
  // And it goes on.
  ASSERT_TRUE(store->Commit({Piece("a", 2, "x")}).ok());
  EXPECT_THAT(ReadAll(*store).journals.at("a"), ElementsAre("first", "", "x"));
}

TEST(SqliteStore, TrimsWhatItIsToldTo) {
  const TestDirectory directory;
  {
    const auto store = Open(directory);
    ASSERT_TRUE(store->Commit(Everything()).ok());
    ASSERT_TRUE(store->Commit({TrimJournal{"a", 1}, TrimCheckpoints{"a", 2}}).ok());
    ASSERT_TRUE(store->Commit({DropSnapshot{"a", "early"}, DropAnswer{"r1"}}).ok());
    ASSERT_TRUE(store->Commit({DropNetwork{"b"}, Piece("a", 2, "third")}).ok());
  }
  const auto store = Open(directory);
  EXPECT_THAT(store->findings(), IsEmpty());
  EXPECT_EQ(store->Networks()->size(), 1U);
  EXPECT_EQ(store->Spec("b").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(store->JournalExtent("b", 0)->bytes, 0);
  EXPECT_EQ(store->Checkpoints("a")->size(), 1U);
  EXPECT_EQ(store->Snapshots("a")->size(), 1U);
  EXPECT_EQ(store->Answers()->size(), 1U);
  const auto reader = *store->ReadJournal("a", 1);
  EXPECT_EQ(**reader->Next(), "");
  EXPECT_EQ(**reader->Next(), "third");
  EXPECT_FALSE(reader->Next()->has_value());
  const auto extent = store->JournalExtent("a", 1);
  EXPECT_EQ(extent->end, 3);
  EXPECT_EQ(extent->bytes, 5);
}

TEST(SqliteStore, GoesOnWithAJournalThatWasTrimmedEmpty) {
  const TestDirectory directory;
  {
    const auto store = Open(directory);
    ASSERT_TRUE(store->Commit(Everything()).ok());
    ASSERT_TRUE(store->Commit({TrimJournal{"a", 2}}).ok());
    EXPECT_EQ(store->JournalExtent("a", 2)->end, 2);
  }
  {
    const auto store = Open(directory);
    ASSERT_TRUE(store->Commit({Piece("a", 2, "x"), Piece("a", 3, "y")}).ok());
  }
  const auto store = Open(directory);
  const auto reader = *store->ReadJournal("a", 2);
  EXPECT_EQ(**reader->Next(), "x");
  EXPECT_EQ(**reader->Next(), "y");
  EXPECT_FALSE(reader->Next()->has_value());
}

TEST(SqliteStore, TellsOfAJournalThatBeginsTooLate) {
  const TestDirectory directory;
  const auto store = Open(directory);
  ASSERT_TRUE(store->Commit(Everything()).ok());
  ASSERT_TRUE(store->Commit({TrimJournal{"a", 1}}).ok());
  const auto reader = *store->ReadJournal("a", 0);
  EXPECT_EQ(reader->Next().status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(reader->Next().status().code(), absl::StatusCode::kDataLoss);
}

TEST(SqliteStore, StopsWhereAPieceWasLeftOutButGoesOnBehindIt) {
  const TestDirectory directory;
  const auto store = Open(directory);
  ASSERT_TRUE(store->Commit({Spec("a", 1), Network("a", 1)}).ok());
  ASSERT_TRUE(store->Commit({Piece("a", 0, "zero"), Piece("a", 2, "two")}).ok());
  ASSERT_TRUE(store->Commit({Piece("a", 3, "three")}).ok());
  EXPECT_THAT(ReadAll(*store).journals.at("a"), ElementsAre("zero"));
  EXPECT_TRUE(ReadAll(*store).damaged.at("a"));
  const auto behind = store->ReadJournal("a", 2);
  ASSERT_TRUE(behind.ok());
  EXPECT_EQ(**(*behind)->Next(), "two");
  EXPECT_EQ(**(*behind)->Next(), "three");
  EXPECT_FALSE((*behind)->Next()->has_value());
  EXPECT_FALSE(store->Commit({Piece("a", 2, "again")}).ok());
}

TEST(SqliteStore, TrimsALongJournalInParts) {
  const TestDirectory directory;
  constexpr int64_t kPieces = 4000;
  {
    const auto store = Open(directory);
    ASSERT_TRUE(store->Commit({Spec("a", 1), Network("a", 1), Spec("b", 1)}).ok());
    std::vector<Write> pieces;
    for (int64_t seq = 0; seq < kPieces; ++seq) {
      pieces.push_back(Piece("a", seq, std::string(1000, 'x')));
      pieces.push_back(Piece("b", seq, std::string(1000, 'x')));
    }
    ASSERT_TRUE(store->Commit(pieces).ok());
    ASSERT_TRUE(store->Commit({TrimJournal{"a", kPieces - 1}}).ok());
    const int64_t left = store->JournalExtent("a", 0)->bytes;
    EXPECT_LT(left, kPieces * 1000);
    EXPECT_GT(left, 1000);
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(store->Commit({Network("a", 2)}).ok());
    EXPECT_EQ(store->JournalExtent("a", 0)->bytes, 1000);
    ASSERT_TRUE(store->Commit({DropNetwork{"b"}}).ok());
    EXPECT_GT(store->JournalExtent("b", 0)->bytes, 0);
  }
  // What a server had not come to is done by the next one.
  const auto store = Open(directory);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(store->Commit({Network("a", 3)}).ok());
  EXPECT_EQ(store->JournalExtent("b", 0)->bytes, 0);
  EXPECT_EQ(store->JournalExtent("a", 0)->bytes, 1000);
  EXPECT_THAT(store->findings(), IsEmpty());
}

TEST(SqliteStore, IsReadWhileItIsWritten) {
  const TestDirectory directory;
  const auto store = Open(directory);
  ASSERT_TRUE(store->Commit({Network("a", 1)}).ok());
  constexpr int64_t kPieces = 400;
  std::atomic<bool> done{false};
  std::thread reader([&] {
    int64_t most = 0;
    do {
      int64_t count = 0;
      const auto journal = *store->ReadJournal("a", 0);
      for (;;) {
        const auto piece = journal->Next();
        ASSERT_TRUE(piece.ok()) << piece.status();
        if (!piece->has_value()) break;
        ASSERT_EQ(**piece, absl::StrCat(count, std::string(20'000, '.')));
        ++count;
      }
      ASSERT_GE(count, most);
      most = count;
    } while (!done);
  });
  // Enough for the log to be written into the database meanwhile.
  for (int64_t seq = 0; seq < kPieces; ++seq) {
    const auto piece = Piece("a", seq, absl::StrCat(seq, std::string(20'000, '.')));
    ASSERT_TRUE(store->Commit({piece}).ok());
  }
  done = true;
  reader.join();
}

TEST(SqliteStore, ShortensItsLog) {
  const TestDirectory directory;
  {
    const auto store = Open(directory);
    for (int64_t seq = 0; seq < 40; ++seq) {
      ASSERT_TRUE(store->Commit({Piece("a", seq, std::string(1 << 20, 'x'))}).ok());
    }
  }
  EXPECT_FALSE(std::filesystem::exists(directory.Path("prospero.db-wal")));
  EXPECT_GT(std::filesystem::file_size(directory.Path("prospero.db")), 40U << 20);
}

TEST(SqliteStore, KeepsNothingWhenItIsEphemeral) {
  std::string folder;
  {
    absl::StatusOr<std::unique_ptr<Store>> store = OpenStore({"", /*ephemeral=*/true});
    ASSERT_TRUE(store.ok()) << store.status();
    ASSERT_TRUE((*store)->Commit(Everything()).ok());
    EXPECT_THAT(ReadAll(**store).journals.at("a"), ElementsAre("first", ""));
    const auto produce = [](const Blobs::Sink& sink) { return sink("bytes"); };
    ASSERT_TRUE((*store)->blobs().Write("a/x", produce).ok());
  }
  absl::StatusOr<std::unique_ptr<Store>> store = OpenStore({"", /*ephemeral=*/true});
  EXPECT_THAT(ReadAll(**store).rows, IsEmpty());
  EXPECT_THAT(*(*store)->blobs().List(""), IsEmpty());
}

}  // namespace
}  // namespace prospero::server
