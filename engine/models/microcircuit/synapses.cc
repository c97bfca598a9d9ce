#include "engine/models/microcircuit/synapses.h"

#include <Eigen/Core>
#include <utility>

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
                         const absl::optional<Initializer>& initializer,
                         const absl::optional<Plasticity>& plasticity)
    : batch_(batch),
      weights_(std::move(name), post, pre, Weights<Real>::Shown::kAsItLies, initializer,
               plasticity) {}

template <class Real>
bool Synapses<Real>::Begin(const Step& step, bool learning) {
  pass_ = weights_.NextPass(step, learning);
  pass_.batch = batch_;
  pass_.post_stride = PaddedRow<Real>(post());
  return pass_.update.rule != Rule::kFixed;
}

template <class Real>
void Synapses<Real>::Transmit(const Real* r, Real* s, const Real* learn_post,
                              const Real* learn_pre) {
  pass_.r_pre = r;
  pass_.s = s;
  pass_.learn_post = learn_post;
  pass_.learn_pre = learn_pre;
  RunPass(pass_);
}

template <class Real>
void Synapses<Real>::Transmit(const Real* r, Real* s) {
  WeightPass<Real> pass = pass_;
  pass.update = Update<Real>();
  pass.r_pre = r;
  pass.s = s;
  // Nothing is learned from s and r; they stand where memory must be.
  pass.learn_post = s;
  pass.learn_pre = r;
  RunPass(pass);
}

template <class Real>
void Synapses<Real>::Learn(const Real* learn_post, const Real* learn_pre, bool with_decay) {
  if (!with_decay) pass_.update.weight_decay = 0;
  Transmit(nullptr, nullptr, learn_post, learn_pre);
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
