#pragma once

#include <cstdint>
#include <string>

#include "absl/types/optional.h"
#include "engine/core/arena.h"
#include "engine/core/padding.h"
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
/// | A.bound                     | parameter | as in Plasticity                            |
/// | A.momentum                  | parameter | kMomentum                                   |
/// | A.beta1, A.beta2, A.epsilon | parameter | kAdam                                       |
/// | A.mix                       | parameter | kLowPass                                    |
/// | A.m                         | weight    | all but kSgd: the mean of the gradient      |
/// | A.v2                        | weight    | kAdam: the mean of its square               |
/// | A.beta1_power, A.beta2_power| weight    | kAdam: βᵗ after t updates, always FLOAT64   |
template <class Real>
class Learner {
 public:
  /// None: the array is constant.
  explicit Learner(const absl::optional<Plasticity>& plasticity) : plasticity_(plasticity) {}

  bool exists() const { return plasticity_.has_value(); }

  /// `layout`: of the array.
  void WantMemory(const Layout& layout, Arena& arena);
  /// Adds the variables of `array` ("hidden.b"), whose parameters start as given.
  void Register(const Variable& array, VariableTable& variables);
  /// As if nothing had been learned.
  void Forget();
  /// To be called when numbers that are not finite may have spread into the padding.
  void ClearPadding();

  /// The update for this step; counts it. kFixed when the array is not plastic.
  Update<Real> Next(bool learning);

 private:
  bool has_m() const { return exists() && plasticity_->optimizer != Optimizer::kSgd; }
  bool is_adam() const { return exists() && plasticity_->optimizer == Optimizer::kAdam; }

  int64_t count() const { return SaturatingMul(layout_.padded_rows, layout_.stride); }

  absl::optional<Plasticity> plasticity_;
  Layout layout_;
  Real* eta_ = nullptr;
  Real* plastic_ = nullptr;
  Real* weight_decay_ = nullptr;
  Real* clip_ = nullptr;
  Real* bound_ = nullptr;
  Real* mix_ = nullptr;
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
