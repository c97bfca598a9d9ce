#include "engine/runtime/scheduler.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/box.h"
#include "tests/support/fake_clock.h"

namespace prospero {
namespace {

using testing::ElementsAre;

class TestStrand final : public Strand {
 public:
  explicit TestStrand(std::function<bool()> work) : work_(std::move(work)) {}
  bool RunSlice() override { return work_(); }

 private:
  const std::function<bool()> work_;
};

std::shared_ptr<Strand> Add(Scheduler& scheduler, std::function<bool()> work) {
  auto strand = std::make_shared<TestStrand>(std::move(work));
  scheduler.Add(strand);
  return strand;
}

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

/// A strand whose slices are shared: sections of two tasks, one after the other, as long as `more`
/// says so; in each slice it calls for helpers.
class SharedStrand final : public Strand {
 public:
  SharedStrand(Scheduler& scheduler, std::function<bool(const Crew&)> more)
      : scheduler_(scheduler), more_(std::move(more)) {}

  bool RunSlice() override {
    const auto owner = std::this_thread::get_id();
    crew_->Begin();
    scheduler_.CallHelpers(this, crew_);
    while (more_(*crew_)) {
      crew_->Run(2, [&](int64_t) {
        if (std::this_thread::get_id() != owner) helped.store(true);
      });
    }
    crew_->Rest();
    return false;
  }
  const std::shared_ptr<Crew>& crew() { return crew_; }

  std::atomic<bool> helped{false};  ///< a task was done by another thread

 private:
  Scheduler& scheduler_;
  const std::function<bool(const Crew&)> more_;
  const std::shared_ptr<Crew> crew_ = std::make_shared<Crew>(3);
};

std::shared_ptr<SharedStrand> AddShared(Scheduler& scheduler,
                                        std::function<bool(const Crew&)> more) {
  auto strand = std::make_shared<SharedStrand>(scheduler, std::move(more));
  scheduler.Add(strand);
  return strand;
}

TEST(SchedulerCrew, WorkersWithoutAStrandHelp) {
  const auto scheduler = Scheduler::Make(4);
  Box<bool> together;
  const auto strand = AddShared(*scheduler, [&](const Crew& crew) {
    if (crew.helpers() < 3) return true;
    together.Put(true);
    return false;
  });
  scheduler->Wake(strand.get());
  together.Take();
  scheduler->Remove(strand.get());
}

TEST(SchedulerCrew, AWorkerHelpsWhoeverRunsTheStrand) {
  const auto scheduler = Scheduler::Make(1);
  SharedStrand* shared = nullptr;
  const auto strand = AddShared(*scheduler, [&](const Crew&) { return !shared->helped.load(); });
  shared = strand.get();
  ASSERT_TRUE(scheduler->TryAcquire(strand.get()));
  strand->RunSlice();  // Ends when the worker has helped.
  scheduler->Release(strand.get(), /*more=*/false);
  scheduler->Remove(strand.get());
}

TEST(SchedulerCrew, AStrandThatIsWokenGetsAHelperBack) {
  const auto scheduler = Scheduler::Make(2);
  std::atomic<bool> other_ran{false};
  Box<bool> helped, over;
  const auto large = AddShared(*scheduler, [&](const Crew& crew) {
    if (helped.size() == 0 && crew.helpers() > 0) helped.Put(true);
    if (!other_ran.load()) return true;
    over.Put(true);
    return false;
  });
  const auto small = Add(*scheduler, [&] {
    other_ran.store(true);  // Or else the large one goes on for ever.
    return false;
  });
  scheduler->Wake(large.get());
  helped.Take();
  scheduler->Wake(small.get());
  over.Take();
  scheduler->Remove(small.get());
  scheduler->Remove(large.get());
}

TEST(SchedulerCrew, OneWhoCameBackForAStrandHelpsAgain) {
  const auto scheduler = Scheduler::Make(2);
  std::atomic<int> ran{0};
  Box<bool> helped;
  const auto large = AddShared(*scheduler, [&, awaited = 0](const Crew& crew) mutable {
    if (crew.helpers() == 0 || ran.load() < awaited) return true;
    helped.Put(true);
    return ++awaited <= 20;
  });
  const auto small = Add(*scheduler, [&] {
    ran.fetch_add(1);
    return false;
  });
  scheduler->Wake(large.get());
  for (int i = 0; i < 20; ++i) {
    helped.Take();
    scheduler->Wake(small.get());
  }
  helped.Take();
  scheduler->Remove(small.get());
  scheduler->Remove(large.get());
  EXPECT_EQ(ran.load(), 20);
}

TEST(SchedulerCrew, NobodyStaysWithACrewThatRests) {
  const auto scheduler = Scheduler::Make(3);
  Box<bool> over;
  const auto strand = AddShared(*scheduler, [&](const Crew& crew) {
    if (crew.helpers() < 2) return true;
    over.Put(true);
    return false;
  });
  for (int slice = 0; slice < 3; ++slice) {
    scheduler->Wake(strand.get());
    over.Take();
    while (strand->crew()->busy() || strand->crew()->helpers() > 0) std::this_thread::yield();
  }
  scheduler->Remove(strand.get());
}

TEST(SchedulerCrew, ACrewOutlivesItsStrandOnlyWhileSomebodyIsWithIt) {
  const auto scheduler = Scheduler::Make(3);
  std::weak_ptr<Crew> crew;
  {
    Box<bool> helped;
    std::atomic<bool> leave{false};
    const auto strand = AddShared(*scheduler, [&](const Crew& members) {
      if (members.helpers() == 2 && helped.size() == 0) helped.Put(true);
      return !leave.load();
    });
    crew = strand->crew();
    scheduler->Wake(strand.get());
    helped.Take();
    leave.store(true);
    scheduler->Remove(strand.get());
  }
  while (!crew.expired()) std::this_thread::yield();
}

/// Runs when its time has come.
class TimedStrand final : public Strand {
 public:
  /// `work` may change the timing.
  TimedStrand(Timing timing, std::function<bool(Timing&)> work)
      : timing_(timing), work_(std::move(work)) {}
  bool RunSlice() override { return work_(timing_); }
  Timing timing() const override { return timing_; }

