// The plasticity of GLE is gradient descent where the theory says so.

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

#include "engine/models/gle/gle.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

using Complex = std::complex<double>;

GlePopulation Neurons(const std::string& name, int64_t size, PopulationRole role, double tau_m,
                      double tau_r) {
  GlePopulation population;
  population.name = name;
  population.size = size;
  population.role = role;
  if (role == PopulationRole::kInput) return population;
  population.activation = Activation::kTanh;
  population.tau_m = {tau_m};
  population.tau_r = {tau_r};
  return population;
}

GleProjection Join(const std::string& pre, const std::string& post, double gain = 1) {
  GleProjection projection;
  projection.pre = pre;
  projection.post = post;
  projection.initializer = Initializer{Initializer::Kind::kFanIn, gain, 0, {}, {}};
  projection.plasticity = Plasticity();
  projection.plasticity->learning_rate = 1;
  return projection;
}

std::unique_ptr<Network> Make(const GleSpec& spec, double dt) {
  NetworkOptions options;
  options.dt = dt;
  options.precision = DataType::kFloat64;
  options.seed = 5;
  auto network = MakeGle(spec, options, NetworkLimits());
  EXPECT_TRUE(network.ok()) << network.status();
  Set(**network, "learning", 0.0);
  return *std::move(network);
}

/// Two hidden layers with a skip, and recurrent synapses in the first.
GleSpec Recurrent() {
  GleSpec spec;
  spec.populations = {Neurons("x", 2, PopulationRole::kInput, 0, 0),
                      Neurons("a", 4, PopulationRole::kHidden, 1, 1),
                      Neurons("b", 3, PopulationRole::kHidden, 0.5, 0.5),
                      Neurons("y", 2, PopulationRole::kOutput, 2, 2)};
  spec.projections = {Join("x", "a", 2), Join("a", "a"), Join("a", "b", 2), Join("b", "y", 2),
                      Join("x", "y")};
  return spec;
}

double LossAtRest(Network& network) {
  for (int64_t n = 0; n < 2000; ++n) network.Advance({n, 0.1});
  return Value(network, "loss");
}

TEST(GleGradient, IsThatOfTheLossWhenTheNetworkIsAtRest) {
  auto network = Make(Recurrent(), 0.1);
  Set(*network, "x.r", {0.8, -0.5});
  Set(*network, "y.target", {0.3, -0.6});
  Set(*network, "y.teach", 1.0);
  EXPECT_GT(LossAtRest(*network), 0.05);
  for (const std::string name : {"x_to_a.W", "a_to_a.W", "a_to_b.W", "b_to_y.W", "x_to_y.W"}) {
    const std::vector<double> W = Values(*network, name);
    LossAtRest(*network);
    Set(*network, "learning", 1.0);
    for (const char* other : {"x_to_a.W", "a_to_a.W", "a_to_b.W", "b_to_y.W", "x_to_y.W"}) {
      Set(*network, std::string(other) + ".plastic", other == name ? 1.0 : 0.0);
    }
    network->Advance({0, 0.1});
    Set(*network, "learning", 0.0);
    const std::vector<double> moved = Values(*network, name);
    for (size_t i = 0; i < W.size(); ++i) {
      constexpr double kNudge = 1e-4;
      std::vector<double> nudged = W;
      nudged[i] = W[i] + kNudge;
      Set(*network, name, nudged);
      const double above = LossAtRest(*network);
      nudged[i] = W[i] - kNudge;
      Set(*network, name, nudged);
      const double below = LossAtRest(*network);
      EXPECT_NEAR(moved[i] - W[i], -(above - below) / (2 * kNudge), 1e-7) << name << i;
    }
    Set(*network, name, W);
  }
}

