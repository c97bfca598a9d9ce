#pragma once

#include <cstdint>

#include "engine/core/update.h"

namespace prospero {

/// Everything that one step does with one weight matrix W [post × pre], while each weight is
/// read once and written once:
///
///   s ← s + W r_pre,    e_bottom ← e_bottom + Wᵀ e_post,    W ← update(W, g)
///   g = −1/B Σ_batch e_post r_preᵀ
///
/// The first two read W as it was before. All arrays are aligned to 64 bytes and their rows
/// padded to 64 bytes, with zeros in the padding of r_pre and e_post; W has a multiple of
/// kRowBlock rows. The order of every sum is fixed: it depends on nothing but the shapes.
template <class Real>
struct WeightPass {
  Real* W = nullptr;
  int64_t rows = 0;     ///< post, rounded up to kRowBlock
  int64_t columns = 0;  ///< pre, padded; the distance of rows of W, r_pre and e_bottom
  int64_t batch = 1;
  const Real* r_pre = nullptr;
  const Real* e_post = nullptr;
  Real* s = nullptr;
  int64_t post_stride = 0;   ///< distance of rows of e_post and s
  Real* e_bottom = nullptr;  ///< null: nobody needs it
  Update<Real> update;
  UpdateCount* count = nullptr;  ///< null: nobody watches
};

template <class Real>
void RunPass(const WeightPass<Real>& pass);

}  // namespace prospero
