#include "engine/runtime/run_queue.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace prospero {
namespace {

using std::chrono::milliseconds;

Clock::Time At(int64_t ms) { return Clock::Time(milliseconds(ms)); }

/// Entries with names, and the order in which they are taken.
struct Strands {
  Entry* operator[](char name) { return &entries[static_cast<size_t>(name - 'a')]; }
  void Time(char name, int64_t release, int64_t deadline) {
    (*this)[name]->timing = {At(release), deadline < 0 ? Clock::kNever : At(deadline)};
  }
  /// Takes all that are queued, at that time.
  std::string Drain(RunQueue& queue, int64_t now) {
    std::string order;
    while (!queue.empty()) {
      Entry* const entry = queue.Pop(At(now));
      EXPECT_EQ(entry->phase, Entry::Phase::kRunning);
      entry->phase = Entry::Phase::kIdle;
      order += static_cast<char>('a' + (entry - entries.data()));
    }
    return order;
  }
  std::vector<Entry> entries = std::vector<Entry>(6);
};

TEST(RunQueue, TakesTheReleasedByTheirDeadlinesAndThenTheOthersInTurn) {
  Strands strands;
  RunQueue queue;
  strands.Time('c', 5, 30);
  strands.Time('d', 7, 20);
  strands.Time('e', 9, 30);
  for (const char name : {'a', 'b', 'c', 'd', 'e'}) queue.Push(strands[name], At(10));
  EXPECT_TRUE(queue.has_released());
  EXPECT_EQ(queue.size(), 5U);
  EXPECT_EQ(strands.Drain(queue, 10), "dceab");
}

TEST(RunQueue, OneThatIsWokenBeforeItsReleaseWaitsInTurnUntilThen) {
  Strands strands;
  RunQueue queue;
  strands.Time('b', 20, 30);
  queue.Push(strands['a'], At(10));
  queue.Push(strands['b'], At(10));
  queue.Set(strands['b']);
  EXPECT_FALSE(queue.has_released());
  EXPECT_EQ(queue.Ring(At(19)), 0);
  EXPECT_FALSE(queue.has_released());
  EXPECT_EQ(queue.Ring(At(20)), 0);  // It was not idle: nobody has to be called for it.
  EXPECT_TRUE(queue.has_released());
  EXPECT_EQ(queue.next_alarm(), Clock::kNever);
  EXPECT_EQ(strands.Drain(queue, 20), "ba");
}

TEST(RunQueue, ReleasesWhoseTimeHasCome) {
  Strands strands;
  RunQueue queue;
  strands.Time('a', 30, 40);
  strands.Time('b', 20, -1);  // Without a deadline: in turn.
  strands.Time('c', 10, 50);
  for (const char name : {'a', 'b', 'c'}) queue.Set(strands[name]);
  EXPECT_EQ(queue.next_alarm(), At(10));
  EXPECT_EQ(queue.Ring(At(9)), 0);
  EXPECT_EQ(queue.Ring(At(25)), 2);
  EXPECT_EQ(queue.next_alarm(), At(30));
  EXPECT_EQ(strands.Drain(queue, 25), "cb");
  queue.Unset(strands['a']);
  EXPECT_EQ(queue.next_alarm(), Clock::kNever);
  EXPECT_EQ(queue.Ring(At(99)), 0);
}

TEST(RunQueue, TakingAStrandSetsItsAlarmOff) {
  Strands strands;
  RunQueue queue;
  strands.Time('a', 30, 40);
  queue.Push(strands['a'], At(10));
  queue.Set(strands['a']);
  EXPECT_EQ(queue.Pop(At(11)), strands['a']);
  EXPECT_EQ(queue.next_alarm(), Clock::kNever);
}

TEST(RunQueue, ThoseInTurnGetASliceInEachPatience) {
  Strands strands;
  RunQueue queue;
  const auto next = [&](int64_t now) {
    if (strands['a']->phase == Entry::Phase::kIdle) queue.Push(strands['a'], At(now));
    if (strands['b']->phase == Entry::Phase::kIdle) queue.Push(strands['b'], At(now));
    Entry* const entry = queue.Pop(At(now));
    entry->phase = Entry::Phase::kIdle;
    return entry == strands['a'] ? 'a' : 'b';
  };
  strands.Time('b', 0, 100);  // Always has more.
  std::string order;
  for (int64_t now = 0; now <= 80; now += 5) order += next(now);
  EXPECT_EQ(order, "bbbbabbbbabbbbabb");
}

TEST(RunQueue, FindsTheFirstAlarmThatNobodyWatches) {
  Strands strands;
  RunQueue queue;
  EXPECT_EQ(queue.FirstUnwatched(), nullptr);
  strands.Time('a', 30, 40);
  strands.Time('b', 20, 40);
  queue.Set(strands['a']);
  queue.Set(strands['b']);
  EXPECT_EQ(queue.FirstUnwatched(), strands['b']);
  strands['b']->watched = true;
  EXPECT_EQ(queue.FirstUnwatched(), strands['a']);
  queue.Unset(strands['b']);
  EXPECT_FALSE(strands['b']->watched);
}

}  // namespace
}  // namespace prospero