/// 1-1-1 of linear neurons, tau_m and tau_r of the hidden and of the output neuron.
GleSpec Line(double tau_m, double tau_r, bool prospective) {
  GleSpec spec;
  spec.populations = {Neurons("x", 1, PopulationRole::kInput, 0, 0),
                      Neurons("h", 1, PopulationRole::kHidden, tau_m, tau_r),
                      Neurons("y", 1, PopulationRole::kOutput, tau_m, tau_r)};
  for (size_t k : {1, 2}) {
    spec.populations[k].activation = Activation::kLinear;
    spec.populations[k].prospective_errors = prospective;
  }
  spec.projections = {Join("x", "h"), Join("h", "y")};
  for (GleProjection& projection : spec.projections) {
    projection.initializer = Initializer{Initializer::Kind::kConstant, 0.8, 0, {}, {}};
  }
  return spec;
}

/// Amplitude and phase of the errors of both neurons and of the output's inst_e, which is
/// driven by a sinusoid of `period` steps.
struct Errors {
  Complex inst_y, y, h;
};

Errors ErrorsOfASinusoid(double tau_m, double tau_r, int64_t period, double dt) {
  auto network = Make(Line(tau_m, tau_r, true), dt);
  Set(*network, "y.teach", 1.0);
  const auto transient = static_cast<int64_t>(60 * tau_m / dt) / period * period + period;
  Errors errors{};
  for (int64_t n = 0; n < transient + period; ++n) {
    const double phase =
        2 * std::numbers::pi * static_cast<double>(n % period) / static_cast<double>(period);
    Set(*network, "x.r", std::sin(phase));
    Set(*network, "y.target", std::cos(2 * phase + 1) + 2 * std::sin(phase + 0.3));
    network->Advance({n, dt});
    if (n < transient) continue;
    errors.inst_y += Value(*network, "y.inst_e") * std::polar(1.0, -phase);
    errors.y += Value(*network, "y.e") * std::polar(1.0, -phase);
    errors.h += Value(*network, "h.e") * std::polar(1.0, -phase);
  }
  return errors;
}

TEST(GleErrors, HaveThePhaseOfTheAdjointAndItsReciprocalGain) {
  constexpr double kDt = 0.001, kW = 0.8;
  for (const auto& [tau_m, tau_r] : {std::pair{1.0, 0.1}, {1.0, 0.5}, {0.3, 1.0}}) {
    for (const int64_t period : {4000, 20'000, 100'000}) {
      const Errors errors = ErrorsOfASinusoid(tau_m, tau_r, period, kDt);
      const Complex iw(0, 2 * std::numbers::pi / (static_cast<double>(period) * kDt));
      // lambda = I+ { D- { phi' W^T lambda_above } }: 1 / (1 - i w tau_m) (1 - i w tau_r)
      const Complex neuron = (1.0 - iw * tau_r) / (1.0 - iw * tau_m);
      const Complex lambda_y = neuron * errors.inst_y;
      const Complex lambda_h = neuron * kW * lambda_y;
      EXPECT_NEAR(std::arg(errors.y / lambda_y), 0, 3e-3) << tau_m << " " << tau_r;
      EXPECT_NEAR(std::arg(errors.h / lambda_h), 0, 6e-3) << tau_m << " " << tau_r;
      const double gain = 1 / std::norm(neuron);  // |GLE| / |adjoint| of one neuron
      EXPECT_NEAR(std::abs(errors.y / lambda_y) / gain, 1, 3e-3);
      EXPECT_NEAR(std::abs(errors.h / lambda_h) / (gain * gain), 1, 6e-3);
    }
  }
}

/// What the input weights would gain in one period of slow signals by plasticity, W held fixed.
double PlasticGain(bool prospective, int64_t period, double dt) {
  auto network = Make(Line(1.0, 0.1, prospective), dt);
  Set(*network, "y.teach", 1.0);
  double gain = 0;
  for (int64_t n = 0; n < 3 * period; ++n) {
    const double phase =
        2 * std::numbers::pi * static_cast<double>(n) / static_cast<double>(period);
    const double x = std::sin(phase);
    Set(*network, "x.r", x);
    Set(*network, "y.target", std::sin(phase - 1.2));
    network->Advance({n, dt});
    if (n >= 2 * period) gain += Value(*network, "h.e") * x * dt;
  }
  return gain;
}

