#include "engine/models/latent_equilibrium/latent_equilibrium.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/support/layered.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

using Spec = LatentEquilibriumSpec;

TEST(LatentEquilibrium, LearnsAMapping) {
  Spec spec;
  spec.input_shape = {2};
  spec.layers = {DenseLayer("a", 12, Activation::kTanh, 0.1),
                 DenseLayer("out", 1, Activation::kLinear, 0.1)};
  spec.gamma = 1.0;
  const auto network = Make(spec, LayeredOptions(DataType::kFloat32, /*batch_size=*/4));
  Set(*network, "input.r", {0, 0, 0, 1, 1, 0, 1, 1});
  Set(*network, "out.target", {0, 1, 1, 0});  // exclusive or
  Set(*network, "out.teach", 1.0);
  network->Advance({0, 0.1});
  for (int64_t n = 1; n < 10; ++n) network->Advance({n, 0.1});
  const double before = Value(*network, "loss");
  for (int64_t n = 10; n < 20'000; ++n) network->Advance({n, 0.1});
  EXPECT_GT(before, 0.05);
  EXPECT_LT(Value(*network, "loss"), 1e-4);
}

TEST(LatentEquilibrium, IsSilentAtFirstInLayeredOrderAndNotInDynamicsOrder) {
  Spec spec;
  spec.input_shape = {2};
  spec.layers = {DenseLayer("a", 2, Activation::kSigmoid),
                 DenseLayer("out", 1, Activation::kSigmoid)};
  const auto layered = Make(spec);
  EXPECT_EQ(Values(*layered, "a.r"), (std::vector<double>{0, 0}));
  EXPECT_EQ(Values(*layered, "a.r_prime"), (std::vector<double>{0, 0}));
  spec.order = Spec::Order::kDynamics;
  const auto dynamics = Make(spec);
  EXPECT_EQ(Values(*dynamics, "a.r"), (std::vector<double>{0.5, 0.5}));
  EXPECT_EQ(Values(*dynamics, "a.r_prime"), (std::vector<double>{0.25, 0.25}));
}

TEST(LatentEquilibrium, TakesALayerPerStepHoweverSlowItsMembranes) {
  Spec spec;
  spec.input_shape = {1};
  const std::vector<std::string> names = {"a", "b", "c", "out"};
  for (const std::string& name : names) {
    LatentEquilibriumLayer layer = DenseLayer(name, 1, Activation::kLinear);
    layer.initializer = GivenValues({1, 1}, {2.0});
    layer.bias.reset();
    layer.tau = {1000.0};
    spec.layers.push_back(layer);
  }
  const auto network = Make(spec);
  Set(*network, "input.r", 1.0);
  for (size_t l = 0; l < names.size(); ++l) {
    EXPECT_EQ(Value(*network, names[l] + ".r"), 0.0);
    network->Advance({static_cast<int64_t>(l), 0.1});
    EXPECT_NEAR(Value(*network, names[l] + ".r"), std::pow(2.0, l + 1), 1e-9);
  }
}

TEST(LatentEquilibrium, HasALossOfWhatTheErrorSees) {
  Spec spec;
  spec.input_shape = {1};
  LatentEquilibriumLayer out = DenseLayer("out", 2, Activation::kTanh);
  out.initializer = GivenValues({2, 1}, {1.0, -1.0});
  out.bias.reset();
  spec.layers = {out};
  for (const bool potential : {false, true}) {
    spec.target_error = potential ? Spec::TargetError::kPotential : Spec::TargetError::kRate;
    const auto network = Make(spec, LayeredOptions(DataType::kFloat64, 2));
    Set(*network, "input.r", {0.5, 2.0});
    Set(*network, "out.target", {1, 2, 3, 4});
    network->Advance({0, 0.1});
    EXPECT_EQ(Value(*network, "loss"), 0.0);
    Set(*network, "out.teach", 1.0);
    network->Advance({1, 0.1});
    const auto said = [&](double u) { return potential ? u : std::tanh(u); };
    const auto square = [](double x) { return x * x; };
    const double sum = square(1 - said(0.5)) + square(2 - said(-0.5)) + square(3 - said(2.0)) +
                       square(4 - said(-2.0));
    EXPECT_NEAR(Value(*network, "loss"), sum / 4, 1e-12);
  }
}

class LatentEquilibriumInBothPrecisions : public testing::TestWithParam<DataType> {};

TEST_P(LatentEquilibriumInBothPrecisions, GoesOnBitForBitFromItsSavedVariables) {
  for (const Spec& spec : {Menagerie(), Dynamics()}) {
    const auto first = Make(spec, LayeredOptions(GetParam(), 3));
    RunLayers(0, 47, *first);
    const auto second = Make(spec, LayeredOptions(GetParam(), 3));
    RestoreBytes(SavedBytes(*first), *second);
    RunLayers(47, 90, *first);
    RunLayers(47, 90, *second);
    EXPECT_TRUE(first->finite());
    EXPECT_EQ(SavedBytes(*first), SavedBytes(*second));
  }
}

TEST_P(LatentEquilibriumInBothPrecisions, GivesTheSameBitsWhoeverWatches) {
  const auto alone = Make(Menagerie(), LayeredOptions(GetParam(), 3));
  const auto watched = Make(Menagerie(), LayeredOptions(GetParam(), 3));
  for (const Variable& variable : watched->variables()) {
    if (variable.watched != nullptr) *variable.watched = true;
  }
  for (int64_t n = 0; n < 30; ++n) {
    RunLayers(n, n + 1, *alone);
    RunLayers(n, n + 1, *watched);
    for (const Variable& variable : watched->variables()) {
      if (!variable.name.ends_with("spectral_norm")) Values(*watched, variable.name);
    }
  }
  EXPECT_EQ(SavedBytes(*alone), SavedBytes(*watched));
}

TEST_P(LatentEquilibriumInBothPrecisions, ReturnsToItsStart) {
  for (const Spec& spec : {Menagerie(), Dynamics()}) {
    const auto network = Make(spec, LayeredOptions(GetParam(), 3));
    const std::string start = SavedBytes(*network);
    RunLayers(0, 40, *network);
    const std::string end = SavedBytes(*network);
    EXPECT_NE(end, start);
    network->Reset(11, {});
    EXPECT_EQ(SavedBytes(*network), start);
    RunLayers(0, 40, *network);
    EXPECT_EQ(SavedBytes(*network), end);
    network->Reset(12, {});
    EXPECT_NE(SavedBytes(*network), start);
  }
}

INSTANTIATE_TEST_SUITE_P(Float, LatentEquilibriumInBothPrecisions,
                         testing::Values(DataType::kFloat32, DataType::kFloat64));

TEST(LatentEquilibriumPrecision, FollowsDoubleInSingle) {
  for (const Spec& spec : {Menagerie(), Dynamics()}) {
    const auto narrow = Make(spec, LayeredOptions(DataType::kFloat32, 3));
    const auto wide = Make(spec, LayeredOptions(DataType::kFloat64, 3));
    RunLayers(0, 100, *narrow);
    RunLayers(0, 100, *wide);
    for (const char* name : {"a.u", "a.W", "a.e", "out.r", "out.W", "out.B", "out.h"}) {
      const std::vector<double> ours = Values(*narrow, name), reference = Values(*wide, name);
      for (size_t i = 0; i < ours.size(); ++i) {
        ASSERT_NEAR(ours[i], reference[i], 1e-3 * std::max(1.0, std::abs(reference[i])))
            << name << "[" << i << "]";
      }
    }
  }
}

TEST(LatentEquilibriumReset, PutsBackOnlyWhatIsAskedFor) {
  const auto network = Make(Menagerie());
  const std::vector<double> W = Values(*network, "c.W"), tau = Values(*network, "a.tau");
  const std::vector<double> B = Values(*network, "out.B");
  RunLayers(0, 30, *network);
  const std::vector<double> learned = Values(*network, "c.W"), u = Values(*network, "a.u");
  EXPECT_NE(learned, W);
  EXPECT_NE(Values(*network, "out.B"), B);
  network->Reset(11, {.state = false, .weights = true, .noise = false});
  EXPECT_EQ(Values(*network, "c.W"), W);
  EXPECT_EQ(Values(*network, "out.B"), B);
  EXPECT_EQ(Values(*network, "a.tau"), tau);
  EXPECT_EQ(Values(*network, "a.u"), u);
  network->Reset(12, {.state = false, .weights = true, .noise = false});
  EXPECT_NE(Values(*network, "a.tau"), tau);
  network->Reset(11, {.state = true, .weights = false, .noise = false});
  EXPECT_NE(Values(*network, "c.W"), W);
  EXPECT_EQ(Values(*network, "a.u"), std::vector<double>(u.size(), 0.0));
}

TEST(LatentEquilibriumReset, KeysTheNoiseAnewIfAsked) {
  const auto network = Make(Menagerie());
  const auto noise_of_a_step = [&](uint64_t seed, bool noise) {
    network->Reset(seed, {.state = true, .weights = true, .noise = noise});
    network->Reset(11, {.state = false, .weights = true, .noise = false});
    RunLayers(0, 2, *network);
    std::vector<double> values = Values(*network, "a.xi");
    const std::vector<double> r = Values(*network, "e.r");
    values.insert(values.end(), r.begin(), r.end());
    return values;
  };
  const std::vector<double> first = noise_of_a_step(11, true);
  EXPECT_EQ(noise_of_a_step(12, false), first);
  EXPECT_NE(noise_of_a_step(12, true), first);
  EXPECT_EQ(noise_of_a_step(11, true), first);
}

TEST(LatentEquilibriumLearning, StopsWhenItIsSwitchedOff) {
  const auto network = Make(Menagerie());
  RunLayers(0, 10, *network);
  Set(*network, "learning", 0.0);
  std::vector<std::vector<double>> before;
  const std::vector<std::string> names = {"a.W", "a.b", "c.W", "e.B", "e.tau_m", "out.W", "a.W.v2"};
  for (const std::string& name : names) before.push_back(Values(*network, name));
  RunLayers(10, 40, *network);
  for (size_t i = 0; i < names.size(); ++i) EXPECT_EQ(Values(*network, names[i]), before[i]);
  Set(*network, "learning", 1.0);
  RunLayers(40, 50, *network);
  for (size_t i = 0; i < names.size(); ++i) EXPECT_NE(Values(*network, names[i]), before[i]);
}

TEST(LatentEquilibriumDivergence, IsForgottenWhenSavedVariablesAreRestored) {
  for (const Spec& spec : {Menagerie(), Dynamics()}) {
    const auto network = Make(spec), twin = Make(spec);
    RunLayers(0, 30, *network);
    const std::string saved = SavedBytes(*network);
    RestoreBytes(saved, *twin);
    Set(*network, "input.r", std::nan(""));
    network->Advance({30, 0.1});
    EXPECT_FALSE(network->finite());
    network->Advance({31, 0.1});
    network->Advance({32, 0.1});
    RestoreBytes(saved, *network);
    network->AssumeFinite();
    RunLayers(30, 60, *network);
    RunLayers(30, 60, *twin);
    EXPECT_TRUE(network->finite());
    EXPECT_EQ(SavedBytes(*network), SavedBytes(*twin));
  }
}

TEST(LatentEquilibriumVariables, HaveTheRolesOfWhatMovesThem) {
  const auto network = Make(Menagerie());
  const auto role = [&](const char* name) { return Get(*network, name).role; };
  for (const char* name : {"input.r", "out.target", "out.teach", "out.beta", "a.w", "b.w"}) {
    EXPECT_EQ(role(name), Role::kInput) << name;
  }
  for (const char* name : {"a.u", "a.r", "a.r_prime", "a.e", "a.u_ahead", "a.xi", "b.xi", "b.r",
                           "b.e", "d.xi_total", "e.h", "started", "out.target_low"}) {
    EXPECT_EQ(role(name), Role::kState) << name;
  }
  for (const char* name : {"a.W", "a.b", "c.B", "out.B", "a.tau", "a.tau_m", "e.tau_m"}) {
    EXPECT_EQ(role(name), Role::kWeight) << name;
  }
  for (const char* name : {"learning", "out.b", "e.tau", "c.tau_m", "e.rate_noise", "e.tau_hp",
                           "a.sigma", "a.tau_xi", "a.W.eta", "e.B.weight_decay"}) {
    EXPECT_EQ(role(name), Role::kParameter) << name;
  }
  for (const char* name : {"loss", "c.alignment_angle", "out.alignment_scale", "a.W.mean"}) {
    EXPECT_EQ(role(name), Role::kSignal) << name;
  }
  for (const char* name : {"a.B", "a.h", "a.alignment_angle", "b.u", "b.W", "a.e_bottom"}) {
    EXPECT_LT(network->variables().Find(name), 0) << name;
  }
  const auto dynamics = Make(Dynamics());
  EXPECT_EQ(Get(*dynamics, "a.e_bottom").role, Role::kState);
  EXPECT_LT(dynamics->variables().Find("out.e_bottom"), 0);
}

TEST(LatentEquilibriumVariables, HaveTheShapeOfTheirLayer) {
  const auto network = Make(Menagerie(), LayeredOptions(DataType::kFloat64, 3));
  const auto shape = [&](const char* name) { return Get(*network, name).shape; };
  using Shape = std::vector<int64_t>;
  EXPECT_EQ(shape("input.r"), (Shape{3, 2, 9, 9}));
  EXPECT_EQ(shape("a.u"), (Shape{3, 3, 9, 9}));
  EXPECT_EQ(shape("a.xi"), (Shape{3, 3, 9, 9}));
  EXPECT_EQ(shape("a.tau"), (Shape{3, 9, 9}));
  EXPECT_EQ(shape("a.W"), (Shape{3, 18}));
  EXPECT_EQ(shape("a.b"), (Shape{3}));
  EXPECT_EQ(shape("b.r"), (Shape{3, 3, 4, 4}));
  EXPECT_EQ(shape("c.r"), (Shape{3, 4, 3, 3}));
  EXPECT_EQ(shape("c.B"), (Shape{12, 4}));
  EXPECT_EQ(shape("d.xi_total"), (Shape{3, 4, 1, 1}));
  EXPECT_EQ(shape("e.W"), (Shape{19, 4}));
  EXPECT_EQ(shape("e.B"), (Shape{4, 19}));
  EXPECT_EQ(shape("out.target"), (Shape{3, 3}));
  EXPECT_TRUE(shape("loss").empty());
  for (const Variable& variable : network->variables()) {
    EXPECT_FALSE(variable.unit.empty()) << variable.name;
    EXPECT_FALSE(variable.description.empty()) << variable.name;
    EXPECT_EQ(variable.shape.size(), variable.strides.size()) << variable.name;
  }
}

TEST(LatentEquilibriumVariables, SayWhatMayBeWritten) {
  const auto network = Make(Menagerie());
  EXPECT_EQ(Get(*network, "a.tau").minimum, 0.0);
  EXPECT_EQ(Get(*network, "e.tau_m").minimum, 0.1);
  EXPECT_EQ(Get(*network, "e.tau_hp").minimum, 0.1);
  EXPECT_EQ(Get(*network, "e.rate_noise").minimum, 0.0);
  EXPECT_EQ(Get(*network, "out.beta").minimum, 0.0);
  EXPECT_EQ(Get(*network, "out.teach").maximum, 1.0);
  const int presence = Get(*network, "out.target").presence;
  ASSERT_GE(presence, 0);
  EXPECT_EQ(network->variables()[presence].name, "out.teach");
}

}  // namespace
}  // namespace prospero
