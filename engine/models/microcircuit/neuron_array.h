#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/core/arena.h"
#include "engine/core/kernels.h"
#include "engine/core/padding.h"

namespace prospero::microcircuit {

/// One value for each neuron of a population in each trial, [batch × size], rows padded as
/// PaddedRow says. What is computed from zeros in the padding must be 0 there, too.
template <class Real>
class NeuronArray {
 public:
  void WantMemory(int64_t batch, int64_t size, Arena& arena) {
    layout_ = {batch, size, batch, PaddedRow<Real>(size)};
    arena.Want(&data_, SaturatingMul(batch, layout_.stride));
  }
  /// False for an array that is not needed and has no memory.
  bool exists() const { return layout_.rows > 0; }

  void SetZero() { all().setZero(); }
  /// As Learner::ClearPadding.
  void ClearPadding() { FillPadding(layout_, Real{0}, data_); }

  Real* data() { return data_; }
  const Real* data() const { return data_; }
  int64_t batch() const { return layout_.rows; }
  int64_t size() const { return layout_.columns; }
  int64_t stride() const { return layout_.stride; }

  /// All trials, with their padding, as one row.
  Row<Real> all() { return {data_, layout_.rows * layout_.stride}; }
  ConstRow<Real> all() const { return {data_, layout_.rows * layout_.stride}; }
  ConstRow<Real> constant() const { return all(); }
  ConstRow<Real> trial(int64_t b) const { return {data_ + b * layout_.stride, layout_.stride}; }

 private:
  Layout layout_;
  Real* data_ = nullptr;
};

}  // namespace prospero::microcircuit
