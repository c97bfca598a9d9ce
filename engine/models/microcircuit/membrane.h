#pragma once

#include "engine/core/kernels.h"
#include "engine/models/microcircuit/microcircuit.h"

namespace prospero::microcircuit {

/// What follows from the conductances: time constants [ms], and the potential that one input alone
/// would hold a soma at, as a part of that input's own potential.
struct Membrane {
  explicit Membrane(const MicrocircuitConductances& g);

  MicrocircuitConductances g;
  double tau_hidden;       ///< 1/(g_l + g_b + g_a)
  double tau_output;       ///< 1/(g_l + g_b + g_t)
  double tau_interneuron;  ///< 1/(g_l + g_d + g_i)
  double basal_hidden;     ///< g_b τ
  double basal_output;     ///< g_b/(g_l + g_b): of an output without a target
  double apical;           ///< g_a τ
  double dendrite;         ///< g_d/(g_l + g_d)
  double interneuron;      ///< g_i τ_I
};

/// ŭ of the potential that u̇ has just led to u, by a step of dt:
///
///   ŭ = u_before + χ τ u̇ = u + (χ τ − dt) u̇
template <class Real>
void LookAheadFromBefore(ConstRow<Real> u, ConstRow<Real> u_dot, Real chi_tau, Real dt,
                         Row<Real> u_ahead) {
  u_ahead = u + (chi_tau - dt) * u_dot;
}

/// A soma that two dendrites, or a dendrite and a teacher, pull on:
///
///   u̇ = g x + g′ x′ − u/τ
template <class Real>
void Pull(Real g, ConstRow<Real> x, Real g_other, ConstRow<Real> x_other, Real tau,
          ConstRow<Real> u, Row<Real> u_dot) {
  u_dot = g * x + g_other * x_other - u / tau;
}

/// A soma that its dendrite alone holds at λ x:
///
///   τ u̇ = λ x − u
template <class Real>
void Relax(Real lambda, ConstRow<Real> x, Real tau, ConstRow<Real> u, Row<Real> u_dot) {
  u_dot = (lambda * x - u) / tau;
}

}  // namespace prospero::microcircuit
