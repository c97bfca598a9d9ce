#pragma once

#include <cstdint>
#include <string>

#include "absl/types/optional.h"
#include "engine/core/arena.h"
#include "engine/core/initializer.h"
#include "engine/core/learner.h"
#include "engine/core/padding.h"
#include "engine/core/plasticity.h"
#include "engine/core/statistics.h"
#include "engine/core/update.h"
#include "engine/core/variable.h"

namespace prospero::microcircuit {

/// The synapses from one population to another, [post, pre], as they are in a step:
///
///   Begin, then Transmit, then the weights have learned
///
/// All arrays that are handed over are [batch × size], rows padded as PaddedRow says.
template <class Real>
class Synapses {
 public:
  Synapses(std::string name, int64_t post, int64_t pre, int64_t batch,
           const absl::optional<Plasticity>& plasticity);

  void WantMemory(Arena& arena);
  /// `counts_updates`: false for weights that are copies of others.
  Variable Register(absl::string_view description, bool counts_updates, VariableTable& variables);
  /// First values; those not given are uniform on [-1, 1).
  void Draw(const absl::optional<Initializer>& first, uint64_t seed);
  void Forget() { learner_.Forget(); }
  /// As Learner::ClearPadding.
  void ClearPadding();

  /// Once in each step; true when the weights learn in it.
  bool Begin(bool learning);
  /// s ← s + W r, and W learns from −⟨learn_post learn_preᵀ⟩ if it does in this step.
  void Transmit(const Real* r, Real* s, const Real* learn_post, const Real* learn_pre);
  /// s ← s + W r
  void Transmit(const Real* r, Real* s);
  /// W learns, without decay if that has been taken off already.
  void Learn(const Real* learn_post, const Real* learn_pre, bool with_decay);
  /// Of this step: learning rate times weight decay.
  Real decay() const { return update_.eta * update_.weight_decay; }

  /// Row i starts at i * stride().
  Real* data() { return W_; }
  const Real* data() const { return W_; }
  int64_t post() const { return layout_.rows; }
  int64_t pre() const { return layout_.columns; }
  int64_t stride() const { return layout_.stride; }

 private:
  void Run(Update<Real> update, const Real* r, Real* s, const Real* learn_post,
           const Real* learn_pre);

  const std::string name_;
  const int64_t batch_;
  const Layout layout_;
  Learner<Real> learner_;
  Update<Real> update_;
  UpdateWatch watch_;
  Real* W_ = nullptr;
};

/// B ← Wᵀ
template <class Real>
void CopyTransposed(const Synapses<Real>& W, Synapses<Real>& B);
/// C ← −B
template <class Real>
void CopyNegative(const Synapses<Real>& B, Synapses<Real>& C);

}  // namespace prospero::microcircuit
