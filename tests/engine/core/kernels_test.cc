#include "engine/core/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <limits>
#include <numbers>

#include "engine/core/float_mode.h"

namespace prospero {
namespace {

using Complex = std::complex<double>;

/// One neuron and its padding.
struct alignas(64) Cell {
  double values[8] = {};
  operator ConstRow<double>() const { return {values, 8}; }
  operator Row<double>() { return {values, 8}; }
  double& operator*() { return values[0]; }
};

Cell Constant(double value) {
  Cell cell;
  for (double& x : cell.values) x = value;
  return cell;
}

TEST(LookAhead, UndoesTheLagOfALeakyIntegrator) {
  const Cell tau = Constant(10.0);  // [ms]
  Cell u, u_dot, u_ahead, s;
  for (int n = 0; n < 1000; ++n) {
    *s = std::sin(0.01 * n);
    Leak<double>(s, tau, u, u_dot);
    LookAhead<double>(u_dot, tau, /*dt=*/0.1, u, u_ahead);
    EXPECT_NEAR(*u_ahead, *s, 1e-12);
  }
}

/// The ratio of output to input at `omega`, once transients have died out: a leak with tau and
/// a look-ahead with tau_ahead.
Complex Measured(double tau, double tau_ahead, double omega, double dt) {
  const Cell leak = Constant(tau), ahead = Constant(tau_ahead);
  Cell x, x_dot, x_ahead, s;
  const auto period = static_cast<int64_t>(std::llround(2 * std::numbers::pi / (omega * dt)));
  const double w = 2 * std::numbers::pi / static_cast<double>(period);  // per step
  const auto transient = static_cast<int64_t>(40 * tau / dt) / period * period + period;
  Complex in = 0, out = 0;
  for (int64_t n = 0; n < transient + period; ++n) {
    const double phase = w * static_cast<double>(n % period);
    *s = std::sin(phase);
    Leak<double>(s, leak, x, x_dot);
    LookAhead<double>(x_dot, ahead, dt, x, x_ahead);
    if (n < transient) continue;
    in += *s * std::polar(1.0, -phase);
    out += *x_ahead * std::polar(1.0, -phase);
  }
  return out / in;
}

/// The transfer function of the discrete step, with z = exp(i w): (τ′ (z − 1) + dt) / (τ (z − 1) +
/// dt).
Complex Discrete(double tau, double tau_ahead, double omega, double dt) {
  const double period = std::round(2 * std::numbers::pi / (omega * dt));
  const Complex z = std::polar(1.0, 2 * std::numbers::pi / period);
  return (tau_ahead * (z - 1.0) + dt) / (tau * (z - 1.0) + dt);
}

TEST(LookAhead, HasTheTransferFunctionOfTheStep) {
  for (const double omega : {0.1, 1.0, 5.0}) {
    for (const auto& [tau, tau_ahead] :
         {std::pair{1.0, 0.1}, {0.1, 1.0}, {0.5, 0.5}, {2.0, 0.01}}) {
      const Complex off =
          Measured(tau, tau_ahead, omega, 0.01) - Discrete(tau, tau_ahead, omega, 0.01);
      EXPECT_LT(std::abs(off), 1e-10) << omega << " " << tau << " " << tau_ahead;
    }
  }
}

TEST(LookAhead, OfASomaAndItsErrorNeuronAreReciprocal) {
  const Complex soma = Measured(1.0, 0.1, 1.0, 0.01), error = Measured(0.1, 1.0, 1.0, 0.01);
  EXPECT_LT(std::abs(soma * error - 1.0), 1e-10);
  // Of the published step at exactly omega = 1; a whole number of steps makes it 1.0005.
  EXPECT_NEAR(std::abs(error), 1.4044, 5e-4);
  EXPECT_NEAR(std::arg(error), 0.6882, 5e-4);
}

TEST(LookAhead, OfOneStepGivesTheIntegratedPotential) {
  const Cell tau = Constant(1.0), ahead = Constant(0.1);
  Cell u = Constant(0.3), u_dot, u_ahead;
  const Cell s = Constant(2.0);
  Leak<double>(s, tau, u, u_dot);
  LookAhead<double>(u_dot, ahead, /*dt=*/0.1, u, u_ahead);
  EXPECT_EQ(*u_ahead, *u);
}

TEST(Gate, LetsErrorsThroughWhereTheRateCanMove) {
  Cell e = Constant(2.0);
  Gate<double>(Constant(0.25), e);
  EXPECT_EQ(*e, 0.5);
}

TEST(Drive, AddsTheErrorToTheInput) {
  Cell s = Constant(1.0);
  Drive<double>(0.5, Constant(3.0), s);
  EXPECT_EQ(*s, 2.5);
}

/// The gain of a filter for a sine of `omega` [1/ms], from the last of many periods.
template <class Filter>
double Gain(double omega, Filter filter) {
  constexpr double kDt = 0.001;  // [ms]
  Cell x = Constant(0.0), before = Constant(0.0), y = Constant(0.0);
  const auto steps = static_cast<int>(20 * 2 * std::numbers::pi / omega / kDt);
  double greatest = 0;
  for (int n = 1; n <= steps; ++n) {
    before = x;
    x = Constant(std::sin(omega * n * kDt));
    filter(x, before, kDt, y);
    if (n > steps * 9 / 10) greatest = std::max(greatest, std::abs(*y));
  }
  return greatest;
}

TEST(HighPass, LetsPassWhatIsFast) {
  // ωτ / √(1 + ω²τ²)
  for (const double omega : {0.1, 1.0, 10.0}) {
    const double gain = Gain(omega, [](const Cell& x, const Cell& before, double dt, Cell& h) {
      HighPass<double>(x, before, dt / 2.0, h);
    });
    EXPECT_NEAR(gain, 2 * omega / std::sqrt(1 + 4 * omega * omega), 0.01) << omega;
  }
}

TEST(LowPass, LetsPassWhatIsSlow) {
  // 1 / √(1 + ω²τ²)
  for (const double omega : {0.1, 1.0, 10.0}) {
    const double gain = Gain(omega, [](const Cell& x, const Cell&, double dt, Cell& y) {
      LowPass<double>(x, dt / 2.0, y);
    });
    EXPECT_NEAR(gain, 1 / std::sqrt(1 + 4 * omega * omega), 0.01) << omega;
  }
}

TEST(IsFinite, SeesOneBadValue) {
  const double inf = std::numeric_limits<double>::infinity();
  for (const double bad : {inf, -inf, std::nan("")}) {
    for (int i = 0; i < 8; ++i) {
      Cell cell = Constant(1e300);
      EXPECT_TRUE(IsFinite<double>(cell));
      cell.values[i] = bad;
      EXPECT_FALSE(IsFinite<double>(cell));
    }
  }
}

TEST(FloatMode, FlushesDenormalsWhileItLives) {
  volatile double tiny = std::numeric_limits<double>::min();
  {
    const FloatMode mode;
    EXPECT_EQ(tiny * 0.5, 0.0);
  }
  EXPECT_GT(tiny * 0.5, 0.0);
}

}  // namespace
}  // namespace prospero