/// Minus the slope of the loss of the same period, by differences: what backpropagation through
/// time computes.
double TrueGain(int64_t period, double dt) {
  constexpr double kNudge = 1e-5;
  double loss[2] = {};
  for (int side = 0; side < 2; ++side) {
    auto network = Make(Line(1.0, 0.1, true), dt);
    Set(*network, "x_to_h.W", 0.8 + (side == 0 ? kNudge : -kNudge));
    Set(*network, "y.teach", 1.0);
    for (int64_t n = 0; n < 3 * period; ++n) {
      const double phase =
          2 * std::numbers::pi * static_cast<double>(n) / static_cast<double>(period);
      Set(*network, "x.r", std::sin(phase));
      Set(*network, "y.target", std::sin(phase - 1.2));
      network->Advance({n, dt});
      if (n >= 2 * period) loss[side] += Value(*network, "loss") * dt;
    }
  }
  return -(loss[0] - loss[1]) / (2 * kNudge);
}

TEST(GleGradient, IsThatOfBackpropagationThroughTimeForSlowSignals) {
  constexpr double kDt = 0.002;
  const auto error = [](bool prospective, int64_t period) {
    return PlasticGain(prospective, period, kDt) / TrueGain(period, kDt) - 1;
  };
  // Only gains differ from the adjoint's, by (omega tau)^2.
  const double at_16 = error(true, 20'000), at_08 = error(true, 40'000);  // omega tau_m
  EXPECT_NEAR(at_16, 0, 0.1);
  EXPECT_NEAR(at_08, 0, 0.02);
  EXPECT_LT(at_08, at_16 / 3);
  // Errors that are not prospective are late, too, by omega tau; with these signals that
  // changes most of the gradient.
  EXPECT_GT(std::abs(error(false, 40'000)), 0.5);
}

TEST(LatentEquilibrium, IsTauRLikeTauM) {
  GleSpec spec = Recurrent();
  for (GlePopulation& population : spec.populations) {
    if (population.role == PopulationRole::kInput) continue;
    population.tau_r.clear();
    population.gamma = 0.2;
  }
  auto network = Make(spec, 0.1);
  Set(*network, "y.teach", 1.0);
  for (int64_t n = 0; n < 200; ++n) {
    Set(*network, "x.r", {std::sin(0.3 * static_cast<double>(n)), 0.5});
    Set(*network, "y.target", {0.3, std::cos(0.2 * static_cast<double>(n))});
    const std::vector<double> r_x = Values(*network, "x.r"), r_b = Values(*network, "b.r");
    network->Advance({n, 0.1});
    for (const std::string name : {"a", "b", "y"}) {
      const std::vector<double> e = Values(*network, name + ".e");
      const std::vector<double> inst_e = Values(*network, name + ".inst_e");
      for (size_t i = 0; i < e.size(); ++i) EXPECT_NEAR(e[i], inst_e[i], 1e-14);
    }
    // Rates follow their inputs without lag: u_ahead = W r + gamma e.
    const std::vector<double> u_ahead = Values(*network, "y.u_ahead"), e = Values(*network, "y.e");
    const std::vector<double> W = Values(*network, "b_to_y.W"), V = Values(*network, "x_to_y.W");
    for (size_t i = 0; i < 2; ++i) {
      double s = 0;
      for (size_t j = 0; j < 3; ++j) s += W[i * 3 + j] * r_b[j];
      for (size_t j = 0; j < 2; ++j) s += V[i * 2 + j] * r_x[j];
      EXPECT_NEAR(u_ahead[i], s + 0.2 * e[i], 1e-12);
    }
  }
}

}  // namespace
}  // namespace prospero
