// What the synapses of a microcircuit learn from, and when; what it predicts of itself.

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/models/microcircuit/microcircuit.h"
#include "tests/support/circuit.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

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
  auto network = MakeCircuit(BusyCircuit(), 3);
  const auto xi = [&] { return Values(*network, "l1.xi"); };
  for (const char* gate : {"learning", "l1.B.plastic"}) {
    Set(*network, gate, 0.0);
    const std::vector<double> before = xi();
    DriveBusy(0, 10, *network);
    EXPECT_EQ(xi(), before) << gate;
    Set(*network, gate, 1.0);
    DriveBusy(10, 20, *network);
    EXPECT_NE(xi(), before) << gate;
  }
  // The control without learning: the rate is 0, and the noise goes on.
  Set(*network, "l1.B.eta", 0.0);
  const std::vector<double> before = xi(), B = Values(*network, "l1.B");
  DriveBusy(20, 30, *network);
  EXPECT_NE(xi(), before);
  EXPECT_EQ(Values(*network, "l1.B"), B);
}

/// |u|, |p| and |a| of the step, as tests/golden has them only in the noise that was recorded.
TEST(MicrocircuitNoise, IsProportionalToWhatItIsAskedToBe) {
  using NoiseScale = MicrocircuitSpec::NoiseScale;
  for (const NoiseScale scale :
       {NoiseScale::kPotential, NoiseScale::kProspective, NoiseScale::kApical}) {
    MicrocircuitSpec spec = BusyCircuit();
    for (size_t l : {1, 2}) {
      spec.layers[l].noise = NoiseSpec();
      spec.layers[l].noise->kind = NoiseSpec::Kind::kHeldWhite;
      spec.layers[l].noise->sigma = 0.5;
    }
    auto constant = MakeCircuit(spec, 3);
    spec.noise_scale = scale;
    auto network = MakeCircuit(spec, 3);
    DriveBusy(0, 30, *constant);
    DriveBusy(0, 30, *network);
    const std::vector<double> u = Values(*network, "l2.u");
    DriveBusy(30, 31, *constant);
    DriveBusy(30, 31, *network);
    const std::vector<double> w = Values(*constant, "l2.xi"), xi = Values(*network, "l2.xi");
    const std::vector<double> by = scale == NoiseScale::kPotential ? u
                                   : scale == NoiseScale::kProspective
                                       ? Values(*network, "l2.u_ahead")
                                       : Values(*network, "l2.apical");
    for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(xi[i], w[i] * std::abs(by[i]), 1e-15);
  }
}

TEST(MicrocircuitLearning, StopsAndStartsAtAWord) {
  auto network = MakeCircuit(BusyCircuit(), 3);
  DriveBusy(0, 50, *network);
  const std::string weights[] = {"l1.W", "l2.W", "l3.W", "l1.V", "l2.V",
                                 "l1.C", "l2.C", "l1.B", "l2.B"};
  const auto values = [&] {
    std::vector<std::vector<double>> all;
    for (const std::string& name : weights) all.push_back(Values(*network, name));
    return all;
  };
  Set(*network, "learning", 0.0);
  const auto before = values();
  DriveBusy(50, 100, *network);
  EXPECT_EQ(values(), before);
  Set(*network, "learning", 1.0);
  DriveBusy(100, 150, *network);
  for (size_t k = 0; k < before.size(); ++k) EXPECT_NE(values()[k], before[k]) << weights[k];
}

TEST(MicrocircuitTransposed, CopiesTheForwardWeightsOneStepLate) {
  auto network = MakeCircuit(BusyCircuit(FeedbackPath::kTranspose), 3);
  DriveBusy(0, 30, *network);
  const std::vector<double> W = Values(*network, "l2.W");
  DriveBusy(30, 31, *network);
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
  MicrocircuitSpec spec = BusyCircuit();
  spec.layers[3].forward.plasticity->bound = 0.9;
  auto network = MakeCircuit(spec, 3);
  DriveBusy(0, 30, *network);
  for (const double W : Values(*network, "l3.W")) EXPECT_LE(std::abs(W), 0.9);
}

TEST(MicrocircuitLoss, IsThatOfTheProspectiveOutput) {
  auto network = MakeCircuit(BusyCircuit(), 3, DataType::kFloat64, 2);
  DriveBusy(0, 45, *network);
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

}  // namespace
}  // namespace prospero
