#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/store/sqlite_store.h"
#include "store_contents.h"

namespace prospero::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string Bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

void SetBytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// Several networks with a history: rows that were written again, trimmed journals, large pieces.
/// `last` is called with the store before it goes.
void Live(const TestDirectory& directory, const std::function<void(Store&)>& last) {
  const auto store = *OpenStore({directory.path()});
  const std::vector<std::string> uids = {"a", "b", "c"};
  for (const std::string& uid : uids) {
    ASSERT_TRUE(store->Commit({Spec(uid, 5), Network(uid, 1)}).ok());
  }
  for (int seq = 0; seq < 6; ++seq) {
    for (const std::string& uid : uids) {
      const size_t size = seq % 5 == 4 ? 9000 : 100;
      ASSERT_TRUE(
          store->Commit({Piece(uid, seq, absl::StrCat(uid, seq, std::string(size, 'p')))}).ok());
    }
  }
  ASSERT_TRUE(store->Commit({Network("a", 2), Checkpoint("a", 3), SnapshotRow("b", "s", 1)}).ok());
  ASSERT_TRUE(store->Commit({Answer("r", "answer", 1), Network("c", 9)}).ok());
  last(*store);
}

bool IsPrefix(const std::vector<std::string>& part, const std::vector<std::string>& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

/// What is there is what was there, or less, and then it is said: with `at`, which names the
/// damage. Counts what happened.
struct Outcomes {
  int all = 0;
  int less = 0;
  int refused = 0;
};
void ExpectTheSameOrLessAndSaid(const TestDirectory& damaged, const Contents& whole,
                                const std::string& at, Outcomes* outcomes) {
  absl::StatusOr<std::unique_ptr<Store>> store = OpenStore({damaged.path()});
  if (!store.ok()) {
    ASSERT_EQ(Reason(store.status()), "DATA_LOSS") << at << ": " << store.status();
    ++outcomes->refused;
    return;
  }
  const Contents found = ReadAll(**store);
  bool less = found.rows != whole.rows;
  for (const auto& [key, row] : found.rows) {
    ASSERT_TRUE(whole.rows.count(key)) << at << ": " << key << " was never there";
    // An older row of the same key is less, too: it was committed.
    less = less || row != whole.rows.at(key);
  }
  for (const auto& [uid, journal] : found.journals) {
    ASSERT_TRUE(IsPrefix(journal, whole.journals.at(uid))) << at << ": the journal of " << uid;
    const bool shorter = journal.size() < whole.journals.at(uid).size();
    less = less || shorter;
    if (shorter) {
      ASSERT_TRUE(found.damaged.at(uid)) << at << ": the journal of " << uid << " ends silently";
    }
  }
  ++(less ? outcomes->less : outcomes->all);
  if (less) {
    ASSERT_THAT((*store)->findings(), Not(IsEmpty())) << at << ": nothing was said";
  }
  // It can be gone on with, and has nothing to tell the next time.
  const std::string uid = "new";
  ASSERT_TRUE((*store)->Commit({Spec(uid, 1), Network(uid, 1), Piece(uid, 0, "x")}).ok()) << at;
  store->reset();
  store = OpenStore({damaged.path()});
  ASSERT_TRUE(store.ok()) << at << ": " << store.status();
  ASSERT_THAT((*store)->findings(), IsEmpty()) << at;
  Contents after = ReadAll(**store);
  ASSERT_THAT(after.journals["new"], ElementsAre("x")) << at;
  for (const char* const kind : {"network new", "spec new"}) after.rows.erase(kind);
  ASSERT_EQ(after.rows, found.rows) << at;
}

/// Flips bytes of a file one after the other: all of those that decide about structure (the first
/// and last ones of each page, and of a frame), and some of the others.
void FlipEverywhere(const TestDirectory& good, const std::string& name, size_t unit, size_t first,
                    size_t dense, const Contents& whole, Outcomes* outcomes) {
  const std::string bytes = Bytes(good.Path(name));
  ASSERT_GT(bytes.size(), 2 * unit);
  std::mt19937 random(17);
  for (size_t i = 0; i < bytes.size();) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << random() % 8));
    const TestDirectory copy;
    good.CopyTo(copy);
    SetBytes(copy.Path(name), damaged);
    // As after a loss of power: the mark is of no use then.
    if (random() % 2 == 0) std::filesystem::remove(copy.Path("MARK"));
    ExpectTheSameOrLessAndSaid(copy, whole, absl::StrCat(name, " byte ", i), outcomes);
    if (testing::Test::HasFatalFailure()) return;
    const size_t in_unit = i < first ? 0 : (i - first) % unit;
    const bool is_dense = in_unit < dense;
    i += is_dense ? 1 + random() % 8 : 1 + random() % 499;
  }
}

