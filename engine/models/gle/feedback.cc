#include "engine/models/gle/feedback.h"

#include "absl/strings/str_cat.h"
#include "engine/core/alignment.h"

namespace prospero {
namespace {

absl::optional<Plasticity> PlasticityOf(const GleFeedback& feedback) {
  if (!feedback.alignment.has_value()) return absl::nullopt;
  return feedback.alignment->plasticity;
}

}  // namespace

template <class Real>
Feedback<Real>::Feedback(const GleProjection& spec, const Neurons<Real>& pre,
                         const Neurons<Real>& post, const Neurons<Real>& source, int64_t batch)
    : spec_(spec),
      pre_(pre),
      post_(post),
      source_(source),
      batch_(batch),
      B_(absl::StrCat(NameOf(spec), ".B"), source.size(), pre.size(),
         Weights<Real>::Shown::kTransposed, spec.feedback.initializer,
         PlasticityOf(spec.feedback)) {}

template <class Real>
void Feedback<Real>::Register(const Variable& W, VariableTable& variables) {
  const bool direct = spec_.feedback.path == FeedbackPath::kDirect;
  const Variable B = B_.Register(
      direct ? "feedback weights, [pre, output]" : "feedback weights, [pre, post]", variables);
  if (!direct) RegisterAlignment(NameOf(spec_), W, B, variables);
}

template <class Real>
void Feedback<Real>::Transmit(const Step& step, bool learning) {
  WeightPass<Real> pass = B_.NextPass(step, learning);
  pass.batch = batch_;
  pass.r_pre = pre_.r();
  pass.e_post = source_.e();
  pass.post_stride = source_.stride();
  pass.e_bottom = pre_.e_bottom();
  if (spec_.feedback.path == FeedbackPath::kAligned) {
    pass.learn_pre = pre_.xi();
    pass.learn_post = post_.h();
  }
  RunPass(pass);
}

template class Feedback<float>;
template class Feedback<double>;

}  // namespace prospero
