#pragma once

#include <cstdint>
#include <string>

#include "absl/types/optional.h"
#include "engine/core/arena.h"
#include "engine/core/plasticity.h"
#include "engine/core/update.h"
#include "engine/core/variable.h"

namespace prospero {

/// How one array of parameters learns: what can be changed while it does, and the memory of
/// its optimizer. Both are variables of the network:
///
/// | variable                    | role      | what                                        |
/// |-----------------------------|-----------|---------------------------------------------|
/// | A.eta                       | parameter | learning rate, per step                     |
/// | A.plastic                   | parameter | 1 or 0                                      |
/// | A.weight_decay, A.clip      | parameter | as in Plasticity                            |
/// | A.momentum                  | parameter | kMomentum                                   |
/// | A.beta1, A.beta2, A.epsilon | parameter | kAdam                                       |
/// | A.m                         | weight    | kMomentum, kAdam: the mean of the gradient  |
/// | A.v2                        | weight    | kAdam: the mean of its square               |
/// | A.beta1_power, A.beta2_power| weight    | kAdam: βᵗ after t updates, always FLOAT64   |
template <class Real>
class Learner {
 public:
  /// None: the array is constant.
  explicit Learner(const absl::optional<Plasticity>& plasticity) : plasticity_(plasticity) {}

  bool exists() const { return plasticity_.has_value(); }

  /// `count`: values of the array, with padding.
  void WantMemory(int64_t count, Arena& arena);
  /// Adds the variables of `array` ("hidden.b"), whose parameters start as given.
  void Register(const Variable& array, VariableTable& variables);
  /// As if nothing had been learned.
  void Forget();

  /// The update for this step; counts it. kFixed when the array is not plastic.
  Update<Real> Next(bool learning);

 private:
  bool has_m() const { return exists() && plasticity_->optimizer != Optimizer::kSgd; }
  bool is_adam() const { return exists() && plasticity_->optimizer == Optimizer::kAdam; }

  absl::optional<Plasticity> plasticity_;
  int64_t count_ = 0;
  Real* eta_ = nullptr;
  Real* plastic_ = nullptr;
  Real* weight_decay_ = nullptr;
  Real* clip_ = nullptr;
  Real* momentum_ = nullptr;
  Real* beta1_ = nullptr;
  Real* beta2_ = nullptr;
  Real* epsilon_ = nullptr;
  Real* m_ = nullptr;
  Real* v2_ = nullptr;
  /// In single precision 1 − β₂ᵗ would lose half its digits.
  double* beta1_power_ = nullptr;
  double* beta2_power_ = nullptr;
};

}  // namespace prospero
