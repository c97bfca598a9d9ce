#include <gtest/gtest.h>

#include "tests/support/layered.h"
#include "tests/support/no_alloc.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

int64_t AllocationsOfSteps(const LatentEquilibriumSpec& spec, DataType precision, int64_t batch,
                           bool watched) {
  const auto network = Make(spec, LayeredOptions(precision, batch));
  DriveLayers(7, *network);
  if (watched) *Get(*network, "a.W.swallowed").watched = true;
  const AllocationCounter counter;
  for (int64_t n = 0; n < 30; ++n) network->Advance({n, 0.1});
  return counter.count();
}

TEST(LatentEquilibriumAllocation, AStepTakesNothingFromTheHeap) {
  LatentEquilibriumSpec direct = Menagerie(), transpose = Menagerie(), read_off = Menagerie();
  read_off.gamma = 1.0;
  read_off.errors_from_rate_potential = true;
  for (LatentEquilibriumSpec* spec : {&direct, &transpose}) {
    for (LatentEquilibriumLayer& layer : spec->layers) layer.alignment.reset();
  }
  direct.feedback = FeedbackPath::kDirect;
  transpose.feedback = FeedbackPath::kTranspose;
  for (const auto& spec : {Menagerie(), Dynamics(), direct, transpose, read_off}) {
    for (const DataType precision : {DataType::kFloat32, DataType::kFloat64}) {
      for (const int64_t batch : {1, 5}) {
        for (const bool watched : {false, true}) {
          EXPECT_EQ(AllocationsOfSteps(spec, precision, batch, watched), 0);
        }
      }
    }
  }
}

}  // namespace
}  // namespace prospero
