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

struct Kind {
  DataType precision;
  MicrocircuitSpec::Decay decay = MicrocircuitSpec::Decay::kPlain;
  MicrocircuitSpec::NoiseScale scale = MicrocircuitSpec::NoiseScale::kConstant;
  FeedbackPath feedback = FeedbackPath::kAligned;

  MicrocircuitSpec spec() const {
    MicrocircuitSpec spec = BusyCircuit(feedback);
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
  DriveBusy(0, 133, *first);
  auto second = GetParam().Make(4);
  // As a simulation does it: the noise is keyed first.
  second->Reset(3, {.state = false, .weights = false, .noise = true});
  RestoreBytes(SavedBytes(*first), *second);
  DriveBusy(133, 300, *first);
  DriveBusy(133, 300, *second);
  EXPECT_TRUE(first->finite());
  EXPECT_EQ(SavedBytes(*first), SavedBytes(*second));
}

TEST_P(MicrocircuitOfEachKind, GivesTheSameBitsWhoeverWatches) {
  auto alone = GetParam().Make(), watched = GetParam().Make();
  for (const Variable& variable : watched->variables()) {
    if (variable.watched != nullptr) *variable.watched = true;
  }
  for (int64_t n = 0; n < 100; ++n) {
    DriveBusy(n, n + 1, *alone);
    DriveBusy(n, n + 1, *watched);
    for (const Variable& variable : watched->variables()) Values(*watched, variable.name);
  }
  EXPECT_EQ(SavedBytes(*alone), SavedBytes(*watched));
}

TEST_P(MicrocircuitOfEachKind, ReturnsToItsStart) {
  auto network = GetParam().Make(3);
  const std::string start = SavedBytes(*network);
  DriveBusy(0, 100, *network);
  const std::string end = SavedBytes(*network);
  EXPECT_NE(end, start);
  network->Reset(3, {});
  EXPECT_EQ(SavedBytes(*network), start);
  DriveBusy(0, 100, *network);
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
    DriveBusy(0, 60, *both);
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
    auto narrow = MakeCircuit(BusyCircuit(feedback), 3, DataType::kFloat32, 3);
    auto wide = MakeCircuit(BusyCircuit(feedback), 3, DataType::kFloat64, 3);
    DriveBusy(0, 1000, *narrow);
    DriveBusy(0, 1000, *wide);
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
  MicrocircuitSpec spec = BusyCircuit();
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

TEST(MicrocircuitReset, PutsBackOnlyWhatIsAskedFor) {
  auto network = MakeCircuit(BusyCircuit(), 3);
  const std::vector<double> W = Values(*network, "l2.W"), u = Values(*network, "l1.u");
  DriveBusy(0, 50, *network);
  const std::vector<double> learned = Values(*network, "l2.W");
  network->Reset(3, {.state = true, .weights = false, .noise = false});
  EXPECT_EQ(Values(*network, "l2.W"), learned);
  EXPECT_EQ(Values(*network, "l1.u"), u);
  EXPECT_EQ(Values(*network, "l1.xi"), std::vector<double>(5, 0.0));
  DriveBusy(0, 50, *network);
  const std::vector<double> moved = Values(*network, "l1.u");
  network->Reset(3, {.state = false, .weights = true, .noise = false});
  EXPECT_EQ(Values(*network, "l2.W"), W);
  EXPECT_EQ(Values(*network, "l1.u"), moved);
}

TEST(MicrocircuitDivergence, IsSeenAndForgotten) {
  auto network = MakeCircuit(BusyCircuit(), 3), twin = MakeCircuit(BusyCircuit(), 3);
  DriveBusy(0, 50, *network);
  const std::string saved = SavedBytes(*network);
  RestoreBytes(saved, *twin);
  Set(*network, "l0.r", std::nan(""));
  network->Advance({50, kCircuitDt});
  network->Advance({51, kCircuitDt});
  EXPECT_FALSE(network->finite());
  EXPECT_GE(FindNonFinite(network->variables()), 0);
  RestoreBytes(saved, *network);
  network->AssumeFinite();
  DriveBusy(50, 100, *network);
  DriveBusy(50, 100, *twin);
  EXPECT_TRUE(network->finite());
  EXPECT_EQ(SavedBytes(*network), SavedBytes(*twin));
}

TEST(MicrocircuitVariables, HaveRoleShapeUnitAndDescription) {
  auto network = MakeCircuit(BusyCircuit(), 3, DataType::kFloat32, 2);
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
