#include "engine/runtime/scheduler.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/strands.h"
#include "tests/support/box.h"

namespace prospero {
namespace {

using testing::ElementsAre;

TEST(Scheduler, RunsAStrandOnceForAWake) {
  const auto scheduler = Scheduler::Make(2);
  Box<bool> ran;
  const auto strand = Add(*scheduler, [&ran] {
    ran.Put(true);
    return false;
  });
  scheduler->Wake(strand.get());
  ran.Take();
  scheduler->Remove(strand.get());
  EXPECT_EQ(ran.size(), 0);
}

TEST(Scheduler, DoesNotLoseAWakeDuringARun) {
  const auto scheduler = Scheduler::Make(1);
  Box<int> ran;
  Door door;
  int runs = 0;
  const auto strand = Add(*scheduler, [&] {
    ran.Put(++runs);
    if (runs == 1) door.Pass();
    return false;
  });
  scheduler->Wake(strand.get());
  EXPECT_EQ(ran.Take(), 1);
  scheduler->Wake(strand.get());
  scheduler->Wake(strand.get());
  door.Open();
  EXPECT_EQ(ran.Take(), 2);
  scheduler->Remove(strand.get());
  EXPECT_EQ(runs, 2);
}

TEST(Scheduler, RunsAStrandOnOneThreadAtATimeAndLosesNoWake) {
  const auto scheduler = Scheduler::Make(4);
  std::atomic<bool> busy{false};
  std::atomic<int> asked{0};
  int seen = 0;  // Not atomic: the thread sanitizer checks that runs follow each other.
  Box<bool> all;
  constexpr int kAll = 4 * 500;
  const auto strand = Add(*scheduler, [&] {
    EXPECT_FALSE(busy.exchange(true));
    if (seen < kAll && asked.load() == kAll) all.Put(true);
    seen = asked.load();
    busy.store(false);
    return false;
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kAll / 4; ++i) {
        asked.fetch_add(1);
        scheduler->Wake(strand.get());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  all.Take();
  scheduler->Remove(strand.get());
  EXPECT_EQ(seen, kAll);
}

TEST(Scheduler, RunsStrandsInTheOrderTheyWereWoken) {
  const auto scheduler = Scheduler::Make(1);
  Door door;
  Box<bool> begun;
  Box<int> order;
  const auto blocker = Add(*scheduler, [&] {
    begun.Put(true);
    door.Pass();
    return false;
  });
  std::vector<std::shared_ptr<Strand>> strands;
  for (int i = 0; i < 3; ++i) {
    strands.push_back(Add(*scheduler, [&order, i] {
      order.Put(i);
      return false;
    }));
  }
  scheduler->Wake(blocker.get());
  begun.Take();
  for (const int i : {2, 0, 2, 1}) scheduler->Wake(strands[static_cast<size_t>(i)].get());
  door.Open();
  const std::vector<int> ran = {order.Take(), order.Take(), order.Take()};
  EXPECT_THAT(ran, ElementsAre(2, 0, 1));
  for (const auto& strand : strands) scheduler->Remove(strand.get());
  scheduler->Remove(blocker.get());
  EXPECT_EQ(order.size(), 0);
}

TEST(Scheduler, TakesTurnsBetweenStrandsThatAlwaysHaveMore) {
  const auto scheduler = Scheduler::Make(1);
  Box<char> order;
  std::vector<std::shared_ptr<Strand>> strands;
  Door both;
  for (const char name : {'a', 'b'}) {
    strands.push_back(Add(*scheduler, [&, name] {
      both.Pass();
      if (order.size() < 1000) order.Put(name);
      return true;
    }));
  }
  for (const auto& strand : strands) scheduler->Wake(strand.get());
  both.Open();
  char last = order.Take();
  for (int i = 0; i < 100; ++i) {
    const char next = order.Take();
    EXPECT_NE(next, last);
    last = next;
  }
  for (const auto& strand : strands) scheduler->Remove(strand.get());
}

/// Overdraws two turns in each slice.
class SlowStrand final : public Strand {
 public:
  explicit SlowStrand(std::function<bool()> work) : work_(std::move(work)) {}
  bool RunSlice() override { return work_(); }
  int64_t turns_overdrawn() const override { return 2; }

 private:
  const std::function<bool()> work_;
};

TEST(Scheduler, AStrandThatTookTheTimeOfThreeSlicesLetsTwoTurnsPass) {
  const auto scheduler = Scheduler::Make(1);
  Box<char> order;
  Door both;
  const auto work = [&](char name) {
    return [&, name] {
      both.Pass();
      if (order.size() < 1000) order.Put(name);
      return true;
    };
  };
  const auto slow = std::make_shared<SlowStrand>(work('s'));
  scheduler->Add(slow);
  const auto quick = Add(*scheduler, work('q'));
  scheduler->Wake(slow.get());
  scheduler->Wake(quick.get());
  both.Open();
  std::string ran;
  while (ran.size() < 13) ran += order.Take();
  EXPECT_EQ(ran, "sqqqsqqqsqqqs");
  scheduler->Remove(slow.get());
  scheduler->Remove(quick.get());
}

TEST(Scheduler, AStrandLetsNoTurnPassWhileNobodyElseWaits) {
  const auto scheduler = Scheduler::Make(1);
  Box<bool> ran;
  const auto slow = std::make_shared<SlowStrand>([&] {
    if (ran.size() < 1000) ran.Put(true);
    return true;
  });
  scheduler->Add(slow);
  scheduler->Wake(slow.get());
  for (int i = 0; i < 10; ++i) ran.Take();
  scheduler->Remove(slow.get());
}

TEST(Scheduler, RemovingIsABarrierEvenForAStrandThatAlwaysHasMore) {
  for (int workers = 1; workers <= 3; ++workers) {
    const auto scheduler = Scheduler::Make(workers);
    Box<bool> begun;
    std::atomic<bool> removed{false};
    const auto strand = Add(*scheduler, [&] {
      EXPECT_FALSE(removed.load());
      if (begun.size() == 0) begun.Put(true);
      return true;
    });
    scheduler->Wake(strand.get());
    begun.Take();
    scheduler->Remove(strand.get());
    removed.store(true);
    scheduler->Wake(strand.get());
    EXPECT_FALSE(scheduler->TryAcquire(strand.get()));
    EXPECT_EQ(strand.use_count(), 1);
  }
}

TEST(Scheduler, RemovingTakesAWaitingStrandOutOfTheQueue) {
  const auto scheduler = Scheduler::Make(1);
  Door door;
  Box<bool> begun;
  const auto blocker = Add(*scheduler, [&] {
    begun.Put(true);
    door.Pass();
    return false;
  });
  const auto waiting = Add(*scheduler, [] {
    ADD_FAILURE() << "was removed before its turn";
    return false;
  });
  scheduler->Wake(blocker.get());
  begun.Take();
  scheduler->Wake(waiting.get());
  scheduler->Remove(waiting.get());
  door.Open();
  scheduler->Remove(blocker.get());
}

TEST(Scheduler, AStrandCanBeRemovedByTwoAtOnce) {
  const auto scheduler = Scheduler::Make(2);
  Box<bool> begun;
  const auto strand = Add(*scheduler, [&] {
    if (begun.size() == 0) begun.Put(true);
    return true;
  });
  scheduler->Wake(strand.get());
  begun.Take();
  std::thread other([&] { scheduler->Remove(strand.get()); });
  scheduler->Remove(strand.get());
  other.join();
  EXPECT_EQ(strand.use_count(), 1);
}

TEST(Scheduler, AnIdleStrandCanBeAcquiredAndIsNotRunMeanwhile) {
  const auto scheduler = Scheduler::Make(1);
  Box<std::thread::id> ran;
  const auto strand = Add(*scheduler, [&] {
    ran.Put(std::this_thread::get_id());
    return false;
  });
  ASSERT_TRUE(scheduler->TryAcquire(strand.get()));
  EXPECT_FALSE(scheduler->TryAcquire(strand.get()));
  scheduler->Wake(strand.get());
  EXPECT_EQ(ran.size(), 0);
  scheduler->Release(strand.get(), /*more=*/false);
  EXPECT_NE(ran.Take(), std::this_thread::get_id());  // The wake was kept.
  while (!scheduler->TryAcquire(strand.get())) std::this_thread::yield();
  scheduler->Release(strand.get(), /*more=*/true);
  ran.Take();
  scheduler->Remove(strand.get());
}

TEST(Scheduler, RemovingWaitsForTheOneWhoAcquired) {
  const auto scheduler = Scheduler::Make(1);
  const auto strand = Add(*scheduler, [] { return false; });
  ASSERT_TRUE(scheduler->TryAcquire(strand.get()));
  std::atomic<bool> released{false};
  std::thread remover([&] {
    scheduler->Remove(strand.get());
    EXPECT_TRUE(released.load());
  });
  // Once Remove is under way the strand cannot be woken or acquired, but it is not gone.
  released.store(true);
  scheduler->Release(strand.get(), /*more=*/true);
  remover.join();
  EXPECT_EQ(strand.use_count(), 1);
}

}  // namespace
}  // namespace prospero
