// The ways of errors back along a projection, and the noise of a population.

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/random.h"
#include "engine/models/gle/gle.h"
#include "tests/support/pair.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

constexpr int64_t kHidden = 12;

Plasticity Learns(double eta) {
  Plasticity plasticity;
  plasticity.learning_rate = eta;
  return plasticity;
}

/// x (3) -> h (12) -> y (2), with a hidden population k (12) between h and y when `deep`.
GleSpec Chain(FeedbackPath path, bool deep = false) {
  GleSpec spec;
  std::vector<std::string> names = {"x", "h", "y"};
  if (deep) names.insert(names.begin() + 2, "k");
  for (const std::string& name : names) {
    GlePopulation p;
    p.name = name;
    p.size = name == "x" ? 3 : name == "y" ? 2 : kHidden;
    p.role = name == "x"   ? PopulationRole::kInput
             : name == "y" ? PopulationRole::kOutput
                           : PopulationRole::kHidden;
    if (name != "x") p.tau_m = {0.5};
    if (p.role == PopulationRole::kHidden) p.activation = Activation::kTanh;
    spec.populations.push_back(p);
  }
  for (size_t i = 0; i + 1 < names.size(); ++i) {
    GleProjection q;
    q.pre = names[i];
    q.post = names[i + 1];
    q.plasticity = Learns(0.02);
    if (i > 0) q.feedback.path = path;
    spec.projections.push_back(q);
  }
  return spec;
}

/// Trials of x with the target y = tanh(2 (x_0 - x_1)), tanh(4 (x_1 + x_2)). Returns the mean loss
/// over the last tenth.
double Learn(int64_t steps, Network& network) {
  const int64_t trials = Get(network, "y.target").shape[0];
  const RandomStream inputs(5, "inputs");
  std::vector<double> x(static_cast<size_t>(3 * trials)), y(static_cast<size_t>(2 * trials));
  Set(network, "y.teach", 1.0);
  double loss = 0;
  for (int64_t n = 0; n < steps; ++n) {
    if (n % 20 == 0) {
      for (size_t k = 0; k < static_cast<size_t>(trials); ++k) {
        for (size_t i = 0; i < 3; ++i) {
          x[3 * k + i] = 2 * inputs.Uniform(n * trials + static_cast<int64_t>(3 * k + i)) - 1;
        }
        y[2 * k] = std::tanh(2 * (x[3 * k] - x[3 * k + 1]));
        y[2 * k + 1] = std::tanh(4 * (x[3 * k + 1] + x[3 * k + 2]));
      }
      if (n >= steps - steps / 10)
        loss += Value(network, "loss") / static_cast<double>(steps / 200);
      Set(network, "x.r", x);
      Set(network, "y.target", y);
    }
    network.Advance({n, kPairDt});
  }
  return loss;
}

