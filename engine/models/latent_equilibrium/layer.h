#pragma once

#include <cstdint>

#include "engine/core/arena.h"
#include "engine/core/network.h"
#include "engine/core/variable.h"
#include "engine/models/latent_equilibrium/activity.h"

namespace prospero {

/// One layer of a network, of neurons or a pool. It keeps its address.
template <class Real>
class Layer {
 public:
  Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;
  virtual ~Layer() = default;

  virtual void WantMemory(Arena& arena) = 0;
  /// From the bottom up.
  virtual void Register(VariableTable& variables) = 0;
  virtual void ResetState() = 0;
  virtual void ResetWeights(uint64_t seed) = 0;
  virtual void KeyNoise(uint64_t seed) = 0;
  /// As Learner::ClearPadding.
  virtual void ClearPadding() = 0;

  /// The first part of a step, of all layers from the top down: a layer sees the noise that the
  /// one below had in the step before.
  virtual void AdvanceNoise(const Step& step) = 0;
  /// The rest of a step, of all layers from the top down: a layer finds the errors of the one
  /// above, and below it the rates of the step before. `started`: this is not the first step.
  virtual void Advance(const Step& step, bool learning, bool started) = 0;

  virtual bool finite() const = 0;
};

}  // namespace prospero
