// The way of a step through the runtime takes nothing from the heap.

#include <thread>

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

}  // namespace
}  // namespace prospero
