// A network whose feedback will diverge is told of when it is made, and others are not.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/circuit.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

/// Linear layers with B = scale Wᵀ.
MicrocircuitSpec Transposed(const std::vector<int64_t>& sizes, double scale) {
  MicrocircuitSpec spec = Circuit(sizes, FeedbackPath::kRandom);
  const auto first = MakeCircuit(spec);
  for (size_t l = 1; l + 1 < sizes.size(); ++l) {
    const std::vector<double> W = Values(*first, absl::StrCat("l", l + 1, ".W"));
    Initializer B{Initializer::Kind::kValues, 0, 0, {sizes[l], sizes[l + 1]}, {}};
    for (int64_t i = 0; i < sizes[l]; ++i) {
      for (int64_t j = 0; j < sizes[l + 1]; ++j) {
        B.values.push_back(scale * W[static_cast<size_t>(j * sizes[l] + i)]);
      }
    }
    spec.layers[l].feedback_initializer = B;
  }
  return spec;
}

/// How far the apical potentials of the first hidden layer are from self-prediction, long after
/// the input has changed.
double Unrest(Network& network) {
  Set(network, "l0.r", 0.5);
  for (int64_t n = 0; n < 20'000 && network.finite(); ++n) network.Advance({n, kCircuitDt});
  if (!network.finite()) return INFINITY;
  double unrest = 0;
  for (const double a : Values(network, "l1.apical")) unrest = std::max(unrest, std::abs(a));
  return unrest;
}

TEST(LoopGain, OfOneLoopTellsWhetherItDiverges) {
  auto calm = MakeCircuit(Transposed({4, 8, 3}, 1.2));
  EXPECT_TRUE(calm->warnings().empty());
  EXPECT_LT(Unrest(*calm), 1e-9);
  auto wild = MakeCircuit(Transposed({4, 8, 3}, 1.5));
  ASSERT_EQ(wild->warnings().size(), 1U);
  EXPECT_EQ(wild->warnings()[0].reason, "LOOP_GAIN");
  EXPECT_EQ(wild->warnings()[0].path, "layers[1]");
  EXPECT_GT(Unrest(*wild), 1e9);
}

TEST(LoopGain, OfAllLoopsTellsWhetherTheyDivergeTogether) {
  auto calm = MakeCircuit(Transposed({4, 8, 5, 3}, 0.66));
  EXPECT_TRUE(calm->warnings().empty());
  EXPECT_LT(Unrest(*calm), 1e-6);
  auto wild = MakeCircuit(Transposed({4, 8, 5, 3}, 0.73));
  ASSERT_EQ(wild->warnings().size(), 1U);
  EXPECT_EQ(wild->warnings()[0].reason, "LOOP_GAIN");
  EXPECT_EQ(wild->warnings()[0].path, "layers");
  EXPECT_GT(Unrest(*wild), 1e9);
}

/// Linear layers that learn B towards a size that is set by alpha.
MicrocircuitSpec Learning(double alpha) {
  MicrocircuitSpec spec = Circuit({4, 8, 5, 3}, FeedbackPath::kAligned);
  FeedbackLearning how;
  how.alpha = alpha;
  LearnFeedback(how, spec);
  for (size_t l : {1, 2}) {
    spec.layers[l].feedback_initializer = Initializer{Initializer::Kind::kConstant, 0, 0, {}, {}};
  }
  return spec;
}

TEST(LoopGain, IsThatOfWhereTheFeedbackIsGoing) {
  EXPECT_TRUE(MakeCircuit(Learning(1e-3))->warnings().empty());
  auto wild = MakeCircuit(Learning(1e-5));
  ASSERT_EQ(wild->warnings().size(), 2U);
  EXPECT_EQ(wild->warnings()[0].path, "layers[1]");
  EXPECT_EQ(wild->warnings()[1].path, "layers[2]");
  EXPECT_NE(wild->warnings()[0].message.find("sigma"), std::string::npos);
  Presentation samples(10, 4, 1000, 123);
  samples.Settle(*wild);
  EXPECT_TRUE(wild->finite());
  for (int epoch = 0; epoch < 10 && wild->finite(); ++epoch) samples.Learn(*wild);
  EXPECT_FALSE(wild->finite());
}

TEST(LoopGain, KnowsThatFeedbackWithoutDecayGrows) {
  EXPECT_EQ(MakeCircuit(Learning(0))->warnings().size(), 2U);
}

TEST(LoopGain, IsSmallInThePublishedNetworks) {
  MicrocircuitSpec spec = Circuit({5, 20, 10, 20, 5}, FeedbackPath::kAligned, Activation::kSigmoid);
  FeedbackLearning how;
  how.alpha = 1e-5;
  LearnFeedback(how, spec);
  EXPECT_TRUE(MakeCircuit(spec)->warnings().empty());
  EXPECT_TRUE(MakeCircuit(spec, 1, DataType::kFloat32)->warnings().empty());
}

}  // namespace
}  // namespace prospero
