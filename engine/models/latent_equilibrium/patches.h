#pragma once

#include <cstdint>

#include "engine/core/arena.h"
#include "engine/models/latent_equilibrium/activity.h"
#include "engine/models/latent_equilibrium/window.h"

namespace prospero {

/// A convolution seen as a dense layer: each place of the kernel, in each trial, is a trial of its
/// own. Rows are the patches [batch × places, patch] of the layer below and the channels
/// [batch × places, channels] of this one, padded as PaddedRow says, with zeros.
template <class Real>
class Patches {
 public:
  /// Keeps references to both layers.
  Patches(const Window& window, const LayerActivity<Real>& pre, const LayerActivity<Real>& post);

  void WantMemory(Arena& arena);

  int64_t places() const { return SaturatingMul(post_.batch, window_.places()); }
  int64_t post_stride() const { return post_stride_; }

  // What a pass reads. Null of null. Each of the three is good until it is called again.

  /// The patches of an array of the layer below.
  const Real* Unfold(const Real* pre);
  /// The channels of an array of this layer, to be sent.
  const Real* Sent(const Real* post) { return ByPlace(post, sent_); }
  /// The same, to be learned from.
  const Real* Learned(const Real* post) { return ByPlace(post, learned_); }

  // What a pass adds to: zeros at first, then to be added to the arrays of the layers.

  Real* EmptyInput();
  void AddInput(Real* s) const;
  Real* EmptyErrors();
  void AddErrors(Real* e_sum) const;

 private:
  const Real* ByPlace(const Real* post, Real* by_place) const;

  const Window window_;
  const LayerActivity<Real>& pre_;
  const LayerActivity<Real>& post_;
  const int64_t channels_;
  const int64_t pre_stride_;
  const int64_t post_stride_;
  Real* patches_ = nullptr;
  Real* e_sum_ = nullptr;
  Real* s_ = nullptr;
  Real* sent_ = nullptr;
  Real* learned_ = nullptr;
};

}  // namespace prospero
