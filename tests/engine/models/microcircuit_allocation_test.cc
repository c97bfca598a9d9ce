#include <gtest/gtest.h>

#include "tests/support/circuit.h"
#include "tests/support/no_alloc.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

int64_t AllocationsOfSteps(const MicrocircuitSpec& spec, DataType precision, int64_t batch_size) {
  auto network = MakeCircuit(spec, 1, precision, batch_size);
  Set(*network, "l0.r", 0.5);
  Set(*network, "l3.teach", 1.0);
  *Get(*network, "l1.W.swallowed").watched = true;
  const AllocationCounter counter;
  for (int64_t n = 0; n < 50; ++n) network->Advance({n, kCircuitDt});
  return counter.count();
}

TEST(MicrocircuitAllocation, AStepTakesNothingFromTheHeap) {
  for (const auto feedback :
       {FeedbackPath::kTranspose, FeedbackPath::kRandom, FeedbackPath::kAligned}) {
    for (const bool variants : {false, true}) {
      MicrocircuitSpec spec = Circuit({17, 19, 9, 5}, feedback, Activation::kSigmoid);
      const bool aligned = feedback == FeedbackPath::kAligned;
      if (aligned) LearnFeedback({}, spec);
      for (size_t l = 1; l <= 3; ++l) LearnForward(l, 1, 1, spec);
      if (variants) {
        spec.tau_presynaptic = spec.tau_postsynaptic = spec.tau_dendrite = 0.1;
        if (aligned) spec.decay = MicrocircuitSpec::Decay::kSlopes;
        if (aligned) spec.noise_scale = MicrocircuitSpec::NoiseScale::kApical;
      }
      for (const DataType precision : {DataType::kFloat32, DataType::kFloat64}) {
        for (const int64_t batch_size : {1, 7}) {
          EXPECT_EQ(AllocationsOfSteps(spec, precision, batch_size), 0);
        }
      }
    }
  }
}

}  // namespace
}  // namespace prospero
