#include "engine/models/microcircuit/microcircuit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/circuit.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

/// A circuit in which everything learns, with every filter, in some optimizer.
MicrocircuitSpec Everything(FeedbackPath feedback = FeedbackPath::kAligned) {
  MicrocircuitSpec spec = Circuit({3, 5, 4, 2}, feedback, Activation::kSigmoid);
  if (feedback == FeedbackPath::kAligned) LearnFeedback({}, spec);
  for (size_t l = 1; l <= 3; ++l) LearnForward(l, 20, 10, spec);
  spec.layers[1].forward.plasticity->optimizer = Optimizer::kLowPass;
  spec.layers[1].forward.plasticity->mix = 0.02;
  spec.layers[2].forward.plasticity->optimizer = Optimizer::kAdam;
  spec.layers[2].forward.plasticity->learning_rate = 1e-3;
  spec.layers[3].forward.plasticity->bound = 2;
  spec.layers[2].activation = Activation::kTanh;
  spec.layers[1].potential = Initializer{Initializer::Kind::kNormal, 0, 1, {}, {}};
  spec.layers[2].interneuron_potential = Initializer{Initializer::Kind::kUniform, -1, 1, {}, {}};
  spec.tau_presynaptic = 0.05;
  spec.tau_postsynaptic = 0.03;
  spec.tau_dendrite = 0.02;
  return spec;
}

/// Inputs and targets that change every 7 steps; no target in the first 20 of 50.
void Drive(int64_t begin, int64_t end, Network& network) {
  const int64_t batch = Get(network, "l0.r").shape[0];
  for (int64_t n = begin; n < end; ++n) {
    std::vector<double> x, target;
    for (int64_t k = 0; k < batch * 3; ++k) x.push_back(std::sin(static_cast<double>(n / 7 + k)));
    for (int64_t k = 0; k < batch * 2; ++k)
      target.push_back(std::cos(static_cast<double>(n / 7 - k)));
    Set(network, "l0.r", x);
    Set(network, "l3.target", target);
    Set(network, "l3.teach", n % 50 < 20 ? 0.0 : 1.0);
    network.Advance({n, kCircuitDt});
  }
}

struct Kind {
  DataType precision;
  MicrocircuitSpec::Decay decay = MicrocircuitSpec::Decay::kPlain;
  MicrocircuitSpec::NoiseScale scale = MicrocircuitSpec::NoiseScale::kConstant;
  FeedbackPath feedback = FeedbackPath::kAligned;

  MicrocircuitSpec spec() const {
    MicrocircuitSpec spec = Everything(feedback);
    spec.decay = decay;
    spec.noise_scale = scale;
    return spec;
  }
  std::unique_ptr<Network> Make(uint64_t seed = 3, int64_t batch = 3) const {
    return MakeCircuit(spec(), seed, precision, batch);
  }
};

class MicrocircuitOfEachKind : public testing::TestWithParam<Kind> {};

TEST_P(MicrocircuitOfEachKind, GoesOnBitForBitFromItsSavedVariables) {
  auto first = GetParam().Make(3);
  Drive(0, 133, *first);
  auto second = GetParam().Make(4);
  // As a simulation does it: the noise is keyed first.
  second->Reset(3, {.state = false, .weights = false, .noise = true});
  RestoreBytes(SavedBytes(*first), *second);
  Drive(133, 300, *first);
  Drive(133, 300, *second);
  EXPECT_TRUE(first->finite());
  EXPECT_EQ(SavedBytes(*first), SavedBytes(*second));
}

TEST_P(MicrocircuitOfEachKind, GivesTheSameBitsWhoeverWatches) {
  auto alone = GetParam().Make(), watched = GetParam().Make();
  for (const Variable& variable : watched->variables()) {
    if (variable.watched != nullptr) *variable.watched = true;
  }
  for (int64_t n = 0; n < 100; ++n) {
    Drive(n, n + 1, *alone);
    Drive(n, n + 1, *watched);
    for (const Variable& variable : watched->variables()) Values(*watched, variable.name);
  }
  EXPECT_EQ(SavedBytes(*alone), SavedBytes(*watched));
}