TEST(DamagedStore, GivesTheSameOrLessWhateverByteOfTheDatabaseIsFlipped) {
  const TestDirectory directory;
  Contents whole;
  Live(directory, [&whole](Store& store) { whole = ReadAll(store); });
  Outcomes outcomes;
  FlipEverywhere(directory, "prospero.db", 4096, 0, 40, whole, &outcomes);
  // Most bytes of the pages are content: of this it can tell the difference.
  EXPECT_GT(outcomes.less, 30);
  EXPECT_GT(outcomes.all, 30);
}

TEST(DamagedStore, GivesTheSameOrLessWhateverByteOfTheLogIsFlipped) {
  const TestDirectory directory;
  const TestDirectory killed;
  Contents whole;
  Live(directory, [&](Store& store) {
    whole = ReadAll(store);
    directory.CopyTo(killed);
  });
  Outcomes outcomes;
  FlipEverywhere(killed, "prospero.db-wal", 4096 + 24, 32, 30, whole, &outcomes);
  EXPECT_GT(outcomes.less, 300);
  EXPECT_EQ(outcomes.all, 0);
  EXPECT_EQ(outcomes.refused, 0);
}

/// A directory as a killed server leaves it, and what was in it.
struct Killed {
  TestDirectory directory;
  Contents whole;
  Killed() {
    const TestDirectory living;
    Live(living, [&](Store& store) {
      whole = ReadAll(store);
      living.CopyTo(directory);
    });
  }
};

