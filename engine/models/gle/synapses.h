#pragma once

#include <cstdint>

#include "absl/types/optional.h"
#include "engine/core/arena.h"
#include "engine/core/variable.h"
#include "engine/core/weights.h"
#include "engine/models/gle/feedback.h"
#include "engine/models/gle/gle.h"
#include "engine/models/gle/neurons.h"

namespace prospero {

/// One projection of a GLE network: its weights, their variables and its part of a step.
template <class Real>
class Synapses {
 public:
  /// Keeps references to all of them. `source`: whose errors travel back to `pre`.
  Synapses(const GleProjection& spec, const Neurons<Real>& pre, const Neurons<Real>& post,
           const Neurons<Real>& source, int64_t batch);

  void WantMemory(Arena& arena);
  void Register(VariableTable& variables);
  void ResetWeights(uint64_t seed);
  /// As Learner::ClearPadding.
  void ClearPadding();

  /// s_post ← s_post + W r_pre, e_bottom ← e_bottom + Wᵀ e_post or what the feedback makes of
  /// it, then W and the feedback learn.
  void Transmit(const Step& step, bool learning);

 private:
  const Neurons<Real>& pre_;
  const Neurons<Real>& post_;
  const int64_t batch_;
  Weights<Real> W_;
  absl::optional<Feedback<Real>> feedback_;  ///< none: TRANSPOSE
};

}  // namespace prospero
