#include "engine/models/gle/synapses.h"

#include "absl/strings/str_cat.h"

namespace prospero {

template <class Real>
Synapses<Real>::Synapses(const GleProjection& spec, const Neurons<Real>& pre,
                         const Neurons<Real>& post, const Neurons<Real>& source, int64_t batch)
    : pre_(pre),
      post_(post),
      batch_(batch),
      W_(absl::StrCat(NameOf(spec), ".W"), post.size(), pre.size(), Weights<Real>::Shown::kAsItLies,
         spec.initializer, spec.plasticity) {
  if (spec.feedback.path == FeedbackPath::kTranspose) return;
  feedback_.emplace(spec, pre, post, source, batch);
}

template <class Real>
void Synapses<Real>::WantMemory(Arena& arena) {
  W_.WantMemory(arena);
  if (feedback_.has_value()) feedback_->WantMemory(arena);
}

template <class Real>
void Synapses<Real>::Register(VariableTable& variables) {
  const Variable W = W_.Register("weights, [post, pre]", variables);
  if (feedback_.has_value()) feedback_->Register(W, variables);
}

template <class Real>
void Synapses<Real>::ResetWeights(uint64_t seed) {
  W_.Reset(seed);
  if (feedback_.has_value()) feedback_->ResetWeights(seed);
}

template <class Real>
void Synapses<Real>::ClearPadding() {
  W_.ClearPadding();
  if (feedback_.has_value()) feedback_->ClearPadding();
}

template <class Real>
void Synapses<Real>::Transmit(const Step& step, bool learning) {
  WeightPass<Real> pass = W_.NextPass(step, learning);
  pass.batch = batch_;
  pass.r_pre = pre_.r();
  pass.e_post = post_.e();
  pass.s = post_.s();
  pass.post_stride = post_.stride();
  if (!feedback_.has_value()) pass.e_bottom = pre_.e_bottom();
  RunPass(pass);
  if (feedback_.has_value()) feedback_->Transmit(step, learning);
}

template class Synapses<float>;
template class Synapses<double>;

}  // namespace prospero
