// Workers that help with the steps of large networks.

#include <atomic>
#include <thread>

#include "engine/runtime/scheduler.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/strands.h"
#include "tests/support/box.h"

namespace prospero {
namespace {

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

}  // namespace
}  // namespace prospero