TEST_P(MicrocircuitOfEachKind, ReturnsToItsStart) {
  auto network = GetParam().Make(3);
  const std::string start = SavedBytes(*network);
  Drive(0, 100, *network);
  const std::string end = SavedBytes(*network);
  EXPECT_NE(end, start);
  network->Reset(3, {});
  EXPECT_EQ(SavedBytes(*network), start);
  Drive(0, 100, *network);
  EXPECT_EQ(SavedBytes(*network), end);
  network->Reset(4, {});
  EXPECT_NE(SavedBytes(*network), start);
}

/// The mean over trials is one sum of outer products: with equal trials, that of one.
TEST_P(MicrocircuitOfEachKind, LearnsFromEqualTrialsAsFromOne) {
  auto one = GetParam().Make(3, 1), three = GetParam().Make(3, 3);
  const bool aligned = GetParam().feedback == FeedbackPath::kAligned;
  for (int64_t n = 0; n < 100; ++n) {
    for (Network* network : {one.get(), three.get()}) {
      Set(*network, "l0.r", std::sin(0.1 * static_cast<double>(n)));
      Set(*network, "l3.target", 0.4);
      Set(*network, "l3.teach", 1.0);
      for (const char* layer : {"l1", "l2"}) {
        if (!aligned) continue;
        Set(*network, absl::StrCat(layer, ".w"), std::cos(static_cast<double>(n * n)));
        Set(*network, absl::StrCat(layer, ".w_given"), 1.0);
      }
      network->Advance({n, kCircuitDt});
    }
  }
  const double bound = GetParam().precision == DataType::kFloat64 ? 1e-13 : 1e-5;
  for (const char* name : {"l1.W", "l2.W", "l3.W", "l1.V", "l2.V", "l1.B", "l2.B", "l1.C"}) {
    const std::vector<double> a = Values(*one, name), b = Values(*three, name);
    for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], bound) << name;
  }
  EXPECT_NEAR(Value(*one, "loss"), Value(*three, "loss"), bound);
}

std::vector<Kind> Kinds() {
  using Decay = MicrocircuitSpec::Decay;
  using NoiseScale = MicrocircuitSpec::NoiseScale;
  std::vector<Kind> kinds;
  for (const DataType precision : {DataType::kFloat32, DataType::kFloat64}) {
    kinds.push_back({precision});
    kinds.push_back({precision, Decay::kGated, NoiseScale::kPotential});
    kinds.push_back({precision, Decay::kSlopes, NoiseScale::kProspective});
    kinds.push_back({precision, Decay::kPlain, NoiseScale::kApical});
    kinds.push_back({precision, Decay::kPlain, NoiseScale::kConstant, FeedbackPath::kTranspose});
    kinds.push_back({precision, Decay::kPlain, NoiseScale::kConstant, FeedbackPath::kRandom});
  }
  return kinds;
}

INSTANTIATE_TEST_SUITE_P(Circuits, MicrocircuitOfEachKind, testing::ValuesIn(Kinds()));

/// From one state, what all trials change is the mean of what each would change alone.
TEST(MicrocircuitBatch, LearnsTheMeanOverItsTrials) {
  for (const auto decay : {MicrocircuitSpec::Decay::kPlain, MicrocircuitSpec::Decay::kGated,
                           MicrocircuitSpec::Decay::kSlopes}) {
    Kind kind{DataType::kFloat64, decay};
    MicrocircuitSpec spec = kind.spec();
    // Sums of products only: no optimizer whose changes are not proportional.
    spec.layers[2].forward.plasticity = PerMillisecond(20);
    auto both = MakeCircuit(spec, 3, DataType::kFloat64, 2);
    Drive(0, 60, *both);
    std::vector<std::unique_ptr<Network>> alone;
    for (size_t trial = 0; trial < 2; ++trial) {
      alone.push_back(MakeCircuit(spec, 3, DataType::kFloat64, 1));
      for (const Variable& variable : alone.back()->variables()) {
        if (!IsSaved(variable.role)) continue;
        const std::vector<double> all = Values(*both, variable.name);
        const auto n = static_cast<size_t>(variable.size());
        const size_t from = all.size() == n ? 0 : trial * n;
        Set(*alone.back(), variable.name,
            std::vector<double>(all.begin() + static_cast<std::ptrdiff_t>(from),
                                all.begin() + static_cast<std::ptrdiff_t>(from + n)));
      }
      for (const char* layer : {"l1", "l2"}) {
        Set(*alone.back(), absl::StrCat(layer, ".w_given"), 1.0);
        Set(*alone.back(), absl::StrCat(layer, ".w"), trial == 0 ? 0.7 : -1.3);
      }
    }
    for (const char* layer : {"l1", "l2"}) {
      Set(*both, absl::StrCat(layer, ".w_given"), 1.0);
      std::vector<double> w(static_cast<size_t>(Get(*both, absl::StrCat(layer, ".w")).size()),
                            -1.3);
      std::fill(w.begin(), w.begin() + static_cast<std::ptrdiff_t>(w.size() / 2), 0.7);
      Set(*both, absl::StrCat(layer, ".w"), w);
    }
    both->Advance({60, kCircuitDt});
    for (auto& network : alone) network->Advance({60, kCircuitDt});
    for (const char* name : {"l1.W", "l2.W", "l3.W", "l1.V", "l2.V", "l1.B", "l2.B", "l2.C"}) {
      const std::vector<double> a = Values(*alone[0], name), b = Values(*alone[1], name);
      const std::vector<double> mean = Values(*both, name);
      EXPECT_NE(a, b) << name;
      for (size_t i = 0; i < a.size(); ++i) {
        EXPECT_NEAR(mean[i], 0.5 * (a[i] + b[i]), 1e-14) << name;
      }
    }
  }
}

