#pragma once

#include <cstdint>
#include <string>

#include "absl/types/optional.h"
#include "engine/core/arena.h"
#include "engine/core/initializer.h"
#include "engine/core/plasticity.h"
#include "engine/core/variable.h"
#include "engine/core/weights.h"

namespace prospero::microcircuit {

/// The synapses from one population to another, [post, pre], as they are in a step:
///
///   Begin, then Transmit, then the weights have learned
///
/// All arrays that are handed over are [batch × size], rows padded as PaddedRow says.
template <class Real>
class Synapses {
 public:
  /// Keeps a reference to `initializer`.
  Synapses(std::string name, int64_t post, int64_t pre, int64_t batch,
           const absl::optional<Initializer>& initializer,
           const absl::optional<Plasticity>& plasticity);

  void WantMemory(Arena& arena) { weights_.WantMemory(arena); }
  /// As Weights::Register.
  Variable Register(absl::string_view description, bool counts_updates, VariableTable& variables) {
    return weights_.Register(description, variables, counts_updates);
  }
  void Reset(uint64_t seed) { weights_.Reset(seed); }
  /// As Learner::ClearPadding.
  void ClearPadding() { weights_.ClearPadding(); }

  /// Once in each step; true when the weights learn in it.
  bool Begin(const Step& step, bool learning);
  /// s ← s + W r, and W learns from −⟨learn_post learn_preᵀ⟩ if it does in this step.
  void Transmit(const Real* r, Real* s, const Real* learn_post, const Real* learn_pre);
  /// s ← s + W r
  void Transmit(const Real* r, Real* s);
  /// W learns, without decay if that has been taken off already.
  void Learn(const Real* learn_post, const Real* learn_pre, bool with_decay);
  /// Of this step: learning rate times weight decay.
  Real decay() const { return pass_.update.eta * pass_.update.weight_decay; }

  /// As of Weights.
  Real* data() { return weights_.data(); }
  const Real* data() const { return weights_.data(); }
  int64_t post() const { return weights_.post(); }
  int64_t pre() const { return weights_.pre(); }
  int64_t stride() const { return weights_.stride(); }

 private:
  const int64_t batch_;
  Weights<Real> weights_;
  WeightPass<Real> pass_;  ///< of this step
};

/// B ← Wᵀ
template <class Real>
void CopyTransposed(const Synapses<Real>& W, Synapses<Real>& B);
/// C ← −B
template <class Real>
void CopyNegative(const Synapses<Real>& B, Synapses<Real>& C);

}  // namespace prospero::microcircuit
