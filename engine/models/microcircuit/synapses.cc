#include "engine/models/microcircuit/synapses.h"

#include <Eigen/Core>
#include <utility>

#include "engine/core/describe.h"
#include "engine/core/weight_pass.h"

namespace prospero::microcircuit {
namespace {

template <class Real>
using Rows = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class Real>
using Block = Eigen::Map<Rows<Real>, Eigen::Aligned64, Eigen::OuterStride<>>;
template <class Real>
using ConstBlock = Eigen::Map<const Rows<Real>, Eigen::Aligned64, Eigen::OuterStride<>>;

}  // namespace

template <class Real>
Synapses<Real>::Synapses(std::string name, int64_t post, int64_t pre, int64_t batch,
                         const absl::optional<Plasticity>& plasticity)
    : name_(std::move(name)),
      batch_(batch),
      layout_{post, pre, RoundUp(post, kRowBlock), PaddedRow<Real>(pre)},
      learner_(plasticity) {}

template <class Real>
void Synapses<Real>::WantMemory(Arena& arena) {
  arena.Want(&W_, SaturatingMul(layout_.padded_rows, layout_.stride));
  learner_.WantMemory(layout_, arena);
}

template <class Real>
Variable Synapses<Real>::Register(absl::string_view description, bool counts_updates,
                                  VariableTable& variables) {
  const Variable W =
      Describe(name_, Role::kWeight, {layout_.rows, layout_.columns}, W_, "1", description);
  variables.Add(W);
  learner_.Register(W, variables);
  RegisterStatistics(W, variables);
  if (counts_updates) RegisterUpdateStatistics(W, &watch_, variables);
  return W;
}

template <class Real>
void Synapses<Real>::Draw(const absl::optional<Initializer>& first, uint64_t seed) {
  const Initializer initializer =
      first.value_or(Initializer{Initializer::Kind::kUniform, -1.0, 1.0, {}, {}});
  const FirstValues values(initializer, pre(), seed, name_);
  for (int64_t i = 0; i < post(); ++i) {
    for (int64_t j = 0; j < pre(); ++j) {
      W_[i * stride() + j] = static_cast<Real>(values(i * pre() + j));
    }
  }
}

template <class Real>
void Synapses<Real>::ClearPadding() {
  FillPadding(layout_, Real{0}, W_);
  learner_.ClearPadding();
}

template <class Real>
bool Synapses<Real>::Begin(bool learning) {
  update_ = learner_.Next(learning);
  return update_.rule != Rule::kFixed;
}

template <class Real>
void Synapses<Real>::Run(Update<Real> update, const Real* r, Real* s, const Real* learn_post,
                         const Real* learn_pre) {
  WeightPass<Real> pass;
  pass.W = W_;
  pass.rows = layout_.padded_rows;
  pass.columns = layout_.stride;
  pass.batch = batch_;
  pass.r_pre = r;
  pass.s = s;
  pass.post_stride = PaddedRow<Real>(post());
  pass.learn_post = learn_post;
  pass.learn_pre = learn_pre;
  pass.update = update;
  watch_.counted = watch_.watched();
  if (watch_.counted) {
    watch_.count = UpdateCount();
    pass.count = &watch_.count;
  }
  RunPass(pass);
}

template <class Real>
void Synapses<Real>::Transmit(const Real* r, Real* s, const Real* learn_post,
                              const Real* learn_pre) {
  Run(update_, r, s, learn_post, learn_pre);
}

template <class Real>
void Synapses<Real>::Transmit(const Real* r, Real* s) {
  // Nothing is learned from s and r; they stand where memory must be.
  Run(Update<Real>(), r, s, s, r);
}

template <class Real>
void Synapses<Real>::Learn(const Real* learn_post, const Real* learn_pre, bool with_decay) {
  Update<Real> update = update_;
  if (!with_decay) update.weight_decay = 0;
  Run(update, nullptr, nullptr, learn_post, learn_pre);
}

template <class Real>
void CopyTransposed(const Synapses<Real>& W, Synapses<Real>& B) {
  Block<Real>(B.data(), B.post(), B.pre(), Eigen::OuterStride<>(B.stride())).noalias() =
      ConstBlock<Real>(W.data(), W.post(), W.pre(), Eigen::OuterStride<>(W.stride())).transpose();
}

template <class Real>
void CopyNegative(const Synapses<Real>& B, Synapses<Real>& C) {
  Block<Real>(C.data(), C.post(), C.pre(), Eigen::OuterStride<>(C.stride())).noalias() =
      -ConstBlock<Real>(B.data(), B.post(), B.pre(), Eigen::OuterStride<>(B.stride()));
}

template class Synapses<float>;
template class Synapses<double>;
template void CopyTransposed(const Synapses<float>&, Synapses<float>&);
template void CopyTransposed(const Synapses<double>&, Synapses<double>&);
template void CopyNegative(const Synapses<float>&, Synapses<float>&);
template void CopyNegative(const Synapses<double>&, Synapses<double>&);

}  // namespace prospero::microcircuit
