#pragma once

#include "engine/core/arena.h"
#include "engine/core/variable.h"
#include "engine/models/latent_equilibrium/activity.h"
#include "engine/models/latent_equilibrium/latent_equilibrium.h"

namespace prospero {

/// What the last layer compares itself with, and its error.
template <class Real>
class LayerTeacher {
 public:
  /// Keeps references to both.
  LayerTeacher(const LatentEquilibriumSpec& spec, const LayerActivity<Real>& layer);

  void WantMemory(Arena& arena);
  void Register(VariableTable& variables);
  void Reset();
  /// As Learner::ClearPadding.
  void ClearPadding();

  /// e ← β r′ (target − r) or β (target − ŭ), 0 without a target, and the loss.
  void Teach(Real dt, const Real* u_ahead, Real* e);

  /// Of the last step; 0 without a target.
  Real loss() const { return *loss_; }

 private:
  const Real* Target(Real dt);

  const LatentEquilibriumSpec& spec_;
  const LayerActivity<Real>& layer_;
  Real* target_ = nullptr;
  Real* target_low_ = nullptr;
  Real* teach_ = nullptr;  ///< scalars
  Real* beta_ = nullptr;
  Real* loss_ = nullptr;
};

}  // namespace prospero
