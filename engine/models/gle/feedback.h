#pragma once

#include <cstdint>

#include "engine/core/arena.h"
#include "engine/core/variable.h"
#include "engine/core/weights.h"
#include "engine/models/gle/gle.h"
#include "engine/models/gle/neurons.h"

namespace prospero {

/// The way of the errors back along one projection of a GLE network through weights B of their
/// own: RANDOM, DIRECT or ALIGNED.
template <class Real>
class Feedback {
 public:
  /// Keeps references to all of them. `source`: whose errors travel; `post`, but for DIRECT.
  Feedback(const GleProjection& spec, const Neurons<Real>& pre, const Neurons<Real>& post,
           const Neurons<Real>& source, int64_t batch);

  void WantMemory(Arena& arena) { B_.WantMemory(arena); }
  /// `W`: the weights of the projection.
  void Register(const Variable& W, VariableTable& variables);
  void ResetWeights(uint64_t seed) { B_.Reset(seed); }
  /// As Learner::ClearPadding.
  void ClearPadding() { B_.ClearPadding(); }

  /// e_bottom ← e_bottom + B e_source, then B learns from ξ_pre and h_post.
  void Transmit(const Step& step, bool learning);

 private:
  const GleProjection& spec_;
  const Neurons<Real>& pre_;
  const Neurons<Real>& post_;
  const Neurons<Real>& source_;
  const int64_t batch_;
  Weights<Real> B_;  ///< lies as [source × pre]
};

}  // namespace prospero