TEST(DamagedStore, GivesTheSameOrLessWhateverPageIsLost) {
  const TestDirectory directory;
  Contents whole;
  Live(directory, [&whole](Store& store) { whole = ReadAll(store); });
  const std::string bytes = Bytes(directory.Path("prospero.db"));
  Outcomes outcomes;
  // The first page is the list of tables: without it nothing can be found.
  for (size_t page = 0; page * 4096 < bytes.size(); ++page) {
    for (const char content : {'\0', '\xff'}) {
      const TestDirectory copy;
      directory.CopyTo(copy);
      std::string damaged = bytes;
      std::memset(damaged.data() + page * 4096, content, 4096);
      SetBytes(copy.Path("prospero.db"), damaged);
      ExpectTheSameOrLessAndSaid(copy, whole, absl::StrCat("page ", page + 1), &outcomes);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GE(outcomes.refused, 2);
  EXPECT_GT(outcomes.less, 20);
}

TEST(DamagedStore, IsWholeAgainWhenOnlyItsHeaderWasDamaged) {
  const TestDirectory directory;
  Contents whole;
  Live(directory, [&whole](Store& store) { whole = ReadAll(store); });
  std::string bytes = Bytes(directory.Path("prospero.db"));
  std::memset(bytes.data(), 0, 20);
  SetBytes(directory.Path("prospero.db"), bytes);
  const auto store = *OpenStore({directory.path()});
  EXPECT_EQ(ReadAll(*store).rows, whole.rows);
  EXPECT_EQ(ReadAll(*store).journals, whole.journals);
  EXPECT_THAT(store->findings(), ElementsAre(HasSubstr("prospero.db.damaged-1")));
  EXPECT_EQ(Bytes(directory.Path("prospero.db.damaged-1")), bytes);
}

TEST(DamagedStore, TellsHowManyCommitsAreMissingFromTheEndOfTheLog) {
  const Killed killed;
  const std::string wal = killed.directory.Path("prospero.db-wal");
  // The last frame of the last commit.
  std::filesystem::resize_file(wal, std::filesystem::file_size(wal) - 1);
  const auto store = *OpenStore({killed.directory.path()});
  EXPECT_THAT(store->findings(), ElementsAre(HasSubstr("the last 1 commits are missing")));
  const Contents found = ReadAll(*store);
  EXPECT_EQ(found.rows.count("answer r"), 0U);
  // What was lost may have been of any of them.
  EXPECT_TRUE(found.damaged.at("a"));
  EXPECT_TRUE(found.damaged.at("b"));
}

TEST(DamagedStore, TellsThatTheLogIsGone) {
  const Killed killed;
  std::filesystem::remove(killed.directory.Path("prospero.db-wal"));
  Outcomes outcomes;
  ExpectTheSameOrLessAndSaid(killed.directory, killed.whole, "without the log", &outcomes);
  EXPECT_EQ(outcomes.less, 1);
}

TEST(DamagedStore, TellsWithoutTheMarkThatTheEndOfTheLogIsDamaged) {
  const Killed killed;
  std::filesystem::remove(killed.directory.Path("MARK"));
  const std::string wal = killed.directory.Path("prospero.db-wal");
  std::string bytes = Bytes(wal);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  SetBytes(wal, bytes);
  Outcomes outcomes;
  ExpectTheSameOrLessAndSaid(killed.directory, killed.whole, "the log's last byte", &outcomes);
  EXPECT_EQ(outcomes.less, 1);
}

TEST(DamagedStore, IsSilentAboutACommitThatWasUnderWay) {
  const Killed killed;
  // A frame more, of a commit that the server did not come to the end of.
  const std::string wal = killed.directory.Path("prospero.db-wal");
  const std::string bytes = Bytes(wal);
  SetBytes(wal, bytes + bytes.substr(bytes.size() - 4120, 3000));
  const auto store = *OpenStore({killed.directory.path()});
  EXPECT_THAT(store->findings(), IsEmpty());
  EXPECT_EQ(ReadAll(*store).journals, killed.whole.journals);
  EXPECT_FALSE(ReadAll(*store).damaged.at("a"));
}

TEST(DamagedStore, DoesNotDependOnTheSharedMemoryOfAKilledServer) {
  const Killed killed;
  SetBytes(killed.directory.Path("prospero.db-shm"), std::string(32768, '\x5a'));
  const auto store = *OpenStore({killed.directory.path()});
  EXPECT_THAT(store->findings(), IsEmpty());
  EXPECT_EQ(ReadAll(*store).rows, killed.whole.rows);
}

TEST(DamagedStore, IsNotMadeAnewWhenTheDatabaseIsGone) {
  const TestDirectory directory;
  Live(directory, [](Store&) {});
  std::filesystem::remove(directory.Path("prospero.db"));
  const absl::Status status = OpenStore({directory.path()}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("Put a backup in its place"));
  EXPECT_FALSE(std::filesystem::exists(directory.Path("prospero.db")));
}

TEST(DamagedStore, TellsOfAPieceThatWasTakenFromAnOlderCopy) {
  const TestDirectory directory;
  const TestDirectory older;
  {
    const auto store = *OpenStore({directory.path()});
    ASSERT_TRUE(store->Commit({Spec("a", 1), Network("a", 1)}).ok());
  }
  directory.CopyTo(older);
  {
    const auto store = *OpenStore({directory.path()});
    ASSERT_TRUE(store->Commit({Network("a", 2)}).ok());
  }
  // The page of the networks, sound in itself, as it was before.
  const std::string before = Bytes(older.Path("prospero.db"));
  std::string now = Bytes(directory.Path("prospero.db"));
  ASSERT_EQ(now.size(), before.size());
  int exchanged = 0;
  for (size_t page = 4096; page < now.size(); page += 4096) {
    if (now.compare(page, 4096, before, page, 4096) == 0) continue;
    if (now.find("networks/of-a", page) >= page + 4096) continue;
    now.replace(page, 4096, before, page, 4096);
    ++exchanged;
  }
  ASSERT_EQ(exchanged, 1);
  SetBytes(directory.Path("prospero.db"), now);
  const auto store = *OpenStore({directory.path()});
  EXPECT_EQ(store->Networks()->at(0).version(), 1);
  EXPECT_THAT(store->findings(), testing::Contains(HasSubstr("networks")));
}

}  // namespace
}  // namespace prospero::server
