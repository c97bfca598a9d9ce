#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/core/arena.h"
#include "engine/core/kernels.h"
#include "engine/core/padding.h"
#include "engine/core/variable.h"

namespace prospero {

/// What every layer has, the input too, and what the layers beside it see of it. Arrays are
/// [batch × size], rows padded as PaddedRow says, with zeros in the padding.
template <class Real>
struct LayerActivity {
  enum class Kind : uint8_t { kInput, kHidden, kPending };

  /// kInput has rates only; errors that are sent to a kPending layer wait for the next step.
  LayerActivity(std::string layer, std::vector<int64_t> layer_shape, int64_t batch_size,
                Kind layer_kind);

  void WantMemory(Arena& arena);
  void Register(VariableTable& variables);
  void Clear();
  /// As Learner::ClearPadding.
  void ClearPadding();

  int64_t count() const { return SaturatingMul(batch, stride); }
  Row<Real> Of(Real* array, int64_t trial) const { return {array + trial * stride, stride}; }
  ConstRow<Real> In(const Real* array, int64_t trial) const {
    return {array + trial * stride, stride};
  }
  Row<Real> All(Real* array) const { return {array, count()}; }
  ConstRow<Real> AllIn(const Real* array) const { return {array, count()}; }
  /// A variable [batch, *shape] of this layer.
  Variable Show(absl::string_view symbol, Role role, Real* array,
                absl::string_view description) const;
  std::string Name(absl::string_view symbol) const;

  bool is_input() const { return kind == Kind::kInput; }

  const std::string name;
  const std::vector<int64_t> shape;
  const int64_t batch;
  const int64_t size;
  const int64_t stride;
  const Layout layout;
  const Kind kind;

  Real* r = nullptr;
  Real* r_prime = nullptr;       ///< null: an input, as all below
  Real* e = nullptr;             ///< of the last step, until the layer has moved
  Real* e_next = nullptr;        ///< of this step
  Real* e_sum = nullptr;         ///< what the layer above sends in this step
  Real* e_bottom = nullptr;      ///< what it sent in the step before; null: not kPending
  const Real* noise = nullptr;   ///< in the rates of this step; null: none
  bool above_has_slope = false;  ///< e_sum needs no slope: the layer above applied it
};

}  // namespace prospero
