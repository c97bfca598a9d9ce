#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "engine/core/arena.h"
#include "engine/core/initializer.h"
#include "engine/core/learner.h"
#include "engine/core/network.h"
#include "engine/core/padding.h"
#include "engine/core/plasticity.h"
#include "engine/core/statistics.h"
#include "engine/core/variable.h"
#include "engine/core/weight_pass.h"

namespace prospero {

/// One matrix of weights of a network, laid out as W [post × pre] of a WeightPass: its
/// memory, its variables, its first values and its learning.
template <class Real>
class Weights {
 public:
  /// What the network's users see: the matrix, or its transpose [pre, post].
  enum class Shown : uint8_t { kAsItLies, kTransposed };

  /// Keeps a reference to `initializer`; none: fan-in, of the columns that are shown.
  Weights(std::string name, int64_t post, int64_t pre, Shown shown,
          const absl::optional<Initializer>& initializer,
          const absl::optional<Plasticity>& plasticity);

  void WantMemory(Arena& arena);
  /// Adds the matrix, what learns it and its statistics; returns the matrix. `counts_updates`:
  /// false for weights that are copies of others, and of whose updates nobody knows.
  Variable Register(absl::string_view description, VariableTable& variables,
                    bool counts_updates = true);
  void Reset(uint64_t seed);
  /// As Learner::ClearPadding.
  void ClearPadding();

  /// The pass of this step over the matrix, with its update, which counts from now; the caller
  /// adds what the matrix transmits. Not for two passes at a time.
  WeightPass<Real> NextPass(const Step& step, bool learning);

  /// Row i, of a post-synaptic neuron, starts at i * stride().
  Real* data() { return W_; }
  const Real* data() const { return W_; }
  int64_t post() const { return layout_.rows; }
  int64_t pre() const { return layout_.columns; }
  int64_t stride() const { return layout_.stride; }

 private:
  const std::string name_;
  const Layout layout_;
  const Shown shown_;
  const absl::optional<Initializer>& initializer_;
  Learner<Real> learner_;
  UpdateWatch watch_;
  Real* W_ = nullptr;
  TileSums<Real> tile_sums_;
};

}  // namespace prospero
