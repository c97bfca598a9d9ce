#pragma once

#include <cstdint>
#include <string>

#include "engine/core/arena.h"
#include "engine/core/variable.h"
#include "engine/models/microcircuit/neuron_array.h"

namespace prospero::microcircuit {

/// What the prospective potentials of the output should be.
template <class Real>
class Teacher {
 public:
  Teacher(std::string layer, int64_t size, int64_t batch);

  void WantMemory(Arena& arena);
  void Register(VariableTable& variables);
  void ResetState();
  /// As Learner::ClearPadding.
  void ClearPadding() { target_.ClearPadding(); }

  /// Whether there is a target in this step.
  bool teaches() const { return *teach_ != Real{0}; }
  const NeuronArray<Real>& target() const { return target_; }
  /// 1/2 Σ (target − p)², mean over the batch; 0 without a target.
  Real Loss(const NeuronArray<Real>& p) const;

 private:
  const std::string layer_;
  const int64_t size_;
  const int64_t batch_;
  NeuronArray<Real> target_;
  Real* teach_ = nullptr;
};

}  // namespace prospero::microcircuit
