// LagNet: a network with a fast and a slow path finds the first weights of a teacher of the
// same shape: which of its two paths has to lag, and how much of each.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/models/gle/gle.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

constexpr double kDt = 0.01;

Initializer Values2(std::vector<int64_t> shape, std::vector<double> values) {
  return {Initializer::Kind::kValues, 0, 0, std::move(shape), std::move(values)};
}

GlePopulation Lag(const std::string& name, bool prospective) {
  GlePopulation population;
  population.name = name;
  population.size = 2;
  population.activation = Activation::kTanh;
  population.tau_m = {1.0};
  population.tau_r = {1.0, 0.1};
  population.gamma = 1e-3;
  population.prospective_errors = prospective;
  return population;
}

GleProjection Join(const std::string& pre, const std::string& post, Initializer first) {
  GleProjection projection;
  projection.pre = pre;
  projection.post = post;
  projection.initializer = std::move(first);
  return projection;
}

std::unique_ptr<Network> MakeLagNet(const std::vector<double>& W, bool prospective) {
  GleSpec spec;
  GlePopulation x;
  x.name = "x";
  x.size = 1;
  x.role = PopulationRole::kInput;
  GlePopulation y;
  y.name = "y";
  y.size = 1;
  y.role = PopulationRole::kOutput;
  y.tau_m = {1.0};
  y.prospective_errors = prospective;
  spec.populations = {x, Lag("first", prospective), Lag("second", prospective), y};
  spec.projections = {Join("x", "first", Values2({2, 1}, W)),
                      Join("first", "second", Values2({2, 2}, {0.5, 0, 0, 1})),
                      Join("second", "y", Values2({1, 2}, {0.5, 1}))};
  Plasticity momentum;
  momentum.optimizer = Optimizer::kMomentum;
  momentum.momentum = 0.9;
  momentum.learning_rate = 2e-4;
  spec.projections[0].plasticity = momentum;
  NetworkOptions options;
  options.dt = kDt;
  options.precision = DataType::kFloat64;
  auto network = MakeGle(spec, options, NetworkLimits());
  EXPECT_TRUE(network.ok()) << network.status();
  return *std::move(network);
}

std::vector<double> LearnedWeights(bool prospective) {
  std::ifstream file(std::string(std::getenv("PROSPERO_GOLDEN")) + "/lag_setup.json");
  const std::vector<double> first = nlohmann::json::parse(file)["lagnet"]["W"];
  auto teacher = MakeLagNet({-0.5, 1.0}, prospective);
  auto student = MakeLagNet(first, prospective);
  Set(*teacher, "learning", 0.0);
  Set(*student, "learning", 0.0);
  Set(*student, "y.teach", 1.0);
  for (int64_t n = 0; n < 90'000; ++n) {
    if (n == 8001) Set(*student, "learning", 1.0);
    const double t = static_cast<double>(n) * kDt;
    const double x = std::sin(0.49 * t) + std::sin(1.07 * t) + std::sin(1.98 * t);
    Set(*teacher, "x.r", x);
    Set(*student, "x.r", x);
    teacher->Advance({n, kDt});
    Set(*student, "y.target", Values(*teacher, "y.y"));
    student->Advance({n, kDt});
  }
  return Values(*student, "x_to_first.W");
}

TEST(LagNet, FindsTheTeachersWeights) {
  const std::vector<double> W = LearnedWeights(true);
  EXPECT_NEAR(W[0], -0.5, 0.005);
  EXPECT_NEAR(W[1], 1.0, 0.005);
}

TEST(LagNet, DoesNotFindThemWithInstantaneousErrors) {
  const std::vector<double> W = LearnedWeights(false);
  EXPECT_GT(std::hypot(W[0] + 0.5, W[1] - 1.0), 1.0);
}

}  // namespace
}  // namespace prospero
