#include "server/store/committer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "fake_store.h"

namespace prospero::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A group with nobody waiting for it is not written in the time of a test.
const Committer::Options kPatient = {.gather = absl::Hours(1), .retry = absl::Hours(1)};

std::vector<Write> One(const std::string& piece) { return {AppendPiece{"n", 0, piece}}; }

absl::Status Wait(Committer& committer) {
  std::promise<absl::Status> done;
  committer.Await([&done](const absl::Status& status) { done.set_value(status); });
  return done.get_future().get();
}

TEST(Committer, KeepsWhatBelongsTogetherInOneTransactionInOrder) {
  FakeStore store;
  Committer committer(&store, kPatient);
  committer.Post({AppendPiece{"n", 0, "a"}, AppendPiece{"n", 1, "b"}});
  committer.Post(One("c"));
  EXPECT_TRUE(Wait(committer).ok());
  EXPECT_THAT(store.kept(), ElementsAre(ElementsAre("a", "b", "c")));
}

TEST(Committer, GathersWhileAGroupIsOnItsWay) {
  FakeStore store;
  store.Hold();
  Committer committer(&store, kPatient);
  std::promise<absl::Status> first;
  committer.Post(One("a"));
  committer.Await([&first](const absl::Status& status) { first.set_value(status); });
  store.AwaitHeld();
  for (const char* piece : {"b", "c", "d"}) committer.Post(One(piece));
  std::promise<absl::Status> second;
  committer.Await([&second](const absl::Status& status) { second.set_value(status); });
  store.Release();
  EXPECT_TRUE(first.get_future().get().ok());
  EXPECT_TRUE(second.get_future().get().ok());
  EXPECT_THAT(store.kept(), ElementsAre(ElementsAre("a"), ElementsAre("b", "c", "d")));
}

TEST(Committer, WritesAGroupForWhichNobodyWaits) {
  FakeStore store;
  Committer committer(&store, {.gather = absl::Milliseconds(1), .retry = absl::Hours(1)});
  committer.Post(One("a"));
  store.AwaitTries(1);
}

TEST(Committer, DoesNotWriteBeforeTheTimeWhenNobodyWaits) {
  FakeStore store;
  {
    Committer committer(&store, kPatient);
    for (int i = 0; i < 100; ++i) committer.Post(One(absl::StrCat(i)));
    EXPECT_EQ(committer.backlog_bytes(), 190);
  }
  EXPECT_EQ(store.tries(), 1);
  EXPECT_EQ(store.kept().at(0).size(), 100U);
}

TEST(Committer, AnswersHereWhenNothingIsOnItsWay) {
  FakeStore store;
  Committer committer(&store, kPatient);
  bool called = false;
  committer.Await([&called](const absl::Status& status) { called = status.ok(); });
  EXPECT_TRUE(called);
  committer.Post(One("a"));
  EXPECT_TRUE(Wait(committer).ok());
  EXPECT_EQ(committer.backlog_bytes(), 0);
  called = false;
  committer.Await([&called](const absl::Status& status) { called = status.ok(); });
  EXPECT_TRUE(called);
  EXPECT_EQ(store.tries(), 1);
}

TEST(Committer, CanBeUsedFromWhatItCalls) {
  FakeStore store;
  Committer committer(&store, kPatient);
  std::promise<absl::Status> done;
  committer.Post(One("a"));
  committer.Await([&](const absl::Status& /*first*/) {
    committer.Post(One("b"));
    committer.Await([&done](const absl::Status& status) { done.set_value(status); });
  });
  EXPECT_TRUE(done.get_future().get().ok());
  EXPECT_THAT(store.kept(), ElementsAre(ElementsAre("a"), ElementsAre("b")));
}

TEST(Committer, TellsAtOnceThatTheDiskRefuses) {
  FakeStore store;
  store.Refuse(-1, Error(absl::StatusCode::kResourceExhausted, "DISK_FULL", "no space left"));
  Committer committer(&store, kPatient);
  EXPECT_TRUE(committer.status().ok());
  committer.Post(One("a"));
  const absl::Status refused = Wait(committer);
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Reason(refused), "STORAGE_DEGRADED");
  EXPECT_THAT(refused.message(), HasSubstr("no space left"));
  EXPECT_EQ(committer.status(), refused);
  // It does not try again for those who come later.
  committer.Post(One("b"));
  EXPECT_EQ(Reason(Wait(committer)), "STORAGE_DEGRADED");
  EXPECT_EQ(store.tries(), 1);
  EXPECT_EQ(committer.backlog_bytes(), 2);
  EXPECT_THAT(store.kept(), IsEmpty());
}

