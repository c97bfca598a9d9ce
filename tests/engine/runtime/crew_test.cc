#include "engine/runtime/crew.h"

#include <immintrin.h>

#include <atomic>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/box.h"

namespace prospero {
namespace {

using testing::Each;
using testing::ElementsAre;

/// Helpers of a busy crew, who stay until the object dies.
class Helpers {
 public:
  Helpers(Crew& crew, int count) {
    for (int i = 0; i < count; ++i) {
      const int place = crew.Join();
      threads_.emplace_back(
          [this, &crew, place] { EXPECT_TRUE(crew.Help(place, [this] { return over_.load(); })); });
    }
  }
  ~Helpers() {
    over_.store(true);
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> over_{false};
  std::vector<std::thread> threads_;
};

/// Two tasks of which neither ends before the other has begun: so two members do one each.
struct Pair {
  explicit Pair(Crew& crew) {
    std::atomic<int> begun{0};
    crew.Run(2, [&](int64_t task) {
      who[task] = std::this_thread::get_id();
      mode[task] = _mm_getcsr();
      begun.fetch_add(1);
      while (begun.load() < 2) std::this_thread::yield();
    });
  }
  std::thread::id who[2];
  uint32_t mode[2];
};

TEST(Crew, DoesEveryTaskOnceWithAnyNumberOfHelpers) {
  for (int helpers = 0; helpers <= 4; ++helpers) {
    Crew crew(4);
    crew.Begin();
    const Helpers present(crew, helpers);
    for (int64_t count = 0; count <= 40; ++count) {
      for (int repeat = 0; repeat < 20; ++repeat) {
        // Not atomic: the thread sanitizer checks that the owner may read what helpers wrote.
        std::vector<int> done(static_cast<size_t>(count));
        crew.Run(count, [&](int64_t task) { ++done[static_cast<size_t>(task)]; });
        ASSERT_THAT(done, Each(1)) << count << " tasks, " << helpers << " helpers";
      }
    }
  }
}

TEST(Crew, DoesEveryTaskOnceWhileHelpersComeAndGo) {
  Crew crew(3);
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&crew, &over, t] {
      for (int asked = t; !over.load();) {
        const int place = crew.Join();
        if (place >= 0) crew.Help(place, [&asked] { return ++asked % 5 == 0; });
      }
    });
  }
  for (int64_t section = 0; section < 5000; ++section) {
    const int64_t count = 2 + section % 11;
    std::vector<int> done(static_cast<size_t>(count));
    crew.Run(count, [&](int64_t task) { ++done[static_cast<size_t>(task)]; });
    ASSERT_THAT(done, Each(1));
  }
  over.store(true);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(crew.helpers(), 0);
}

TEST(Crew, AloneIsAPlainLoop) {
  Crew crew(2);
  std::vector<int64_t> order;
  crew.Run(4, [&](int64_t task) { order.push_back(task); });
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(crew.members(), 1);
}

TEST(Crew, TheSameTaskLandsOnTheSameThread) {
  Crew crew(1);
  crew.Begin();
  const Helpers helper(crew, 1);
  const Pair first(crew);
  EXPECT_EQ(first.who[0], std::this_thread::get_id());
  EXPECT_NE(first.who[1], std::this_thread::get_id());
  EXPECT_EQ(crew.members(), 2);
  for (int section = 0; section < 200; ++section) {
    const Pair next(crew);
    EXPECT_EQ(next.who[0], first.who[0]);
    EXPECT_EQ(next.who[1], first.who[1]);
  }
}

TEST(Crew, HelpersTakeDenormalNumbersForZeroAsAStepDoes) {
  Crew crew(1);
  crew.Begin();
  const Helpers helper(crew, 1);
  constexpr uint32_t kFlushToZero = 0x8000, kDenormalsAreZero = 0x0040;
  const uint32_t mode = Pair(crew).mode[1];
  EXPECT_TRUE((mode & kFlushToZero) != 0 && (mode & kDenormalsAreZero) != 0);
}

TEST(Crew, AHelperWhoIsRecalledLeavesTheRestToOthers) {
  Crew crew(1);
  crew.Begin();
  std::atomic<int> helped{0};
  std::thread helper([&crew, &helped, place = crew.Join()] {
    EXPECT_TRUE(crew.Help(place, [&helped] { return helped.load() > 0; }));
  });
  const auto owner = std::this_thread::get_id();
  std::vector<int> done(20);
  crew.Run(20, [&](int64_t task) {
    ++done[static_cast<size_t>(task)];
    if (std::this_thread::get_id() != owner) helped.fetch_add(1);
    while (helped.load() == 0) std::this_thread::yield();
  });
  helper.join();
  EXPECT_THAT(done, Each(1));
  EXPECT_EQ(helped.load(), 1);
  EXPECT_EQ(crew.helpers(), 0);
}

TEST(Crew, SendsHelpersAwayOnceTheOwnerRests) {
  Crew crew(1);
  crew.Begin();
  std::thread helper([&crew, place = crew.Join()] {
    EXPECT_FALSE(crew.Help(place, [] { return false; }));
    EXPECT_FALSE(crew.busy());
  });
  const Pair helped(crew);
  EXPECT_NE(helped.who[0], helped.who[1]);
  crew.Rest();
  helper.join();
  EXPECT_EQ(crew.helpers(), 0);
}

TEST(Crew, HasSoManyPlacesAndGivesThemAgain) {
  Crew crew(2);
  EXPECT_EQ(crew.Join(), 0);
  EXPECT_EQ(crew.Join(), 1);
  EXPECT_EQ(crew.Join(), -1);
  EXPECT_TRUE(crew.Help(0, [] { return true; }));
  EXPECT_EQ(crew.helpers(), 1);
  EXPECT_EQ(crew.Join(), 0);
}

TEST(Crew, IsOfNoUseToANetworkThatSharesNothing) {
  Crew crew(1);
  EXPECT_TRUE(crew.useful());
  crew.Begin();
  crew.Run(1, [](int64_t) {});
  EXPECT_TRUE(crew.useful());
  crew.Rest();
  EXPECT_FALSE(crew.useful());
  crew.Run(2, [](int64_t) {});
  EXPECT_TRUE(crew.useful());
  crew.Rest();  // There was no Begin.
  EXPECT_TRUE(crew.useful());
}

TEST(Crew, IsForNetworksWithALargeMatrixOnly) {
  const auto crew_of = [](Role role, int64_t rows, int64_t columns) {
    Variable variable;
    variable.name = "W";
    variable.role = role;
    variable.shape = {rows, columns};
    VariableTable variables;
    variables.Add(variable);
    return MakeCrew(variables, 8);
  };
  EXPECT_EQ(crew_of(Role::kWeight, 100, 100), nullptr);
  EXPECT_EQ(crew_of(Role::kInput, 1024, 1024), nullptr);
  ASSERT_NE(crew_of(Role::kWeight, 512, 512), nullptr);
  EXPECT_EQ(crew_of(Role::kWeight, 512, 512)->max_helpers(), 3);
  EXPECT_EQ(crew_of(Role::kWeight, 4096, 4096)->max_helpers(), 8);
}

}  // namespace
}  // namespace prospero
