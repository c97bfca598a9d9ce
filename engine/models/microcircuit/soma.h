#pragma once

#include <cstdint>
#include <string>

#include "absl/types/optional.h"
#include "engine/core/activation.h"
#include "engine/core/arena.h"
#include "engine/core/initializer.h"
#include "engine/core/variable.h"
#include "engine/models/microcircuit/neuron_array.h"

namespace prospero::microcircuit {

/// Rates as the synapses read them: of this step, and of the step before.
template <class Real>
struct Rates {
  const Real* r;
  const Real* r_before;
};

/// The somata of a population: potential, prospective potential and rate. Their input is the matter
/// of those who own them.
template <class Real>
class Soma {
 public:
  /// `chi_tau`: prospectivity times the membrane time constant [ms]. Keeps a reference to `first`,
  /// the first potentials.
  Soma(std::string name, int64_t size, int64_t batch, Activation phi, double chi_tau,
       const absl::optional<Initializer>& first);

  void WantMemory(Arena& arena);
  void Register(VariableTable& variables);
  void ResetState(uint64_t seed);
  /// As Learner::ClearPadding.
  void ClearPadding();

  /// p, r and φ′ of this step.
  void Fire(Real dt);
  /// u ← u + dt u̇
  void Move(Real dt);
  bool finite() const;

  Rates<Real> rates() const { return {r_.data(), r_before_.data()}; }
  const NeuronArray<Real>& u() const { return u_; }
  const NeuronArray<Real>& u_ahead() const { return u_ahead_; }
  const NeuronArray<Real>& r() const { return r_; }
  const NeuronArray<Real>& r_before() const { return r_before_; }
  const NeuronArray<Real>& r_prime() const { return r_prime_; }
  NeuronArray<Real>& u_dot() { return u_dot_; }

  const std::string& name() const { return name_; }
  Activation phi() const { return phi_; }
  int64_t size() const { return size_; }
  int64_t batch() const { return batch_; }

 private:
  void ActivateAll();

  const std::string name_;
  const int64_t size_;
  const int64_t batch_;
  const Activation phi_;
  const Real chi_tau_;  ///< [ms]
  const absl::optional<Initializer>& first_;
  NeuronArray<Real> u_, u_dot_, u_ahead_, r_, r_before_, r_prime_;
};

/// φ of every neuron, and φ′; z may be `r`.
template <class Real>
void ActivateTrials(Activation phi, const NeuronArray<Real>& z, NeuronArray<Real>& r,
                    NeuronArray<Real>& r_prime);

}  // namespace prospero::microcircuit
