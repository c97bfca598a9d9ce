#pragma once

#include <cstdint>

#include "engine/core/team.h"
#include "engine/core/update.h"

namespace prospero {

/// Tiles of whole rows that the pass over a large matrix is split into. It depends on the shape
/// alone: so does the order of every sum, whoever works on the tiles.
struct Tiling {
  int64_t tile_rows = 0;
  int64_t tiles = 0;
};
/// `rows`: a multiple of kRowBlock.
Tiling TilingOf(int64_t rows, int64_t columns);

/// Where the tiles of a matrix of several leave their parts of a sum.
template <class Real>
struct TileSums {
  Real* e_bottom = nullptr;       ///< [tiles × columns]
  UpdateCount* counts = nullptr;  ///< [tiles]
};

/// Everything that one step does with one weight matrix W [post × pre], while each weight is
/// read once and written once:
///
///   s ← s + W r_pre,    e_bottom ← e_bottom + Wᵀ e_post,    W ← update(W, g)
///   g = −1/B Σ_batch learn_post learn_preᵀ
///
/// The first two read W as it was before. What W learns from is what it transmits, unless told
/// otherwise. All arrays are aligned to 64 bytes and their rows padded to 64 bytes, with zeros
/// in the padding of all that is read; W has a multiple of kRowBlock rows. The order of every
/// sum is fixed: it depends on nothing but the shapes, neither on the machine nor on the team,
/// and it is the same for a trial alone and in a batch.
template <class Real>
struct WeightPass {
  Real* W = nullptr;
  int64_t rows = 0;     ///< post, rounded up to kRowBlock
  int64_t columns = 0;  ///< pre, padded; the distance of rows of W and of all [batch × pre]
  int64_t batch = 1;
  const Real* r_pre = nullptr;       ///< may be null where nobody needs s and learn_pre is given
  const Real* e_post = nullptr;      ///< may be null where nobody needs e_bottom, as r_pre
  Real* s = nullptr;                 ///< null: nobody needs it
  int64_t post_stride = 0;           ///< distance of rows of all [batch × post]
  Real* e_bottom = nullptr;          ///< null: nobody needs it
  const Real* learn_pre = nullptr;   ///< [batch × pre], null: r_pre
  const Real* learn_post = nullptr;  ///< [batch × post], null: e_post
  int64_t mean_over = 0;             ///< B of the gradient; 0: batch
  Update<Real> update;
  UpdateCount* count = nullptr;  ///< null: nobody watches
  TileSums<Real> tile_sums;      ///< needed where the matrix has more than one tile
  Team* team = nullptr;          ///< null: nobody helps
};

template <class Real>
void RunPass(const WeightPass<Real>& pass);

}  // namespace prospero
