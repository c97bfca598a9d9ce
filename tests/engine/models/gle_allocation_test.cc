#include <gtest/gtest.h>

#include <memory>

#include "tests/support/no_alloc.h"
#include "tests/support/tangle.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

int64_t AllocationsOfSteps(DataType precision, int64_t batch_size, bool watched) {
  NetworkOptions options;
  options.dt = 0.05;
  options.precision = precision;
  options.batch_size = batch_size;
  auto network = MakeGle(Tangle(), options, NetworkLimits());
  EXPECT_TRUE(network.ok()) << network.status();
  WriteTangle(50, **network);
  if (watched) *Get(**network, "a_to_b.W.swallowed").watched = true;
  const AllocationCounter counter;
  for (int64_t n = 0; n < 50; ++n) (*network)->Advance({n, options.dt});
  return counter.count();
}

TEST(GleAllocation, AStepTakesNothingFromTheHeap) {
  for (const DataType precision : {DataType::kFloat32, DataType::kFloat64}) {
    for (const int64_t batch_size : {1, 7}) {
      for (const bool watched : {false, true}) {
        EXPECT_EQ(AllocationsOfSteps(precision, batch_size, watched), 0);
      }
    }
  }
}

TEST(GleAllocation, IsCounted) {
  const AllocationCounter counter;
  const auto number = std::make_unique<volatile int>(1);
  const auto memory = std::unique_ptr<void, void (*)(void*)>(std::aligned_alloc(64, 64), std::free);
  EXPECT_EQ(counter.count(), 2 + (*number == 2) + (memory == nullptr));
}

}  // namespace
}  // namespace prospero
