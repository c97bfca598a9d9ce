#pragma once

#include <Eigen/Core>
#include <cstdint>

namespace prospero {

/// One trial of a population, or one value for each of its neurons: a row with its padding,
/// aligned to 64 bytes, in memory that the caller owns.
template <class Real>
using Row = Eigen::Map<Eigen::Array<Real, Eigen::Dynamic, 1>, Eigen::Aligned64>;
template <class Real>
using ConstRow = Eigen::Map<const Eigen::Array<Real, Eigen::Dynamic, 1>, Eigen::Aligned64>;

/// A leaky integrator that is driven by s:
///
///   τ ẋ = s − x
template <class Real>
void Leak(ConstRow<Real> s, ConstRow<Real> tau, ConstRow<Real> x, Row<Real> x_dot) {
  x_dot = (s - x) / tau;
}

/// The look-ahead of x, and its next value by forward Euler, from the same derivative:
///
///   x̆ = x + τ′ ẋ,    x ← x + dt ẋ
///
/// x̆ is taken at the start of the step. A soma leaks with τ_m and looks ahead with τ_r; an
/// error neuron has them the other way round.
template <class Real>
void LookAhead(ConstRow<Real> x_dot, ConstRow<Real> tau_ahead, Real dt, Row<Real> x,
               Row<Real> x_ahead) {
  x_ahead = x + tau_ahead * x_dot;
  x += dt * x_dot;
}

/// The error that reaches a neuron counts as much as its rate can move:
///
///   e_inst = φ′ e_top
template <class Real>
void Gate(ConstRow<Real> r_prime, Row<Real> e) {
  e *= r_prime;
}

/// The error reaches the soma:
///
///   s ← s + γ e
template <class Real>
void Drive(Real gamma, ConstRow<Real> e, Row<Real> s) {
  s += gamma * e;
}

/// One trial's part of a mean over B trials: the descent gradient of a bias,
///
///   g ← g − e / B
template <class Real>
void AddBiasGradient(ConstRow<Real> e, Real one_over_batch, Row<Real> g) {
  g -= one_over_batch * e;
}

/// One trial's part of the descent gradient of a membrane time constant:
///
///   g ← g + e u̇ / B
template <class Real>
void AddTauGradient(ConstRow<Real> e, ConstRow<Real> u_dot, Real one_over_batch, Row<Real> g) {
  g += one_over_batch * (e * u_dot);
}

/// Keeps time constants above a bound.
template <class Real>
void KeepAbove(Real bound, Row<Real> tau) {
  tau = tau.max(bound);
}

/// A high-pass of x, which has moved from x_before, by forward Euler:
///
///   ḣ = ẋ − h / τ
template <class Real>
void HighPass(ConstRow<Real> x, ConstRow<Real> x_before, Real dt_over_tau, Row<Real> h) {
  h += (x - x_before) - dt_over_tau * h;
}

/// A low-pass of x by forward Euler:
///
///   τ ẏ = x − y
template <class Real>
void LowPass(ConstRow<Real> x, Real dt_over_tau, Row<Real> y) {
  y += dt_over_tau * (x - y);
}

/// True if no value is infinite or not a number: only those are not 0 when multiplied by 0.
template <class Real>
bool IsFinite(ConstRow<Real> x) {
  return (x * Real{0}).sum() == Real{0};
}

}  // namespace prospero
