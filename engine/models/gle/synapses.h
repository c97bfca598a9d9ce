#pragma once

#include <cstdint>

#include "engine/core/arena.h"
#include "engine/core/learner.h"
#include "engine/core/padding.h"
#include "engine/core/statistics.h"
#include "engine/core/variable.h"
#include "engine/models/gle/gle.h"
#include "engine/models/gle/neurons.h"

namespace prospero {

/// One projection of a GLE network: its weights, their variables and its part of a step.
template <class Real>
class Synapses {
 public:
  /// Keeps references to all three.
  Synapses(const GleProjection& spec, const Neurons<Real>& pre, const Neurons<Real>& post,
           int64_t batch);

  void WantMemory(Arena& arena);
  void Register(VariableTable& variables);
  void ResetWeights(uint64_t seed);
  /// As Learner::ClearPadding.
  void ClearPadding();

  /// s_post ← s_post + W r_pre, e_bottom ← e_bottom + Wᵀ e_post, then W learns.
  void Transmit(bool learning);

 private:
  const GleProjection& spec_;
  const Neurons<Real>& pre_;
  const Neurons<Real>& post_;
  const int64_t batch_;
  const Layout layout_;  ///< of W
  Learner<Real> learner_;
  UpdateWatch watch_;
  Real* W_ = nullptr;
};

}  // namespace prospero
