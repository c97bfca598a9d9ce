// What a layered network takes: its weights as often as their optimizers keep them, at most a fifth
// more for what makes them quick, and its neurons.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/layered.h"
#include "tests/support/no_alloc.h"

namespace prospero {
namespace {

/// Rows of a layer in each trial: states, signals, biases and time constants.
constexpr int64_t kRowsOfALayer = 32;
/// The table of variables, with all that was taken while it grew [bytes].
constexpr int64_t kTable = 400'000;

LatentEquilibriumSpec Layers(const std::vector<int64_t>& sizes, Optimizer optimizer) {
  LatentEquilibriumSpec spec;
  spec.input_shape = {sizes[0]};
  for (size_t k = 1; k < sizes.size(); ++k) {
    const std::string name = absl::StrCat("l", k);
    spec.layers.push_back(DenseLayer(name, sizes[k], Activation::kTanh, 0.01));
    spec.layers.back().plasticity->optimizer = optimizer;
  }
  return spec;
}

TEST(LatentEquilibriumMemory, IsAtMostAFifthMoreThanTheWeightsBesideTheNeurons) {
  constexpr std::pair<Optimizer, int64_t> kOptimizers[] = {
      {Optimizer::kSgd, 1}, {Optimizer::kMomentum, 2}, {Optimizer::kAdam, 3}};
  const std::vector<std::vector<int64_t>> all = {
      {10, 100, 100, 10}, {784, 300, 100, 10}, {1024, 4096, 4096, 10}};
  for (const std::vector<int64_t>& sizes : all) {
    for (const auto& [optimizer, copies] : kOptimizers) {
      for (const DataType precision : {DataType::kFloat32, DataType::kFloat64}) {
        const auto footprint = CheckLatentEquilibrium(Layers(sizes, optimizer),
                                                      LayeredOptions(precision), NetworkLimits());
        ASSERT_TRUE(footprint.ok()) << footprint.status();
        int64_t weights = 0, padded_neurons = 0;  // the latter in bytes
        for (size_t k = 0; k < sizes.size(); ++k) {
          if (k > 0) weights += sizes[k] * sizes[k - 1];
          padded_neurons += (sizes[k] * SizeOf(precision) + 63) / 64 * 64;
        }
        EXPECT_EQ(footprint->weights, weights);
        const int64_t bytes = weights * copies * SizeOf(precision);
        EXPECT_GE(footprint->bytes, bytes);
        EXPECT_LE(footprint->bytes, bytes * 6 / 5 + kRowsOfALayer * padded_neurons)
            << sizes[1] << ", " << copies << " copies, " << SizeOf(precision) << " bytes";
      }
    }
  }
}

TEST(LatentEquilibriumMemory, IsWhatWasTold) {
  for (const LatentEquilibriumSpec& spec :
       {Menagerie(), Dynamics(), Layers({100, 1000, 1000, 10}, Optimizer::kMomentum)}) {
    for (const int64_t batch : {1, 5}) {
      const NetworkOptions options = LayeredOptions(DataType::kFloat32, batch);
      const auto footprint = CheckLatentEquilibrium(spec, options, NetworkLimits());
      ASSERT_TRUE(footprint.ok()) << footprint.status();
      const AllocationCounter counter;
      const auto network = Make(spec, options);
      EXPECT_GE(counter.bytes(), footprint->bytes);
      EXPECT_LE(counter.bytes(), footprint->bytes + kTable);
    }
  }
}

}  // namespace
}  // namespace prospero
