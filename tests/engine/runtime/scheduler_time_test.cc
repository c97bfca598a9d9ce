// Strands that are run at the times that they name.

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "engine/runtime/scheduler.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/strands.h"
#include "tests/support/box.h"
#include "tests/support/fake_clock.h"

namespace prospero {
namespace {

using testing::ElementsAre;

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

TEST(SchedulerTime, OneThatRanBeforeItsTimeCanBeRemovedThoughAWorkerSleepsUntilThen) {
  // What would go wrong is seen by a sanitizer: the worker looks at a strand that is gone.
  for (int i = 0; i < 50; ++i) {
    const auto scheduler = Scheduler::Make(2);
    Box<bool> ran;
    const auto strand = AddTimed(*scheduler, {}, [&, runs = 0](Timing& timing) mutable {
      timing = {};
      if (++runs == 1) timing.release = Clock::Real().Now() + std::chrono::hours(1);
      ran.Put(true);
      return false;
    });
    for (int run = 0; run < 2; ++run) {
      scheduler->Wake(strand.get());
      ran.Take();
      std::this_thread::yield();
    }
    scheduler->Remove(strand.get());
  }
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