 private:
  Timing timing_;
  const std::function<bool(Timing&)> work_;
};

std::shared_ptr<Strand> AddTimed(Scheduler& scheduler, Timing timing,
                                 std::function<bool(Timing&)> work) {
  auto strand = std::make_shared<TimedStrand>(timing, std::move(work));
  scheduler.Add(strand);
  return strand;
}

TEST(SchedulerTime, RunsAStrandAtTheTimesThatItNames) {
  for (const int workers : {1, 3}) {
    const auto scheduler = Scheduler::Make(workers);
    Box<bool> ran;
    const auto strand = AddTimed(*scheduler, {}, [&](Timing& timing) {
      const Clock::Time now = Clock::Real().Now();
      EXPECT_TRUE(timing.release == Clock::kNever || now >= timing.release);
      timing.release = now + std::chrono::microseconds(200);
      timing.deadline = now + std::chrono::microseconds(400);
      ran.Put(true);
      return false;
    });
    scheduler->Wake(strand.get());
    for (int i = 0; i < 50; ++i) ran.Take();
    scheduler->Remove(strand.get());  // Though its alarm is set.
    EXPECT_EQ(strand.use_count(), 1);
  }
}

TEST(SchedulerTime, RunsManyStrandsEachAtItsTimes) {
  const auto scheduler = Scheduler::Make(2);
  constexpr int kStrands = 20, kRuns = 20;
  Box<int> over;
  std::vector<std::shared_ptr<Strand>> strands;
  for (int i = 0; i < kStrands; ++i) {
    strands.push_back(AddTimed(*scheduler, {}, [&, i, runs = 0](Timing& timing) mutable {
      timing.release = Clock::Real().Now() + std::chrono::microseconds(37 * (i + 1));
      timing.deadline = i % 3 == 0 ? Clock::kNever : timing.release + std::chrono::milliseconds(1);
      if (++runs == kRuns) over.Put(i);
      return false;
    }));
    scheduler->Wake(strands.back().get());
  }
  for (int i = 0; i < kStrands; ++i) over.Take();
  for (const auto& strand : strands) scheduler->Remove(strand.get());
}

TEST(SchedulerTime, OneThatIsWokenRunsBeforeItsTime) {
  const auto scheduler = Scheduler::Make(1);
  Box<bool> ran;
  const auto strand = AddTimed(*scheduler, {}, [&](Timing& timing) {
    timing.release = Clock::Real().Now() + std::chrono::hours(1);
    ran.Put(true);
    return false;
  });
  for (int i = 0; i < 3; ++i) {
    scheduler->Wake(strand.get());
    ran.Take();
  }
  while (!scheduler->TryAcquire(strand.get())) std::this_thread::yield();
  scheduler->Release(strand.get(), /*more=*/true);
  ran.Take();
  scheduler->Remove(strand.get());
}

TEST(SchedulerTime, OneThatWasAcquiredRunsAtItsTimeWithoutAWake) {
  const auto scheduler = Scheduler::Make(1);
  Box<bool> ran;
  const auto soon = AddTimed(*scheduler, {Clock::Real().Now() + std::chrono::milliseconds(1)},
                             [&](Timing& timing) {
                               timing.release = Clock::kNever;
                               ran.Put(true);
                               return false;
                             });
  ASSERT_TRUE(scheduler->TryAcquire(soon.get()));
  scheduler->Release(soon.get(), /*more=*/false);
  ran.Take();
  scheduler->Remove(soon.get());
}

TEST(SchedulerTime, TheEarliestDeadlineIsFirst) {
  FakeClock clock;
  const auto scheduler = Scheduler::Make(1, clock);
  const auto start = clock.Now();
  Box<bool> named;
  Box<int> order;
  std::vector<std::shared_ptr<Strand>> strands;
  for (int i = 0; i < 3; ++i) {
    strands.push_back(AddTimed(*scheduler, {}, [&, i](Timing& timing) {
      if (timing.release != Clock::kNever) {
        order.Put(i);
        timing = {};
        return false;
      }
      timing.release = start + std::chrono::hours(1);
      timing.deadline = start + std::chrono::hours(5 - i);
      named.Put(true);
      return false;
    }));
    scheduler->Wake(strands.back().get());
    named.Take();
  }
  Door door;
  Box<bool> begun;
  const auto blocker = Add(*scheduler, [&] {
    begun.Put(true);
    door.Pass();
    return false;
  });
  const auto in_turn = Add(*scheduler, [&] {
    order.Put(9);
    return false;
  });
  scheduler->Wake(blocker.get());
  begun.Take();
  scheduler->Wake(in_turn.get());
  clock.Advance(std::chrono::hours(2));
  door.Open();
  const std::vector<int> ran = {order.Take(), order.Take(), order.Take(), order.Take()};
  EXPECT_THAT(ran, ElementsAre(2, 1, 0, 9));
  strands.push_back(blocker);
  strands.push_back(in_turn);
  for (const auto& strand : strands) scheduler->Remove(strand.get());
}

TEST(SchedulerTime, TellsSlicesWhenTheirThreadIsWantedAndNobodySleeps) {
  FakeClock clock;
  const auto scheduler = Scheduler::Make(1, clock);
  const auto pressed_at = [&] { return scheduler->pressed_at().load(); };
  const auto release = clock.Now() + std::chrono::hours(1);
  Box<bool> ran;
  const auto timed = AddTimed(*scheduler, {}, [&](Timing& timing) {
    timing = {release, release};
    ran.Put(true);
    return false;
  });
  scheduler->Wake(timed.get());
  ran.Take();
  Box<int64_t> seen;
  const auto other = Add(*scheduler, [&] {
    seen.Put(pressed_at());
    return false;
  });
  scheduler->Wake(other.get());
  EXPECT_EQ(seen.Take(), std::chrono::nanoseconds(release.time_since_epoch()).count());
  scheduler->Remove(timed.get());
  scheduler->Wake(other.get());
  EXPECT_EQ(seen.Take(), INT64_MAX);
  scheduler->Remove(other.get());
}

TEST(SchedulerTime, AReleasedStrandGetsAHelperBack) {
  const auto scheduler = Scheduler::Make(2);
  std::atomic<bool> other_ran{false};
  Box<bool> over;
  const auto timed = AddTimed(*scheduler, {}, [&](Timing& timing) {
    if (timing.release != Clock::kNever) other_ran.store(true);
    timing.release =
        other_ran.load() ? Clock::kNever : Clock::Real().Now() + std::chrono::milliseconds(5);
    return false;
  });
  const auto large = AddShared(*scheduler, [&](const Crew&) {
    if (!other_ran.load()) return true;  // For ever, unless the helper comes back.
    over.Put(true);
    return false;
  });
  scheduler->Wake(timed.get());
  scheduler->Wake(large.get());
  over.Take();
  scheduler->Remove(timed.get());
  scheduler->Remove(large.get());
}

}  // namespace
}  // namespace prospero
