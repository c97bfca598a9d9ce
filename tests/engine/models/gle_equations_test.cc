// The network follows its equations, as tests/support/naive_gle.h writes them a second time.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/models/gle/gle.h"
#include "tests/support/naive_gle.h"
#include "tests/support/tangle.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

using naive::NaiveGle;
using naive::Population;
using naive::Vector;

void ExpectSame(const Network& network, const std::string& name, const Vector& expected) {
  const Vector ours = Values(network, name);
  ASSERT_EQ(ours.size(), expected.size()) << name;
  for (size_t i = 0; i < ours.size(); ++i) {
    ASSERT_NEAR(ours[i], expected[i], 1e-11 * std::max(1.0, std::abs(expected[i])))
        << name << "[" << i << "]";
  }
}

void ExpectSame(const Network& network, const std::string& name,
                const std::vector<Vector>& expected) {
  Vector flat;
  for (const Vector& trial : expected) flat.insert(flat.end(), trial.begin(), trial.end());
  ExpectSame(network, name, flat);
}

void ExpectSame(const Network& network, NaiveGle& naive, const GleSpec& spec) {
  for (const GlePopulation& population : spec.populations) {
    if (population.role == PopulationRole::kInput) continue;
    const Population& p = naive[population.name];
    const std::map<std::string, const std::vector<Vector>*> arrays = {{".u", &p.u},
                                                                      {".v", &p.v},
                                                                      {".r", &p.r},
                                                                      {".e", &p.e},
                                                                      {".r_prime", &p.r_prime},
                                                                      {".e_bottom", &p.e_bottom},
                                                                      {".inst_e", &p.inst_e},
                                                                      {".u_ahead", &p.u_ahead}};
    for (const auto& [symbol, values] : arrays) {
      ExpectSame(network, population.name + symbol, *values);
    }
    ExpectSame(network, population.name + ".tau_m", p.tau_m.w);
    ExpectSame(network, population.name + ".tau_r", p.tau_r);
    if (population.has_bias) ExpectSame(network, population.name + ".b", p.b.w);
    if (population.noise.has_value()) ExpectSame(network, population.name + ".xi", p.xi);
    if (p.tau_hp > 0) ExpectSame(network, population.name + ".h", p.h);
    if (population.role != PopulationRole::kOutput) continue;
    ExpectSame(network, population.name + ".y", p.y);
    ExpectSame(network, population.name + ".loss", Vector{p.loss});
  }
  for (size_t k = 0; k < spec.projections.size(); ++k) {
    const std::string name = NameOf(spec.projections[k]);
    ExpectSame(network, name + ".W", naive.projections()[k].W.w);
    if (spec.projections[k].feedback.path == FeedbackPath::kTranspose) continue;
    ExpectSame(network, name + ".B", naive.projections()[k].B.w);
  }
}

/// One array of a population in the order of the naive network.
std::vector<Vector> Trials(const Network& network, const std::string& name, int64_t batch) {
  const Vector flat = Values(network, name);
  const auto size = static_cast<std::ptrdiff_t>(flat.size()) / batch;
  std::vector<Vector> trials;
  for (auto begin = flat.begin(); begin != flat.end(); begin += size) {
    trials.emplace_back(begin, begin + size);
  }
  return trials;
}

/// Gives the naive network the inputs and targets that the other one has.
void CopyInputs(const GleSpec& spec, int64_t batch, const Network& network, NaiveGle& naive) {
  for (const GlePopulation& population : spec.populations) {
    Population& p = naive[population.name];
    if (population.role == PopulationRole::kInput) {
      p.r = Trials(network, population.name + ".r", batch);
    } else if (population.role == PopulationRole::kOutput) {
      p.target = Trials(network, population.name + ".target", batch);
    }
  }
}

/// Gives the naive network the white noise that the other one drew in its last step.
void CopyNoise(const GleSpec& spec, int64_t batch, const Network& network, NaiveGle& naive) {
  for (const GlePopulation& population : spec.populations) {
    if (!population.noise.has_value()) continue;
    naive[population.name].w = Trials(network, population.name + ".w", batch);
  }
}

class GleEquations : public testing::TestWithParam<int64_t> {};

TEST_P(GleEquations, HoldOnAnyGraphWithAnyOptimizer) {
  const GleSpec spec = Tangle();
  NetworkOptions options;
  options.dt = 0.05;
  options.precision = DataType::kFloat64;
  options.batch_size = GetParam();
  options.seed = 7;
  auto network = MakeGle(spec, options, NetworkLimits());
  ASSERT_TRUE(network.ok()) << network.status();
  NaiveGle naive(spec, options.batch_size, **network);
  for (int64_t n = 0; n < 300; ++n) {
    WriteTangle(n, **network);
    CopyInputs(spec, options.batch_size, **network, naive);
    (*network)->Advance({n, options.dt});
    CopyNoise(spec, options.batch_size, **network, naive);
    naive.Step(options.dt, Value(**network, "out.teach") == 1);
    ASSERT_NO_FATAL_FAILURE(ExpectSame(**network, naive, spec)) << "at step " << n;
  }
  EXPECT_NEAR(Value(**network, "loss"), naive["out"].loss + naive["classes"].loss, 1e-12);
  EXPECT_GT(Value(**network, "loss"), 0);
}

INSTANTIATE_TEST_SUITE_P(Batches, GleEquations, testing::Values(1, 2, 3, 4, 5, 11),
                         [](const auto& test) { return absl::StrCat("Of", test.param); });

TEST(GleEnergy, IsHalfTheSumOfSquaredErrors) {
  const GleSpec spec = Tangle();
  NetworkOptions options;
  options.dt = 0.05;
  options.precision = DataType::kFloat64;
  options.batch_size = 2;
  auto network = MakeGle(spec, options, NetworkLimits());
  ASSERT_TRUE(network.ok());
  RunTangle(0, 40, options.dt, **network);
  double squares = 0;
  for (const GlePopulation& population : spec.populations) {
    if (population.role == PopulationRole::kInput) continue;
    for (const double e : Values(**network, population.name + ".e")) squares += e * e;
  }
  EXPECT_GT(squares, 0);
  EXPECT_NEAR(Value(**network, "energy"), 0.5 * squares / 2, 1e-12 * squares);
}

}  // namespace
}  // namespace prospero
