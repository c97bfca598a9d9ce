// LagLine: a chain of two neurons finds the weights and the membrane time constants of a
// teacher from what the teacher does with a square wave, online. The four parameters can only
// be told apart by timing, so this works with prospective errors and with no other.

#include <gtest/gtest.h>

#include <array>
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

constexpr int64_t kBatch = 100;
constexpr int64_t kSteps = 100'000;
constexpr double kDt = 0.01;
constexpr std::array<double, 2> kTeacherTau = {1.0, 2.0};
constexpr std::array<double, 2> kTeacherW = {1.0, 2.0};

struct Start {
  std::vector<double> tau_m, W;
  std::vector<int64_t> shifts;  ///< [steps], of the input of each trial
};

Start ReadStart(int seed) {
  std::ifstream file(std::string(std::getenv("PROSPERO_GOLDEN")) + "/lag_setup.json");
  const auto start = nlohmann::json::parse(file)["lagline"][static_cast<size_t>(seed)];
  return {start["tau_m"], start["W"], start["shifts"]};
}

/// A square wave between -1 and 1, 200 steps each, in a recording of 405,000 steps whose periods
/// start at evenly spaced steps; smoothed by a Gaussian of 5 steps, cut off at 20.
std::vector<double> SmoothSquareWave() {
  constexpr int64_t kLength = 405'000, kPeriods = 1012, kLevel = 200, kTail = 20;
  std::vector<double> wave(kLength, 1.0);
  for (int64_t k = 0; k < kPeriods; ++k) {
    const int64_t start = kLength * k / kPeriods;
    for (int64_t n = start; n < start + kLevel && n < kLength; ++n)
      wave[static_cast<size_t>(n)] = -1;
  }
  std::array<double, 2 * kTail + 1> taps{};
  double sum = 0;
  for (int64_t k = -kTail; k <= kTail; ++k) {
    const double x = static_cast<double>(k) / 5.0;
    sum += taps[static_cast<size_t>(k + kTail)] = std::exp(-0.5 * x * x);
  }
  std::vector<double> smooth(kLength, 0.0);
  for (int64_t n = 0; n < kLength; ++n) {
    for (int64_t k = -kTail; k <= kTail; ++k) {
      const int64_t m = (n + k + kLength) % kLength;
      smooth[static_cast<size_t>(n)] +=
          taps[static_cast<size_t>(k + kTail)] / sum * wave[static_cast<size_t>(m)];
    }
  }
  return smooth;
}

/// 1-1-1 with softplus and no bias; `learns`: all four parameters, by Adam.
std::unique_ptr<Network> MakeLine(const std::array<double, 2>& tau_m,
                                  const std::array<double, 2>& W, bool learns, bool prospective) {
  Plasticity adam;
  adam.optimizer = Optimizer::kAdam;
  adam.learning_rate = 1e-4;
  GleSpec spec;
  for (size_t k = 0; k < 3; ++k) {
    GlePopulation population;
    population.name = std::string(1, "xhy"[k]);
    population.size = 1;
    population.role =
        std::array{PopulationRole::kInput, PopulationRole::kHidden, PopulationRole::kOutput}[k];
    if (k > 0) {
      population.activation = Activation::kSoftplus;
      population.tau_m = {tau_m[k - 1]};
      population.tau_r = {0.1};
      population.gamma = 1;
      population.prospective_errors = prospective;
      population.tau_min = 0.1;
      if (learns) population.tau_m_plasticity = adam;
      GleProjection projection;
      projection.name = k == 1 ? "first" : "second";
      projection.pre = spec.populations.back().name;
      projection.post = population.name;
      projection.initializer = Initializer{Initializer::Kind::kConstant, W[k - 1], 0, {}, {}};
      if (learns) projection.plasticity = adam;
      spec.projections.push_back(projection);
    }
    if (k == 2) population.beta = 0.01;
    spec.populations.push_back(population);
  }
  NetworkOptions options;
  options.dt = kDt;
  options.precision = DataType::kFloat64;
  options.batch_size = kBatch;
  auto network = MakeGle(spec, options, NetworkLimits());
  EXPECT_TRUE(network.ok()) << network.status();
  return *std::move(network);
}

struct Outcome {
  std::array<double, 4> parameters;  ///< tau_m and W, first and second
  double loss = 0;                   ///< mean of the last 5000 steps; the published one: no 1/2
};

Outcome Learn(int seed, bool prospective) {
  const Start start = ReadStart(seed);
  const std::vector<double> wave = SmoothSquareWave();
  auto teacher = MakeLine(kTeacherTau, kTeacherW, false, true);
  // For the first 2500 of 5000 steps without learning, the student has the teacher's tau_m.
  auto student = MakeLine(kTeacherTau, {start.W[0], start.W[1]}, true, prospective);
  Set(*student, "learning", 0.0);
  Set(*teacher, "learning", 0.0);
  Set(*student, "y.teach", 1.0);
  Outcome outcome{};
  std::vector<double> x(kBatch);
  for (int64_t n = 0; n < kSteps; ++n) {
    if (n == 2500) {
      Set(*student, "h.tau_m", start.tau_m[0]);
      Set(*student, "y.tau_m", start.tau_m[1]);
    }
    if (n == 5000) Set(*student, "learning", 1.0);
    const auto length = static_cast<int64_t>(wave.size());
    for (size_t k = 0; k < kBatch; ++k) {
      x[k] = wave[static_cast<size_t>((n - start.shifts[k] + length) % length)];
    }
    Set(*teacher, "x.r", x);
    Set(*student, "x.r", x);
    teacher->Advance({n, kDt});
    Set(*student, "y.target", Values(*teacher, "y.y"));
    student->Advance({n, kDt});
    if (n >= kSteps - 5000) outcome.loss += 2 * Value(*student, "loss") / 5000;
  }
  outcome.parameters = {Value(*student, "h.tau_m"), Value(*student, "y.tau_m"),
                        Value(*student, "first.W"), Value(*student, "second.W")};
  return outcome;
}

class LagLine : public testing::TestWithParam<int> {};

TEST_P(LagLine, FindsTheTeachersParameters) {
  const Outcome outcome = Learn(GetParam(), true);
  const std::array<double, 4> teacher = {kTeacherTau[0], kTeacherTau[1], kTeacherW[0],
                                         kTeacherW[1]};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(outcome.parameters[i] / teacher[i], 1.0, 2e-3) << i;
  }
  EXPECT_LT(outcome.loss, 1e-9);
}

INSTANTIATE_TEST_SUITE_P(Seed, LagLine, testing::Values(0, 1, 2));

TEST(LagLineControl, NeverFindsThemWithInstantaneousErrors) {
  const Outcome outcome = Learn(0, false);
  EXPECT_GT(outcome.loss, 1e-2);
  // Both time constants fall to their bound.
  EXPECT_NEAR(outcome.parameters[0], 0.1, 1e-3);
  EXPECT_NEAR(outcome.parameters[1], 0.1, 1e-3);
}

}  // namespace
}  // namespace prospero