TEST(MicrocircuitPrecision, OfFloatFollowsDouble) {
  for (const auto feedback :
       {FeedbackPath::kAligned, FeedbackPath::kTranspose, FeedbackPath::kRandom}) {
    auto narrow = MakeCircuit(Everything(feedback), 3, DataType::kFloat32, 3);
    auto wide = MakeCircuit(Everything(feedback), 3, DataType::kFloat64, 3);
    Drive(0, 1000, *narrow);
    Drive(0, 1000, *wide);
    for (const char* name : {"l1.u", "l1.u_ahead", "l2.r", "l3.u_ahead", "l1_inter.u_ahead", "l1.W",
                             "l2.V", "l1.B", "l2.C"}) {
      const std::vector<double> a = Values(*narrow, name), b = Values(*wide, name);
      for (size_t i = 0; i < a.size(); ++i) {
        EXPECT_NEAR(a[i], b[i], 2e-4 * std::max(1.0, std::abs(b[i]))) << name;
      }
    }
  }
}

TEST(MicrocircuitStart, IsThatOfTheGivenPotentials) {
  MicrocircuitSpec spec = Everything();
  auto network = MakeCircuit(spec, 3, DataType::kFloat64, 2);
  const std::vector<double> u = Values(*network, "l1.u"), r = Values(*network, "l1.r");
  EXPECT_NE(u[0], u[1]);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(u[i], u[i + 5]);
    EXPECT_NEAR(r[i], 1 / (1 + std::exp(-u[i])), 1e-15);
  }
  EXPECT_EQ(Values(*network, "l2.h"), Values(*network, "l2.r"));
  EXPECT_EQ(Values(*network, "l2.u"), std::vector<double>(8, 0.0));
  EXPECT_NE(Values(*network, "l2_inter.u"), std::vector<double>(4, 0.0));
}

