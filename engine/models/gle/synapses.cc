#include "engine/models/gle/synapses.h"

#include "absl/strings/str_cat.h"
#include "engine/core/describe.h"
#include "engine/core/initializer.h"
#include "engine/core/weight_pass.h"

namespace prospero {

template <class Real>
Synapses<Real>::Synapses(const GleProjection& spec, const Neurons<Real>& pre,
                         const Neurons<Real>& post, int64_t batch)
    : spec_(spec),
      pre_(pre),
      post_(post),
      batch_(batch),
      layout_{post.size(), pre.size(), RoundUp(post.size(), kRowBlock), pre.stride()},
      learner_(spec.plasticity) {}

template <class Real>
void Synapses<Real>::WantMemory(Arena& arena) {
  arena.Want(&W_, SaturatingMul(layout_.padded_rows, layout_.stride));
  learner_.WantMemory(layout_, arena);
}

template <class Real>
void Synapses<Real>::Register(VariableTable& variables) {
  const Variable W = Describe(absl::StrCat(NameOf(spec_), ".W"), Role::kWeight,
                              {post_.size(), pre_.size()}, W_, "1", "weights, [post, pre]");
  variables.Add(W);
  learner_.Register(W, variables);
  RegisterStatistics(W, variables);
  RegisterUpdateStatistics(W, &watch_, variables);
}

template <class Real>
void Synapses<Real>::ResetWeights(uint64_t seed) {
  const Initializer first = spec_.initializer.value_or(Initializer());
  const FirstValues values(first, pre_.size(), seed, NameOf(spec_) + ".W");
  for (int64_t i = 0; i < layout_.rows; ++i) {
    Real* const row = W_ + i * layout_.stride;
    for (int64_t j = 0; j < layout_.columns; ++j) {
      row[j] = static_cast<Real>(values(i * layout_.columns + j));
    }
  }
  learner_.Forget();
}

template <class Real>
void Synapses<Real>::ClearPadding() {
  FillPadding(layout_, Real{0}, W_);
  learner_.ClearPadding();
}

template <class Real>
void Synapses<Real>::Transmit(bool learning) {
  WeightPass<Real> pass;
  pass.W = W_;
  pass.rows = layout_.padded_rows;
  pass.columns = layout_.stride;
  pass.batch = batch_;
  pass.r_pre = pre_.r();
  pass.e_post = post_.e();
  pass.s = post_.s();
  pass.post_stride = post_.stride();
  pass.e_bottom = pre_.e_bottom();
  pass.update = learner_.Next(learning);
  watch_.counted = watch_.watched();
  if (watch_.counted) {
    watch_.count = UpdateCount();
    pass.count = &watch_.count;
  }
  RunPass(pass);
}

template class Synapses<float>;
template class Synapses<double>;

}  // namespace prospero
