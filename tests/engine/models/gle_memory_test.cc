// What a network takes: its weights as often as its optimizer keeps them, at most a fifth more for
// what makes them quick, and its neurons.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/models/gle/gle.h"
#include "tests/support/chains.h"
#include "tests/support/no_alloc.h"

namespace prospero {
namespace {

using Sizes = std::vector<int64_t>;

/// Rows of a population in each trial: its states, signals, biases with what learns them, and the
/// few scalars of its projections.
constexpr int64_t kRowsOfAPopulation = 24;
/// The table of variables, with all that was taken while it grew [bytes].
constexpr int64_t kTable = 200'000;

/// A chain whose weights are not drawn: with many millions of them that is not what this is about.
GleSpec UndrawnChain(const Sizes& sizes, Optimizer optimizer) {
  GleSpec spec = Chain(sizes, optimizer);
  for (GleProjection& projection : spec.projections) {
    projection.initializer = Initializer{Initializer::Kind::kConstant, 0.01, 0.0, {}, {}};
  }
  return spec;
}

struct Case {
  Sizes sizes;
  Optimizer optimizer = Optimizer::kSgd;
  int64_t copies = 1;  ///< of each weight: itself and the memory of its optimizer
  DataType precision = DataType::kFloat32;
  int64_t batch = 1;

  std::string name() const {
    return absl::StrCat(absl::StrJoin(sizes, "-"), ", ", copies, " copies, ", SizeOf(precision),
                        " bytes, batch ", batch);
  }
  NetworkOptions options() const {
    NetworkOptions options;
    options.precision = precision;
    options.batch_size = batch;
    return options;
  }
  int64_t neurons() const {
    int64_t sum = 0;
    for (const int64_t size : sizes) sum += size;
    return sum;
  }
  int64_t weights() const { return Weights(sizes); }
  int64_t bytes_of_weights() const { return weights() * copies * SizeOf(precision); }
  int64_t bytes_of_neurons() const {
    int64_t sum = 0;
    for (const int64_t size : sizes) sum += (size * SizeOf(precision) + 63) / 64 * 64;
    return kRowsOfAPopulation * sum * batch;
  }
};

std::vector<Case> Cases(const std::vector<Sizes>& chains, const std::vector<int64_t>& batches) {
  constexpr std::pair<Optimizer, int64_t> kOptimizers[] = {
      {Optimizer::kSgd, 1}, {Optimizer::kMomentum, 2}, {Optimizer::kAdam, 3}};
  std::vector<Case> cases;
  for (const Sizes& sizes : chains) {
    for (const auto& [optimizer, copies] : kOptimizers) {
      for (const DataType precision : {DataType::kFloat32, DataType::kFloat64}) {
        for (const int64_t batch : batches) {
          cases.push_back({sizes, optimizer, copies, precision, batch});
        }
      }
    }
  }
  return cases;
}

TEST(GleMemory, IsAtMostAFifthMoreThanTheWeightsBesideTheNeurons) {
  const std::vector<Sizes> chains = {{10, 100, 100, 10},      {64, 512, 512, 10},
                                     {256, 1024, 1024, 10},   {100, 300, 300, 300, 10},
                                     {784, 300, 100, 10},     {1024, 4096, 4096, 10},
                                     {1000, 10000, 10000, 10}};
  for (const Case& c : Cases(chains, {1, 32})) {
    const auto footprint =
        CheckGle(UndrawnChain(c.sizes, c.optimizer), c.options(), NetworkLimits());
    ASSERT_TRUE(footprint.ok()) << footprint.status();
    EXPECT_EQ(footprint->weights, c.weights()) << c.name();
    EXPECT_EQ(footprint->neurons, c.neurons()) << c.name();
    EXPECT_GE(footprint->bytes, c.bytes_of_weights()) << c.name();
    EXPECT_LE(footprint->bytes, c.bytes_of_weights() * 6 / 5 + c.bytes_of_neurons()) << c.name();
  }
}

// Just below and above what is laid out in large pages, too.
TEST(GleMemory, IsWhatWasTold) {
  const std::vector<Sizes> chains = {{10, 100, 100, 10},
                                     {64, 512, 512, 10},
                                     {1000, 1040, 10},
                                     {1000, 1060, 10},
                                     {256, 1024, 1024, 10}};
  for (const Case& c : Cases(chains, {1, 4})) {
    const GleSpec spec = UndrawnChain(c.sizes, c.optimizer);
    const auto footprint = CheckGle(spec, c.options(), NetworkLimits());
    ASSERT_TRUE(footprint.ok()) << footprint.status();
    const AllocationCounter counter;
    const auto network = MakeGle(spec, c.options(), NetworkLimits());
    ASSERT_TRUE(network.ok()) << network.status();
    EXPECT_GE(counter.bytes(), footprint->bytes) << c.name();
    EXPECT_LE(counter.bytes(), footprint->bytes + kTable) << c.name();
  }
}

}  // namespace
}  // namespace prospero
