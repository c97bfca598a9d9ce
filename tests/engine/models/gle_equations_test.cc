// The network follows its equations, as tests/support/naive_gle.h writes them a second time.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/random.h"
#include "engine/models/gle/gle.h"
#include "tests/support/naive_gle.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

using naive::NaiveGle;
using naive::Population;
using naive::Vector;

GlePopulation Input(const std::string& name, int64_t size) {
  GlePopulation p;
  p.name = name;
  p.size = size;
  p.role = PopulationRole::kInput;
  return p;
}

GlePopulation Hidden(const std::string& name, int64_t size, Activation activation) {
  GlePopulation p;
  p.name = name;
  p.size = size;
  p.activation = activation;
  for (int64_t i = 0; i < size; ++i) {
    p.tau_m.push_back(0.5 + 0.1 * static_cast<double>(i % 7));
    p.tau_r.push_back(0.2 + 0.15 * static_cast<double>(i % 5));
  }
  return p;
}

Plasticity Learns(Optimizer optimizer, double eta, double decay = 0, double clip = 0) {
  Plasticity plasticity;
  plasticity.optimizer = optimizer;
  plasticity.learning_rate = eta;
  plasticity.momentum = 0.8;
  plasticity.weight_decay = decay;
  plasticity.clip = clip;
  return plasticity;
}

GleProjection From(const std::string& pre, const std::string& post,
                   absl::optional<Plasticity> plasticity = absl::nullopt,
                   const std::string& name = "") {
  GleProjection q;
  q.name = name;
  q.pre = pre;
  q.post = post;
  q.plasticity = plasticity;
  return q;
}

/// Two inputs, skips, a lateral and two recurrent projections, a pair joined twice, an output
/// that projects on, a constant projection, every activation and every optimizer.
GleSpec Tangle() {
  GleSpec spec;
  GlePopulation a = Hidden("a", 19, Activation::kTanh);
  a.gamma = 0.3;
  a.has_bias = true;
  a.bias_plasticity = Learns(Optimizer::kMomentum, 1e-3);
  a.tau_m_plasticity = Learns(Optimizer::kSgd, 1e-2);
  GlePopulation b = Hidden("b", 8, Activation::kSigmoid);
  b.prospective_errors = false;
  b.has_bias = true;
  b.tau_min = 0.3;
  GlePopulation c = Hidden("c", 5, Activation::kSoftplus);
  c.tau_m_plasticity = Learns(Optimizer::kAdam, 1e-3, 1e-3);
  GlePopulation d = Hidden("d", 3, Activation::kHardTanh);
  GlePopulation f = Hidden("f", 4, Activation::kHardSigmoid);
  GlePopulation g = Hidden("g", 4, Activation::kRelu);
  GlePopulation out = Hidden("out", 2, Activation::kTanh);
  out.role = PopulationRole::kOutput;
  out.beta = 0.7;
  GlePopulation classes = Hidden("classes", 3, Activation::kLinear);
  classes.role = PopulationRole::kOutput;
  classes.loss = Loss::kCrossEntropy;
  classes.has_bias = true;
  classes.bias_plasticity = Learns(Optimizer::kAdam, 1e-3);
  spec.populations = {Input("x", 6), a, b, c, Input("z", 17), d, f, g, out, classes};
  spec.projections = {
      From("x", "a", Learns(Optimizer::kSgd, 1e-2)),
      From("z", "a", Learns(Optimizer::kSgd, 1e-2, 1e-2, 0.01)),
      From("z", "b", Learns(Optimizer::kMomentum, 1e-3)),
      From("a", "b", Learns(Optimizer::kAdam, 1e-3)),
      From("a", "b", Learns(Optimizer::kSgd, 1e-2), "a_to_b_again"),
      From("a", "a", Learns(Optimizer::kSgd, 1e-2, 1e-3)),
      From("b", "a", Learns(Optimizer::kMomentum, 1e-3, 1e-2, 0.02)),
      From("b", "c", Learns(Optimizer::kAdam, 1e-3, 1e-2, 0.01)),
      From("c", "d"),
      From("c", "f", Learns(Optimizer::kSgd, 1e-2)),
      From("d", "g", Learns(Optimizer::kSgd, 1e-2)),
      From("f", "out", Learns(Optimizer::kSgd, 1e-2)),
      From("g", "out", Learns(Optimizer::kSgd, 1e-2)),
      From("x", "out", Learns(Optimizer::kSgd, 1e-2)),
      From("out", "classes", Learns(Optimizer::kSgd, 1e-2)),
      From("out", "d", Learns(Optimizer::kSgd, 1e-2)),
      From("a", "classes", Learns(Optimizer::kSgd, 1e-2)),
  };
  return spec;
}

void ExpectSame(const Network& network, const std::string& name, const Vector& expected) {
  const Vector ours = Values(network, name);
  ASSERT_EQ(ours.size(), expected.size()) << name;
  for (size_t i = 0; i < ours.size(); ++i) {
    ASSERT_NEAR(ours[i], expected[i], 1e-12 * std::max(1.0, std::abs(expected[i])))
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
    if (population.role != PopulationRole::kOutput) continue;
    ExpectSame(network, population.name + ".y", p.y);
    ExpectSame(network, population.name + ".loss", Vector{p.loss});
  }
  for (size_t k = 0; k < spec.projections.size(); ++k) {
    ExpectSame(network, NameOf(spec.projections[k]) + ".W", naive.projections()[k].W.w);
  }
}

/// Inputs and targets of step n: noise that changes every 10 steps.
void Write(const GleSpec& spec, int64_t n, bool teach, const Network& network, NaiveGle& naive) {
  for (const GlePopulation& population : spec.populations) {
    if (population.role == PopulationRole::kHidden) continue;
    const bool is_input = population.role == PopulationRole::kInput;
    auto& values = is_input ? naive[population.name].r : naive[population.name].target;
    const RandomStream noise(static_cast<uint64_t>(n / 10), population.name);
    Vector flat;
    int64_t index = 0;
    for (Vector& trial : values) {
      for (double& value : trial) value = noise.Uniform(index++) - (is_input ? 0.5 : 0.0);
      if (population.loss == Loss::kCrossEntropy) {
        double sum = 0;
        for (const double value : trial) sum += value;
        for (double& value : trial) value /= sum;
      }
      flat.insert(flat.end(), trial.begin(), trial.end());
    }
    Set(network, population.name + (is_input ? ".r" : ".target"), flat);
    if (!is_input) Set(network, population.name + ".teach", teach ? 1.0 : 0.0);
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
    const bool teach = n % 100 >= 20;
    Write(spec, n, teach, **network, naive);
    (*network)->Advance({n, options.dt});
    naive.Step(options.dt, teach);
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
  NaiveGle naive(spec, options.batch_size, **network);
  for (int64_t n = 0; n < 20; ++n) {
    Write(spec, n, true, **network, naive);
    (*network)->Advance({n, options.dt});
  }
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
