// What a network of microcircuits takes: its four matrices of each hidden layer, at most a fifth
// more for what makes them quick, and its neurons.

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdint>
#include <vector>

#include "tests/support/circuit.h"

namespace prospero {
namespace {

/// Rows of a layer and of its interneurons: states, signals, filters and noise.
constexpr int64_t kRowsOfALayer = 48;
/// The table of variables [bytes].
constexpr int64_t kTable = 300'000;

/// What the heap has given out and not taken back [bytes].
int64_t InUse() {
  const struct mallinfo2 heap = mallinfo2();
  return static_cast<int64_t>(heap.uordblks + heap.hblkhd);
}

NetworkOptions Options(DataType precision, int64_t batch) {
  NetworkOptions options;
  options.dt = kCircuitDt;
  options.precision = precision;
  options.batch_size = batch;
  return options;
}

TEST(MicrocircuitMemory, IsAtMostAFifthMoreThanTheWeightsBesideTheNeurons) {
  const std::vector<std::vector<int64_t>> all = {
      {10, 100, 100, 10}, {100, 300, 300, 10}, {1024, 4096, 4096, 10}};
  for (const std::vector<int64_t>& sizes : all) {
    for (const DataType precision : {DataType::kFloat32, DataType::kFloat64}) {
      const auto footprint = CheckMicrocircuit(Circuit(sizes, FeedbackPath::kRandom),
                                               Options(precision, 1), NetworkLimits());
      ASSERT_TRUE(footprint.ok()) << footprint.status();
      const int64_t weights = footprint->weights * SizeOf(precision);
      const int64_t neurons = footprint->neurons * SizeOf(precision);
      EXPECT_GE(footprint->bytes, weights);
      EXPECT_LE(footprint->bytes, weights * 6 / 5 + kRowsOfALayer * (neurons + 64 * 6))
          << sizes[1] << ", " << SizeOf(precision) << " bytes";
    }
  }
}

// Finding the state of self-prediction and the loops' gains takes more for a while.
TEST(MicrocircuitMemory, IsWhatWasToldOnceItIsMade) {
  for (const MicrocircuitSpec& spec :
       {BusyCircuit(), Circuit({50, 200, 150, 10}, FeedbackPath::kRandom)}) {
    for (const int64_t batch : {1, 5}) {
      const NetworkOptions options = Options(DataType::kFloat32, batch);
      const auto footprint = CheckMicrocircuit(spec, options, NetworkLimits());
      ASSERT_TRUE(footprint.ok()) << footprint.status();
      const int64_t before = InUse();
      const auto network = MakeCircuit(spec, 1, DataType::kFloat32, batch);
      EXPECT_GE(InUse() - before, footprint->bytes);
      EXPECT_LE(InUse() - before, footprint->bytes + kTable);
    }
  }
}

}  // namespace
}  // namespace prospero
