// The way of a step through the runtime takes nothing from the heap.

#include <atomic>
#include <thread>

#include "engine/runtime/crew.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/host.h"
#include "tests/support/no_alloc.h"

namespace prospero {
namespace {

TEST(RuntimeAllocation, StepsOfAJobTakeNothingFromTheHeapWhoeverWatches) {
  constexpr int64_t kSteps = 200;  // Of one slice: time stands still, and 256 are not reached.
  std::unique_ptr<AllocationCounter> counter;
  std::thread::id thread;
  int64_t allocations = -1;
  Host host({}, 1, [&](ToyNetwork& toy) {
    toy.on_advance = [&](const Step& step) {
      if (step.index == 1) {
        thread = std::this_thread::get_id();
        counter = std::make_unique<AllocationCounter>();
      } else if (step.index == kSteps - 1) {
        EXPECT_EQ(std::this_thread::get_id(), thread);
        allocations = counter->count();
      }
    };
  });
  Watch watch(host, {.selections = {{.variables = {host.toy->u, host.toy->norm}},
                                    {.variables = {host.toy->u, host.toy->W},
                                     .every_steps = 3,
                                     .aggregation = Aggregation::kMean,
                                     .slice = Slice{.start = 0, .count = 1}}}});
  Job job;
  job.Steps(kSteps).Give(host.toy->x, std::vector<float>(3 * kSteps, 1.0F));
  job.Give(host.toy->target, {1}).Return({host.toy->u, host.toy->norm, host.toy->W});
  job.Run(*host.Attach());
  EXPECT_TRUE(job.status.ok()) << job.status;
  EXPECT_EQ(allocations, 0);
}

TEST(RuntimeAllocation, StepsWithFeedsAndSilentInputsTakeNothingFromTheHeap) {
  constexpr int64_t kFirst = 257, kLast = 500;  // Of the second slice, which takes the frames.
  std::unique_ptr<AllocationCounter> counter;
  int64_t allocations = -1;
  Door counted;
  Host host({.clock = ClockMode::kFree}, 1, [&](ToyNetwork& toy) {
    toy.on_advance = [&](const Step& step) {
      if (step.index == kFirst) counter = std::make_unique<AllocationCounter>();
      if (step.index == kLast) {
        allocations = counter->count();
        counter.reset();
        counted.Open();
      }
    };
  });
  const auto x = *host.instance->OpenFeed({.input = host.toy->x, .between = Between::kLinear});
  const auto target = *host.instance->OpenFeed(
      {.input = host.toy->target, .between = Between::kZero, .late = Late::kApply});
  for (int64_t step = 0; step < 60; ++step) {
    ASSERT_TRUE(x->Push({Floats({1, 2, static_cast<float>(step)}), 260 + 4 * step, false}).ok());
    ASSERT_TRUE(target->Push({Floats({1}), 259 + 3 * step, false}).ok());
  }
  ASSERT_TRUE(host.Start().ok());
  counted.Pass();
  ASSERT_TRUE(host.Pause().ok());
  host.Settle();  // A slice is counted when the next one begins.
  EXPECT_EQ(allocations, 0);
  EXPECT_GE(x->summary().applied, 59);
  EXPECT_GE(target->summary().applied, 59);
}

/// Throws away what it is given.
class NoJournal final : public Journal {
 public:
  void Append(absl::string_view, Cursor) override {}
  void BeginOrder() override {}
  void EndOrder() override {}
};

TEST(RuntimeAllocation, WhatIsWrittenDownTakesNothingFromTheHeapOnceThereIsRoom) {
  constexpr int64_t kSteps = 100;  // Two jobs are of one slice at most.
  std::unique_ptr<AllocationCounter> counter;
  int64_t allocations = -1;
  Instance::Options options;
  options.journal = std::make_shared<NoJournal>();
  Host host(options, 1, [&](ToyNetwork& toy) {
    toy.on_advance = [&](const Step& step) {
      if (step.index == kSteps + 1) counter = std::make_unique<AllocationCounter>();
      if (step.index == 2 * kSteps - 1) allocations = counter->count();
    };
  });
  const auto driver = host.Attach();
  for (int i = 0; i < 2; ++i) {
    std::vector<float> rows(3 * kSteps);
    for (size_t n = 0; n < rows.size(); ++n) rows[n] = static_cast<float>(n);
    Job job;
    job.Steps(kSteps).Every(kSteps).Give(host.toy->x, rows).Run(*driver);
    EXPECT_TRUE(job.status.ok()) << job.status;
  }
  EXPECT_EQ(allocations, 0);
}

TEST(RuntimeAllocation, ACrewTakesNothingFromTheHeap) {
  Crew crew(1);
  crew.Begin();
  std::atomic<int64_t> helped{0};
  std::thread helper([&crew, &helped, place = crew.Join()] {
    const AllocationCounter counter;
    crew.Help(place, [&helped] { return helped.load() == 100; });
    EXPECT_EQ(counter.count(), 0);
  });
  const auto owner = std::this_thread::get_id();
  const AllocationCounter counter;
  while (helped.load() < 100) {
    crew.Run(8, [&](int64_t) {
      if (std::this_thread::get_id() != owner) helped.fetch_add(1);
    });
  }
  crew.Rest();
  EXPECT_EQ(counter.count(), 0);
  helper.join();
}

}  // namespace
}  // namespace prospero
