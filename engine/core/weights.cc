#include "engine/core/weights.h"

#include <utility>

#include "engine/core/describe.h"

namespace prospero {

template <class Real>
Weights<Real>::Weights(std::string name, int64_t post, int64_t pre, Shown shown,
                       const absl::optional<Initializer>& initializer,
                       const absl::optional<Plasticity>& plasticity)
    : name_(std::move(name)),
      layout_{post, pre, RoundUp(post, kRowBlock), PaddedRow<Real>(pre)},
      shown_(shown),
      initializer_(initializer),
      learner_(plasticity) {}

template <class Real>
void Weights<Real>::WantMemory(Arena& arena) {
  arena.Want(&W_, SaturatingMul(layout_.padded_rows, layout_.stride));
  learner_.WantMemory(layout_, arena);
  const int64_t tiles = TilingOf(layout_.padded_rows, layout_.stride).tiles;
  if (tiles == 1) return;
  arena.Want(&tile_sums_.e_bottom, SaturatingMul(tiles, layout_.stride));
  arena.Want(&tile_sums_.counts, tiles);
}

template <class Real>
Variable Weights<Real>::Register(absl::string_view description, VariableTable& variables,
                                 bool counts_updates) {
  const Variable as_it_lies =
      Describe(name_, Role::kWeight, {layout_.rows, layout_.columns}, W_, "1", description);
  Variable array = shown_ == Shown::kAsItLies
                       ? as_it_lies
                       : DescribeTransposed(name_, Role::kWeight, layout_.columns, layout_.rows, W_,
                                            "1", description);
  variables.Add(array);
  learner_.Register(array, variables);
  // They are the same of a matrix and of its transpose.
  RegisterStatistics(as_it_lies, variables);
  if (counts_updates) RegisterUpdateStatistics(as_it_lies, &watch_, variables);
  return array;
}

template <class Real>
void Weights<Real>::Reset(uint64_t seed) {
  const bool transposed = shown_ == Shown::kTransposed;
  const Initializer first = initializer_.value_or(Initializer());
  const FirstValues values(first, transposed ? layout_.rows : layout_.columns, seed, name_);
  for (int64_t i = 0; i < layout_.rows; ++i) {
    const int64_t first_index = transposed ? i : i * layout_.columns;
    const int64_t distance = transposed ? layout_.rows : 1;
    values.Fill(first_index, distance, layout_.columns, W_ + i * layout_.stride);
  }
  learner_.Forget();
}

template <class Real>
void Weights<Real>::ClearPadding() {
  FillPadding(layout_, Real{0}, W_);
  learner_.ClearPadding();
}

template <class Real>
WeightPass<Real> Weights<Real>::NextPass(const Step& step, bool learning) {
  WeightPass<Real> pass;
  pass.W = W_;
  pass.rows = layout_.padded_rows;
  pass.columns = layout_.stride;
  pass.update = learner_.Next(learning);
  pass.tile_sums = tile_sums_;
  pass.team = step.team;
  watch_.counted = watch_.watched();
  if (watch_.counted) {
    watch_.count = UpdateCount();
    pass.count = &watch_.count;
  }
  return pass;
}

template class Weights<float>;
template class Weights<double>;

}  // namespace prospero