TEST(Committer, LosesNothingWhileTheDiskRefusesAndGoesOnByItself) {
  FakeStore store;
  store.Refuse(3, Error(absl::StatusCode::kUnavailable, "DISK_ERROR", "no"));
  std::vector<bool> changes;
  std::promise<void> good_again;
  Committer committer(&store, {.gather = absl::Hours(1),
                               .retry = absl::Milliseconds(1),
                               .on_change = [&](const absl::Status& status) {
                                 changes.push_back(status.ok());
                                 if (status.ok()) good_again.set_value();
                               }});
  committer.Post(One("a"));
  EXPECT_FALSE(Wait(committer).ok());
  good_again.get_future().wait();
  EXPECT_TRUE(committer.status().ok());
  committer.Post(One("b"));
  EXPECT_TRUE(Wait(committer).ok());
  EXPECT_THAT(store.kept(), ElementsAre(ElementsAre("a"), ElementsAre("b")));
  EXPECT_THAT(changes, ElementsAre(false, true));
  EXPECT_EQ(store.tries(), 5);
}

TEST(Committer, KeepsAGroupThatWasRefusedApartFromWhatCameLater) {
  FakeStore store;
  store.Hold();
  store.Refuse(1, Error(absl::StatusCode::kUnavailable, "DISK_ERROR", "no"));
  std::promise<void> good_again;
  Committer committer(&store, {.gather = absl::Hours(1),
                               .retry = absl::Milliseconds(1),
                               .on_change = [&good_again](const absl::Status& status) {
                                 if (status.ok()) good_again.set_value();
                               }});
  std::promise<absl::Status> first;
  committer.Post(One("a"));
  committer.Await([&first](const absl::Status& status) { first.set_value(status); });
  store.AwaitHeld();
  committer.Post(One("b"));
  store.Release();
  EXPECT_FALSE(first.get_future().get().ok());
  good_again.get_future().wait();
  EXPECT_TRUE(Wait(committer).ok());
  EXPECT_THAT(store.kept(), ElementsAre(ElementsAre("a"), ElementsAre("b")));
}

TEST(Committer, TriesOnceMoreWhenItEnds) {
  FakeStore store;
  store.Refuse(1, Error(absl::StatusCode::kUnavailable, "DISK_ERROR", "no"));
  {
    Committer committer(&store, kPatient);
    committer.Post(One("a"));
    EXPECT_FALSE(Wait(committer).ok());
    committer.Post(One("b"));
  }
  EXPECT_THAT(store.kept(), ElementsAre(ElementsAre("a"), ElementsAre("b")));
}

TEST(Committer, EndsThoughTheDiskRefuses) {
  FakeStore store;
  store.Refuse(-1, Error(absl::StatusCode::kUnavailable, "DISK_ERROR", "no"));
  {
    Committer committer(&store, kPatient);
    committer.Post(One("a"));
    EXPECT_FALSE(Wait(committer).ok());
  }
  EXPECT_EQ(store.tries(), 2);
}

TEST(Committer, ServesManyThreads) {
  FakeStore store;
  constexpr int kThreads = 4;
  constexpr int kPosts = 500;
  std::atomic<int> answered{0};
  {
    Committer committer(&store, {.gather = absl::Milliseconds(1), .retry = absl::Hours(1)});
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&committer, &answered, t] {
        for (int i = 0; i < kPosts; ++i) {
          committer.Post(One(absl::StrCat(t, " ", i)));
          committer.Await([&answered](const absl::Status& status) { answered += status.ok(); });
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(answered, kThreads * kPosts);
  std::map<char, int> next;
  for (const std::vector<std::string>& group : store.kept()) {
    for (const std::string& piece : group) {
      EXPECT_EQ(piece.substr(2), absl::StrCat(next[piece[0]]++));
    }
  }
  EXPECT_EQ(next['3'], kPosts);
}

}  // namespace
}  // namespace prospero::server
