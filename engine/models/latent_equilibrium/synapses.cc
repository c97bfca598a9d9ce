#include "engine/models/latent_equilibrium/synapses.h"

#include <algorithm>

#include "engine/core/alignment.h"

namespace prospero {
namespace {

const absl::optional<Plasticity>& PlasticityOfB(const LatentEquilibriumLayer& layer) {
  static const absl::optional<Plasticity> kConstant;
  return layer.alignment.has_value() ? layer.alignment->plasticity : kConstant;
}

template <class Real>
int64_t Columns(const absl::optional<Window>& window, const LayerActivity<Real>& pre) {
  return window.has_value() ? window->patch() : pre.size;
}

}  // namespace

template <class Real>
LayerSynapses<Real>::LayerSynapses(const LatentEquilibriumSpec& spec,
                                   const LatentEquilibriumLayer& layer,
                                   const absl::optional<Window>& window, LayerActivity<Real>& pre,
                                   LayerActivity<Real>& post, const LayerActivity<Real>& output)
    : spec_(spec),
      pre_(pre),
      post_(post),
      output_(output),
      W_(post.Name("W"), post.shape[0], Columns(window, pre), Weights<Real>::Shown::kAsItLies,
         layer.initializer, layer.plasticity) {
  constexpr auto kShown = Weights<Real>::Shown::kTransposed;
  if (window.has_value()) patches_.emplace(*window, pre, post);
  if (is_direct()) {
    if (&post == &output) return;
    B_.emplace(post.Name("B"), output.size, post.size, kShown, layer.feedback_initializer,
               PlasticityOfB(layer));
  } else if (spec.feedback != FeedbackPath::kTranspose && !pre.is_input()) {
    B_.emplace(post.Name("B"), post.shape[0], Columns(window, pre), kShown,
               layer.feedback_initializer, PlasticityOfB(layer));
  }
}

template <class Real>
void LayerSynapses<Real>::WantMemory(Arena& arena) {
  W_.WantMemory(arena);
  if (B_.has_value()) B_->WantMemory(arena);
  if (patches_.has_value()) patches_->WantMemory(arena);
}

template <class Real>
void LayerSynapses<Real>::Register(VariableTable& variables) {
  const Variable W = W_.Register("weights, [post, pre]", variables);
  if (!B_.has_value()) return;
  const Variable B = B_->Register(
      is_direct() ? "feedback weights, [pre, output]" : "feedback weights, [pre, post]", variables);
  if (!is_direct()) RegisterAlignment(post_.name, W, B, variables);
}

template <class Real>
void LayerSynapses<Real>::ResetWeights(uint64_t seed) {
  W_.Reset(seed);
  if (B_.has_value()) B_->Reset(seed);
}

template <class Real>
void LayerSynapses<Real>::ClearPadding() {
  W_.ClearPadding();
  if (B_.has_value()) B_->ClearPadding();
}

template <class Real>
void LayerSynapses<Real>::Run(WeightPass<Real> pass, Real* s, Real* e_sum) {
  if (e_sum != nullptr) std::fill_n(e_sum, pre_.count(), Real{0});
  pass.s = s;
  pass.e_bottom = e_sum;
  pass.batch = post_.batch;
  pass.post_stride = post_.stride;
  if (!patches_.has_value()) return RunPass(pass);
  // The mean is over the trials, so that the gradient is the sum over the places.
  pass.mean_over = post_.batch;
  pass.batch = patches_->places();
  pass.post_stride = patches_->post_stride();
  pass.e_post = patches_->Sent(pass.e_post);
  pass.learn_post = patches_->Learned(pass.learn_post);
  if (pass.r_pre != nullptr) {
    pass.r_pre = patches_->Unfold(pass.r_pre);
    pass.learn_pre = pass.r_pre;
  } else {
    pass.learn_pre = patches_->Unfold(pass.learn_pre);
  }
  if (s != nullptr) pass.s = patches_->EmptyInput();
  if (e_sum != nullptr) pass.e_bottom = patches_->EmptyErrors();
  RunPass(pass);
  if (s != nullptr) patches_->AddInput(s);
  if (e_sum != nullptr) patches_->AddErrors(e_sum);
}

template <class Real>
void LayerSynapses<Real>::Read(const Step& step, Real* s) {
  WeightPass<Real> pass = W_.NextPass(step, /*learning=*/false);
  pass.r_pre = pre_.r;
  pass.learn_post = post_.e_next;
  Run(pass, s, nullptr);
}

template <class Real>
void LayerSynapses<Real>::ReadAndLearn(const Step& step, const Real* e, bool learning, Real* s) {
  WeightPass<Real> pass = W_.NextPass(step, learning);
  pass.r_pre = pre_.r;
  pass.e_post = e;
  pass.learn_post = post_.e_next;
  Run(pass, s, sends_through_W() ? pre_.e_sum : nullptr);
}

template <class Real>
void LayerSynapses<Real>::Learn(const Step& step, const Real* e, bool learning) {
  ReadAndLearn(step, e, learning, nullptr);
}

template <class Real>
void LayerSynapses<Real>::SendErrors(const Step& step, const Real* e, const Real* h,
                                     bool learning) {
  if (is_direct() || !B_.has_value()) return;
  WeightPass<Real> pass = B_->NextPass(step, learning && h != nullptr && pre_.noise != nullptr);
  const bool learns = pass.update.rule != Rule::kFixed;
  pass.e_post = e;
  pass.learn_post = learns ? h : e;
  pass.learn_pre = learns ? pre_.noise : pre_.r;
  Run(pass, nullptr, pre_.e_sum);
}

template <class Real>
void LayerSynapses<Real>::ReceiveErrors(const Step& step) {
  WeightPass<Real> pass = B_->NextPass(step, /*learning=*/false);
  pass.e_post = output_.e;
  pass.learn_pre = post_.r;  // of the right size: B does not learn
  pass.e_bottom = post_.e_sum;
  std::fill_n(post_.e_sum, post_.count(), Real{0});
  pass.batch = post_.batch;
  pass.post_stride = output_.stride;
  RunPass(pass);
}

template class LayerSynapses<float>;
template class LayerSynapses<double>;

}  // namespace prospero