TEST(MicrocircuitSelfPrediction, LeavesApicalDendritesSilentWithoutATarget) {
  MicrocircuitSpec spec = Circuit({3, 5, 4, 2}, FeedbackPath::kRandom, Activation::kTanh);
  auto network = MakeCircuit(spec);
  Set(*network, "l0.r", 0.7);
  for (int64_t n = 0; n < 5000; ++n) network->Advance({n, kCircuitDt});
  for (const char* name : {"l1.apical", "l2.apical"}) {
    for (const double a : Values(*network, name)) EXPECT_NEAR(a, 0, 1e-10);
  }
  const std::vector<double> p = Values(*network, "l3.u_ahead");
  const std::vector<double> p_inter = Values(*network, "l2_inter.u_ahead");
  for (size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(p_inter[i], p[i], 1e-10);
  Set(*network, "l3.teach", 1.0);
  Set(*network, "l3.target", 1.0);
  for (int64_t n = 5000; n < 6000; ++n) network->Advance({n, kCircuitDt});
  EXPECT_GT(std::abs(Value(*network, "l2.apical")), 1e-3);
}

TEST(MicrocircuitSelfPrediction, ReachesTheOutputThroughLinearLayersThatAreSkipped) {
  MicrocircuitSpec spec = Circuit({3, 6, 5, 4, 2}, FeedbackPath::kRandom);
  spec.connection = MicrocircuitSpec::Connection::kSkip;
  spec.layers[1].activation = spec.layers[4].activation = Activation::kTanh;
  for (size_t l = 1; l <= 3; ++l) {
    spec.layers[l].feedback_initializer =
        Initializer{Initializer::Kind::kUniform, -0.3, 0.3, {}, {}};
  }
  auto network = MakeCircuit(spec);
  Set(*network, "l0.r", 0.7);
  for (int64_t n = 0; n < 5000; ++n) network->Advance({n, kCircuitDt});
  for (const char* layer : {"l1", "l2", "l3"}) {
    EXPECT_EQ(Get(*network, absl::StrCat(layer, ".V")).shape[0], 2);
    EXPECT_EQ(Get(*network, absl::StrCat(layer, ".B")).shape[1], 2);
    for (const double a : Values(*network, absl::StrCat(layer, ".apical")))
      EXPECT_NEAR(a, 0, 1e-10);
  }
  EXPECT_GT(std::abs(Value(*network, "l4.u_ahead")), 1e-3);
  // Only the last hidden layer is fed back to by the layer that its W leads to.
  EXPECT_EQ(network->variables().Find("l2.alignment_angle"), -1);
  EXPECT_GE(network->variables().Find("l3.alignment_angle"), 0);
}

TEST(MicrocircuitSkip, IsLayeredWhereThereIsOneHiddenLayer) {
  MicrocircuitSpec layered = Circuit({3, 5, 2}, FeedbackPath::kAligned, Activation::kSigmoid);
  LearnFeedback({}, layered);
  MicrocircuitSpec skip = layered;
  skip.connection = MicrocircuitSpec::Connection::kSkip;
  auto first = MakeCircuit(layered), second = MakeCircuit(skip);
  for (int64_t n = 0; n < 200; ++n) {
    for (Network* network : {first.get(), second.get()}) {
      Set(*network, "l0.r", std::sin(static_cast<double>(n / 10)));
      network->Advance({n, kCircuitDt});
    }
  }
  EXPECT_EQ(SavedBytes(*first), SavedBytes(*second));
}

/// a and what B and C learn, written a second time for a hidden layer that hears the output.
TEST(MicrocircuitSkip, FeedsHiddenLayersFromTheOutput) {
  MicrocircuitSpec spec = Circuit({3, 5, 4, 2}, FeedbackPath::kAligned, Activation::kTanh);
  spec.connection = MicrocircuitSpec::Connection::kSkip;
  spec.start = MicrocircuitSpec::Start::kGiven;
  LearnFeedback({}, spec);
  auto network = MakeCircuit(spec);
  Set(*network, "l0.r", 0.4);
  for (int64_t n = 0; n < 100; ++n) network->Advance({n, kCircuitDt});
  const auto get = [&](const char* name) { return Values(*network, name); };
  const auto B = get("l1.B"), C = get("l1.C"), h = get("l3.h"), a = get("l1.apical"),
             r_inter = get("l1_inter.r");
  network->Advance({100, kCircuitDt});
  const auto r = get("l3.r"), r_inter_now = get("l1_inter.r"), xi = get("l1.xi");
  const double eta_B = 50 * kCircuitDt, alpha = 1e-4, eta_C = 5 * kCircuitDt;
  for (size_t i = 0; i < 5; ++i) {
    double apical = 0;
    for (size_t j = 0; j < 2; ++j) {
      const size_t at = i * 2 + j;
      apical += B[at] * r[j] + C[at] * r_inter_now[j];
      EXPECT_NEAR(get("l1.B")[at], B[at] + eta_B * (xi[i] * h[j] - alpha * B[at]), 1e-14);
      EXPECT_NEAR(get("l1.C")[at], C[at] - eta_C * a[i] * r_inter[j], 1e-14);
    }
    EXPECT_NEAR(get("l1.apical")[i], apical, 1e-14);
  }
}

TEST(MicrocircuitNoise, RestsWhileTheFeedbackDoesNotLearn) {
  auto network = MakeCircuit(Everything(), 3);
  const auto xi = [&] { return Values(*network, "l1.xi"); };
  for (const char* gate : {"learning", "l1.B.plastic"}) {
    Set(*network, gate, 0.0);
    const std::vector<double> before = xi();
    Drive(0, 10, *network);
    EXPECT_EQ(xi(), before) << gate;
    Set(*network, gate, 1.0);
    Drive(10, 20, *network);
    EXPECT_NE(xi(), before) << gate;
  }
  // The control without learning: the rate is 0, and the noise goes on.
  Set(*network, "l1.B.eta", 0.0);
  const std::vector<double> before = xi(), B = Values(*network, "l1.B");
  Drive(20, 30, *network);
  EXPECT_NE(xi(), before);
  EXPECT_EQ(Values(*network, "l1.B"), B);
}

/// |u|, |p| and |a| of the step, as tests/golden has them only in the noise that was recorded.
TEST(MicrocircuitNoise, IsProportionalToWhatItIsAskedToBe) {
  using NoiseScale = MicrocircuitSpec::NoiseScale;
  for (const NoiseScale scale :
       {NoiseScale::kPotential, NoiseScale::kProspective, NoiseScale::kApical}) {
    MicrocircuitSpec spec = Everything();
    for (size_t l : {1, 2}) {
      spec.layers[l].noise = NoiseSpec();
      spec.layers[l].noise->kind = NoiseSpec::Kind::kHeldWhite;
      spec.layers[l].noise->sigma = 0.5;
    }
    auto constant = MakeCircuit(spec, 3);
    spec.noise_scale = scale;
    auto network = MakeCircuit(spec, 3);
    Drive(0, 30, *constant);
    Drive(0, 30, *network);
    const std::vector<double> u = Values(*network, "l2.u");
    Drive(30, 31, *constant);
    Drive(30, 31, *network);
    const std::vector<double> w = Values(*constant, "l2.xi"), xi = Values(*network, "l2.xi");
    const std::vector<double> by = scale == NoiseScale::kPotential ? u
                                   : scale == NoiseScale::kProspective
                                       ? Values(*network, "l2.u_ahead")
                                       : Values(*network, "l2.apical");
    for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(xi[i], w[i] * std::abs(by[i]), 1e-15);
  }
}

TEST(MicrocircuitLearning, StopsAndStartsAtAWord) {
  auto network = MakeCircuit(Everything(), 3);
  Drive(0, 50, *network);
  const std::string weights[] = {"l1.W", "l2.W", "l3.W", "l1.V", "l2.V",
                                 "l1.C", "l2.C", "l1.B", "l2.B"};
  const auto values = [&] {
    std::vector<std::vector<double>> all;
    for (const std::string& name : weights) all.push_back(Values(*network, name));
    return all;
  };
  Set(*network, "learning", 0.0);
  const auto before = values();
  Drive(50, 100, *network);
  EXPECT_EQ(values(), before);
  Set(*network, "learning", 1.0);
  Drive(100, 150, *network);
  for (size_t k = 0; k < before.size(); ++k) EXPECT_NE(values()[k], before[k]) << weights[k];
}

TEST(MicrocircuitTransposed, CopiesTheForwardWeightsOneStepLate) {
  auto network = MakeCircuit(Everything(FeedbackPath::kTranspose), 3);
  Drive(0, 30, *network);
  const std::vector<double> W = Values(*network, "l2.W");
  Drive(30, 31, *network);
  EXPECT_NE(Values(*network, "l2.W"), W);
  const std::vector<double> B = Values(*network, "l1.B"), C = Values(*network, "l1.C");
  for (size_t i = 0; i < 5; ++i) {
    for (size_t j = 0; j < 4; ++j) {
      EXPECT_EQ(B[i * 4 + j], W[j * 5 + i]);
      EXPECT_EQ(C[i * 4 + j], -W[j * 5 + i]);
    }
  }
}

TEST(MicrocircuitBound, HoldsTheWeights) {
  MicrocircuitSpec spec = Everything();
  spec.layers[3].forward.plasticity->bound = 0.9;
  auto network = MakeCircuit(spec, 3);
  Drive(0, 30, *network);
  for (const double W : Values(*network, "l3.W")) EXPECT_LE(std::abs(W), 0.9);
}

TEST(MicrocircuitLoss, IsThatOfTheProspectiveOutput) {
  auto network = MakeCircuit(Everything(), 3, DataType::kFloat64, 2);
  Drive(0, 45, *network);
  const std::vector<double> p = Values(*network, "l3.u_ahead"), t = Values(*network, "l3.target");
  double loss = 0;
  for (size_t i = 0; i < p.size(); ++i) loss += 0.25 * (t[i] - p[i]) * (t[i] - p[i]);
  EXPECT_NEAR(Value(*network, "loss"), loss, 1e-15);
  EXPECT_GT(loss, 0);
  // Whatever a target holds does not matter while it is absent.
  Set(*network, "l3.target", std::nan(""));
  Set(*network, "l3.teach", 0.0);
  network->Advance({45, kCircuitDt});
  EXPECT_EQ(Value(*network, "loss"), 0);
  EXPECT_TRUE(network->finite());
}

TEST(MicrocircuitReset, PutsBackOnlyWhatIsAskedFor) {
  auto network = MakeCircuit(Everything(), 3);
  const std::vector<double> W = Values(*network, "l2.W"), u = Values(*network, "l1.u");
  Drive(0, 50, *network);
  const std::vector<double> learned = Values(*network, "l2.W");
  network->Reset(3, {.state = true, .weights = false, .noise = false});
  EXPECT_EQ(Values(*network, "l2.W"), learned);
  EXPECT_EQ(Values(*network, "l1.u"), u);
  EXPECT_EQ(Values(*network, "l1.xi"), std::vector<double>(5, 0.0));
  Drive(0, 50, *network);
  const std::vector<double> moved = Values(*network, "l1.u");
  network->Reset(3, {.state = false, .weights = true, .noise = false});
  EXPECT_EQ(Values(*network, "l2.W"), W);
  EXPECT_EQ(Values(*network, "l1.u"), moved);
}

TEST(MicrocircuitDivergence, IsSeenAndForgotten) {
  auto network = MakeCircuit(Everything(), 3), twin = MakeCircuit(Everything(), 3);
  Drive(0, 50, *network);
  const std::string saved = SavedBytes(*network);
  RestoreBytes(saved, *twin);
  Set(*network, "l0.r", std::nan(""));
  network->Advance({50, kCircuitDt});
  network->Advance({51, kCircuitDt});
  EXPECT_FALSE(network->finite());
  EXPECT_GE(FindNonFinite(network->variables()), 0);
  RestoreBytes(saved, *network);
  network->AssumeFinite();
  Drive(50, 100, *network);
  Drive(50, 100, *twin);
  EXPECT_TRUE(network->finite());
  EXPECT_EQ(SavedBytes(*network), SavedBytes(*twin));
}

TEST(MicrocircuitVariables, HaveRoleShapeUnitAndDescription) {
  auto network = MakeCircuit(Everything(), 3, DataType::kFloat32, 2);
  const auto role = [&](const char* name) { return Get(*network, name).role; };
  EXPECT_EQ(role("l0.r"), Role::kInput);
  EXPECT_EQ(role("l3.target"), Role::kInput);
  EXPECT_EQ(role("l1.w"), Role::kInput);
  EXPECT_EQ(role("l1.u"), Role::kState);
  EXPECT_EQ(role("l1.basal"), Role::kState);
  EXPECT_EQ(role("l1.xi"), Role::kState);
  EXPECT_EQ(role("l1.u_ahead"), Role::kSignal);
  EXPECT_EQ(role("l2.tau_hp"), Role::kParameter);
  EXPECT_EQ(role("l1.sigma"), Role::kParameter);
  EXPECT_EQ(role("l1.C"), Role::kWeight);
  EXPECT_EQ(role("l1.B.eta"), Role::kParameter);
  EXPECT_EQ(role("l1.alignment_angle"), Role::kSignal);
  EXPECT_EQ(Get(*network, "l1.u").shape, (std::vector<int64_t>{2, 5}));
  EXPECT_EQ(Get(*network, "l1_inter.dendrite").shape, (std::vector<int64_t>{2, 4}));
  EXPECT_EQ(Get(*network, "l1.B").shape, (std::vector<int64_t>{5, 4}));
  EXPECT_EQ(Get(*network, "l1.V").shape, (std::vector<int64_t>{4, 5}));
  EXPECT_EQ(Get(*network, "l2.tau_hp").minimum, kCircuitDt);
  EXPECT_EQ(network->variables()[Get(*network, "l3.target").presence].name, "l3.teach");
  for (const Variable& variable : network->variables()) {
    EXPECT_FALSE(variable.unit.empty()) << variable.name;
    EXPECT_FALSE(variable.description.empty()) << variable.name;
    EXPECT_TRUE(variable.computed() || variable.data != nullptr) << variable.name;
  }
}

}  // namespace
}  // namespace prospero