double LossAfterLearning(FeedbackPath path, bool plastic_below) {
  auto network = Make(Chain(path), PairOptions(DataType::kFloat32, 8));
  if (!plastic_below) Set(*network, "x_to_h.W.plastic", 0.0);
  return Learn(40'000, *network);
}

TEST(GleFeedback, LearnsByRandomWeightsWhatTheOutputAloneCannot) {
  const double without = LossAfterLearning(FeedbackPath::kRandom, false);
  EXPECT_LT(LossAfterLearning(FeedbackPath::kRandom, true), 0.5 * without);
  EXPECT_LT(LossAfterLearning(FeedbackPath::kDirect, true), 0.5 * without);
  EXPECT_LT(LossAfterLearning(FeedbackPath::kTranspose, true), 0.5 * without);
}

TEST(GleFeedback, KeepsRandomWeightsAsTheyAreWhileTheWeightsTurnToThem) {
  auto network = Make(Chain(FeedbackPath::kRandom), PairOptions(DataType::kFloat64, 8));
  const std::vector<double> B = Values(*network, "h_to_y.B");
  const double angle = Value(*network, "h_to_y.alignment_angle");
  Learn(40'000, *network);
  EXPECT_EQ(Values(*network, "h_to_y.B"), B);
  EXPECT_LT(Value(*network, "h_to_y.alignment_angle"), angle - 10);
}

TEST(GleFeedback, SendsTheErrorOfAnOutputPastWhatIsBetween) {
  auto network = Make(Chain(FeedbackPath::kDirect, true), PairOptions(DataType::kFloat64, 1));
  ASSERT_EQ(Get(*network, "h_to_k.B").shape, (std::vector<int64_t>{kHidden, 2}));
  Learn(50, *network);
  const std::vector<double> B = Values(*network, "h_to_k.B"), e = Values(*network, "y.e");
  const std::vector<double> got = Values(*network, "h.e_bottom");
  for (size_t i = 0; i < kHidden; ++i) {
    EXPECT_NEAR(got[i], B[2 * i] * e[0] + B[2 * i + 1] * e[1], 1e-14);
    EXPECT_NE(got[i], 0.0);
  }
}

TEST(GleFeedback, TakesTheOutputThatIsNamed) {
  GleSpec spec = Chain(FeedbackPath::kDirect);
  GlePopulation z = spec.populations[2];
  z.name = "z";
  z.size = 5;
  spec.populations.push_back(z);
  spec.projections[1].feedback.output = "z";
  auto network = Make(spec);
  EXPECT_EQ(Get(*network, "h_to_y.B").shape, (std::vector<int64_t>{kHidden, 5}));
  EXPECT_LT(network->variables().Find("h_to_y.alignment_angle"), 0);
}

TEST(GleFeedback, ShowsWeightsWhereTheyAreNotTheTranspose) {
  auto transpose = Make(Chain(FeedbackPath::kTranspose));
  EXPECT_LT(transpose->variables().Find("h_to_y.B"), 0);
  EXPECT_LT(transpose->variables().Find("h_to_y.alignment_angle"), 0);
  auto random = Make(Chain(FeedbackPath::kRandom));
  EXPECT_EQ(Get(*random, "h_to_y.B").shape, (std::vector<int64_t>{kHidden, 2}));
  EXPECT_EQ(Get(*random, "h_to_y.B").role, Role::kWeight);
  EXPECT_LT(random->variables().Find("h_to_y.B.eta"), 0);
  EXPECT_GT(Value(*random, "h_to_y.B.norm"), 0);
  EXPECT_LT(random->variables().Find("x_to_h.B"), 0);
}

TEST(GleFeedback, StartsFromGivenWeights) {
  GleSpec spec = Chain(FeedbackPath::kRandom);
  Initializer given{Initializer::Kind::kValues, 0, 0, {kHidden, 2}, {}};
  for (int i = 0; i < 2 * kHidden; ++i) given.values.push_back(0.25 * i);
  spec.projections[1].feedback.initializer = given;
  auto network = Make(spec);
  EXPECT_EQ(Values(*network, "h_to_y.B"), given.values);
  Set(*network, "h_to_y.B", 0.0);
  network->Reset(1, {});
  EXPECT_EQ(Values(*network, "h_to_y.B"), given.values);
}

TEST(GleFeedback, StartsWithinTheFanInOfItsSecondDimension) {
  auto network = Make(Chain(FeedbackPath::kRandom));
  EXPECT_LT(Value(*network, "h_to_y.B.max"), 1 / std::sqrt(2.0));
  // The greatest of 24 draws falls short of this with probability 1e-6.
  EXPECT_GT(Value(*network, "h_to_y.B.max"), 1 / std::sqrt(12.0) * 0.3);
}

TEST(GleFeedback, LeavesTheTransposeExactlyAsItIsWhenItStartsFromIt) {
  GleSpec spec = Chain(FeedbackPath::kTranspose);
  for (GleProjection& q : spec.projections) q.plasticity.reset();
  auto transpose = Make(spec, PairOptions(DataType::kFloat64, 1));
  spec.projections[1].feedback.path = FeedbackPath::kRandom;
  auto random = Make(spec, PairOptions(DataType::kFloat64, 1));
  const std::vector<double> W = Values(*random, "h_to_y.W");
  std::vector<double> B;
  for (size_t i = 0; i < kHidden; ++i) {
    for (size_t j = 0; j < 2; ++j) B.push_back(W[j * kHidden + i]);
  }
  Set(*random, "h_to_y.B", B);
  Learn(200, *transpose);
  Learn(200, *random);
  EXPECT_EQ(Values(*transpose, "h.e"), Values(*random, "h.e"));
  EXPECT_NE(Values(*random, "h.e"), std::vector<double>(kHidden, 0.0));
  EXPECT_NEAR(Value(*random, "h_to_y.alignment_angle"), 0, 1e-5);
  EXPECT_NEAR(Value(*random, "h_to_y.alignment_scale"), 1, 1e-12);
}

/// A Pair whose output is noisy.
GleSpec NoisyPair(double sigma = 0.3) {
  GleSpec spec = Pair();
  spec.populations[1].noise = NoiseSpec{NoiseSpec::Kind::kOrnsteinUhlenbeck, sigma, 1.0, 1};
  return spec;
}

TEST(GleNoise, EntersTheSummedInput) {
  auto network = Make(NoisyPair(), PairOptions(DataType::kFloat64, 1));
  Set(*network, "learning", 0.0);
  Set(*network, "x.r", 2.0);
  for (int64_t n = 0; n < 20; ++n) {
    network->Advance({n, kPairDt});
    // Nothing lags: the prospective potential is the summed input.
    EXPECT_NEAR(Value(*network, "y.u_ahead"), 0.5 * 2.0 + Value(*network, "y.xi"), 1e-12);
  }
  EXPECT_NE(Value(*network, "y.xi"), 0.0);
}

TEST(GleNoise, CanBeDrivenFromOutside) {
  auto network = Make(NoisyPair(), PairOptions(DataType::kFloat64, 1));
  double xi = 0;
  for (int64_t n = 0; n < 50; ++n) {
    const double w = std::sin(static_cast<double>(n));
    Set(*network, "y.w", w);
    Set(*network, "y.w_given", 1.0);
    network->Advance({n, kPairDt});
    xi += (std::sqrt(kPairDt * 1.0) * 0.3 * w - kPairDt * xi) / 1.0;
    ASSERT_NEAR(Value(*network, "y.xi"), xi, 1e-13);
  }
}

TEST(GleNoise, BelongsToTheSeedAndComesAgainWithIt) {
  const auto noise_after = [](uint64_t seed, ResetScopes scopes) {
    auto network = Make(NoisyPair(), PairOptions(DataType::kFloat64, 1));
    Advance(10, *network);
    network->Reset(seed, scopes);
    Advance(10, *network);
    return Value(*network, "y.xi");
  };
  const double first = noise_after(11, {});
  EXPECT_NE(first, 0.0);
  EXPECT_EQ(noise_after(11, {}), first);
  EXPECT_NE(noise_after(12, {}), first);
  EXPECT_EQ(noise_after(12, {.state = true, .weights = true, .noise = false}), first);
}

}  // namespace
}  // namespace prospero
