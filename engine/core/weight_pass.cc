#include "engine/core/weight_pass.h"

#include <algorithm>
#include <cassert>

#include "engine/core/arena.h"
#include "engine/core/weight_kernels.h"

namespace prospero {
namespace {

/// The rows of one tile.
template <class Real>
WeightPass<Real> Tile(WeightPass<Real> pass, const Tiling& tiling, int64_t tile) {
  const int64_t begin = tile * tiling.tile_rows;
  const auto move = [](auto*& array, int64_t by) {
    if (array != nullptr) array += by;
  };
  for (Real** weights : {&pass.W, &pass.update.m, &pass.update.v2}) {
    move(*weights, begin * pass.columns);
  }
  move(pass.s, begin);
  move(pass.e_post, begin);
  move(pass.learn_post, begin);
  pass.rows = std::min(tiling.tile_rows, pass.rows - begin);
  if (pass.count != nullptr && tiling.tiles > 1) pass.count = pass.tile_sums.counts + tile;
  return pass;
}

template <class Real>
void RunSingle(const WeightPass<Real>& pass, const Tiling& tiling) {
  if (tiling.tiles == 1) return RunSinglePass(pass);
  RunOn(pass.team, tiling.tiles, [&](int64_t tile) {
    WeightPass<Real> part = Tile(pass, tiling, tile);
    if (pass.e_bottom != nullptr) {
      part.e_bottom = pass.tile_sums.e_bottom + tile * pass.columns;
      std::fill_n(part.e_bottom, pass.columns, Real{0});
    }
    RunSinglePass(part);
  });
  if (pass.e_bottom == nullptr) return;
  for (int64_t tile = 0; tile < tiling.tiles; ++tile) {
    const Real* const part = pass.tile_sums.e_bottom + tile * pass.columns;
    for (int64_t j = 0; j < pass.columns; ++j) pass.e_bottom[j] += part[j];
  }
}

/// Backward by columns, then forward and update by rows: so no two tasks write to the same place.
/// One panel of tiles after the other, so that the second half finds it in the cache; a team has
/// more cache, and wants tasks for all.
template <class Real>
void RunBatch(const WeightPass<Real>& pass, const Tiling& tiling) {
  constexpr int64_t kTaskColumns = 192;
  const int64_t tasks = (pass.columns + kTaskColumns - 1) / kTaskColumns;
  Team* const team = tiling.tiles > 1 ? pass.team : nullptr;
  const int64_t panel = team == nullptr ? 2 : 16;
  for (int64_t first = 0; first < tiling.tiles; first += panel) {
    const int64_t last = std::min(first + panel, tiling.tiles);
    if (pass.e_bottom != nullptr) {
      RunOn(team, tasks, [&](int64_t task) {
        const int64_t begin = task * kTaskColumns;
        const int64_t end = std::min(begin + kTaskColumns, pass.columns);
        for (int64_t tile = first; tile < last; ++tile) {
          RunBackward(Tile(pass, tiling, tile), begin, end, tiling.tiles > 1);
        }
      });
    }
    RunOn(team, last - first,
          [&](int64_t task) { RunForwardAndLearn(Tile(pass, tiling, first + task)); });
  }
}

}  // namespace

Tiling TilingOf(int64_t rows, int64_t columns) {
  // Small enough to share, and large enough to be worth it.
  constexpr int64_t kTileWeights = int64_t{64} * 1024;
  constexpr int64_t kMaxTiles = 64;
  // The sums of the tiles take 1/32 of the weights at most.
  constexpr int64_t kMinRows = 32;
  if (SaturatingMul(rows, columns) <= kTileWeights) return {rows, 1};
  const int64_t tile_rows =
      RoundUp(std::max({kTileWeights / columns, rows / kMaxTiles, kMinRows}), 2 * kRowBlock);
  return {tile_rows, (rows - 1) / tile_rows + 1};
}

template <class Real>
void RunPass(const WeightPass<Real>& pass) {
  assert(pass.rows % kRowBlock == 0);
  assert(pass.columns * static_cast<int64_t>(sizeof(Real)) % kRowBytes == 0);
  const Tiling tiling = TilingOf(pass.rows, pass.columns);
  WeightPass<Real> whole = pass;
  if (whole.learn_pre == nullptr) whole.learn_pre = pass.r_pre;
  if (whole.learn_post == nullptr) whole.learn_post = pass.e_post;
  const int64_t counts = pass.count != nullptr && tiling.tiles > 1 ? tiling.tiles : 0;
  std::fill_n(pass.tile_sums.counts, counts, UpdateCount());
  if (pass.batch == 1) {
    RunSingle(whole, tiling);
  } else {
    RunBatch(whole, tiling);
  }
  for (int64_t tile = 0; tile < counts; ++tile) {
    pass.count->swallowed += pass.tile_sums.counts[tile].swallowed;
    pass.count->squared_change += pass.tile_sums.counts[tile].squared_change;
  }
}

template void RunPass(const WeightPass<float>& pass);
template void RunPass(const WeightPass<double>& pass);

}  // namespace prospero
