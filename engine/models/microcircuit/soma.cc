#include "engine/models/microcircuit/soma.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/describe.h"
#include "engine/models/microcircuit/membrane.h"

namespace prospero::microcircuit {

template <class Real>
Soma<Real>::Soma(std::string name, int64_t size, int64_t batch, Activation phi, double chi_tau,
                 const absl::optional<Initializer>& first)
    : name_(std::move(name)),
      size_(size),
      batch_(batch),
      phi_(phi),
      chi_tau_(static_cast<Real>(chi_tau)),
      first_(first) {}

template <class Real>
void Soma<Real>::WantMemory(Arena& arena) {
  for (NeuronArray<Real>* array : {&u_, &u_dot_, &u_ahead_, &r_, &r_before_, &r_prime_}) {
    array->WantMemory(batch_, size_, arena);
  }
}

template <class Real>
void Soma<Real>::Register(VariableTable& variables) {
  const auto add = [&](absl::string_view symbol, Role role, NeuronArray<Real>& array,
                       absl::string_view unit, absl::string_view description) {
    variables.Add(Describe(absl::StrCat(name_, ".", symbol), role, {batch_, size_}, array.data(),
                           unit, description));
  };
  add("u", Role::kState, u_, "1", "potential of the soma");
  add("u_dot", Role::kState, u_dot_, "1/ms", "its derivative in the last step");
  add("r", Role::kState, r_, "1", "rate");
  add("u_ahead", Role::kSignal, u_ahead_, "1", "prospective potential of the last step");
}

template <class Real>
void Soma<Real>::ResetState(uint64_t seed) {
  u_.SetZero();
  if (first_.has_value()) {
    const FirstValues values(*first_, 1, seed, absl::StrCat(name_, ".u"));
    for (int64_t i = 0; i < size_; ++i) {
      const Real value = static_cast<Real>(values(i));
      for (int64_t b = 0; b < batch_; ++b) u_.data()[b * u_.stride() + i] = value;
    }
  }
  u_dot_.SetZero();
  u_ahead_.all() = u_.constant();
  ActivateAll();
  r_before_.SetZero();
}

template <class Real>
void Soma<Real>::ClearPadding() {
  for (NeuronArray<Real>* array : {&u_, &u_dot_, &u_ahead_, &r_, &r_before_, &r_prime_}) {
    array->ClearPadding();
  }
}

template <class Real>
void Soma<Real>::ActivateAll() {
  ActivateTrials(phi_, u_ahead_, r_, r_prime_);
}

template <class Real>
void Soma<Real>::Fire(Real dt) {
  r_before_.all() = r_.constant();
  LookAheadFromBefore<Real>(u_.constant(), u_dot_.constant(), chi_tau_, dt, u_ahead_.all());
  ActivateAll();
}

template <class Real>
void Soma<Real>::Move(Real dt) {
  u_.all() += dt * u_dot_.constant();
}

template <class Real>
bool Soma<Real>::finite() const {
  return IsFinite<Real>(u_.all());
}

template <class Real>
void ActivateTrials(Activation phi, const NeuronArray<Real>& z, NeuronArray<Real>& r,
                    NeuronArray<Real>& r_prime) {
  for (int64_t b = 0; b < z.batch(); ++b) {
    const int64_t at = b * z.stride();
    Activate(phi, z.data() + at, z.size(), z.stride(), r.data() + at, r_prime.data() + at);
  }
}

template class Soma<float>;
template class Soma<double>;
template void ActivateTrials(Activation, const NeuronArray<float>&, NeuronArray<float>&,
                             NeuronArray<float>&);
template void ActivateTrials(Activation, const NeuronArray<double>&, NeuronArray<double>&,
                             NeuronArray<double>&);

}  // namespace prospero::microcircuit
