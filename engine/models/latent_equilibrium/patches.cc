#include "engine/models/latent_equilibrium/patches.h"

#include <algorithm>

namespace prospero {

template <class Real>
Patches<Real>::Patches(const Window& window, const LayerActivity<Real>& pre,
                       const LayerActivity<Real>& post)
    : window_(window),
      pre_(pre),
      post_(post),
      channels_(post.shape[0]),
      pre_stride_(PaddedRow<Real>(window.patch())),
      post_stride_(PaddedRow<Real>(channels_)) {}

template <class Real>
void Patches<Real>::WantMemory(Arena& arena) {
  arena.Want(&patches_, SaturatingMul(places(), pre_stride_));
  if (!pre_.is_input()) arena.Want(&e_sum_, SaturatingMul(places(), pre_stride_));
  for (Real** array : {&s_, &sent_, &learned_}) {
    arena.Want(array, SaturatingMul(places(), post_stride_));
  }
}

template <class Real>
const Real* Patches<Real>::Unfold(const Real* pre) {
  if (pre == nullptr) return nullptr;
  for (int64_t trial = 0; trial < pre_.batch; ++trial) {
    prospero::Unfold(window_, pre + trial * pre_.stride, pre_stride_,
                     patches_ + trial * window_.places() * pre_stride_);
  }
  return patches_;
}

template <class Real>
const Real* Patches<Real>::ByPlace(const Real* post, Real* by_place) const {
  if (post == nullptr) return nullptr;
  const int64_t n = window_.places();
  for (int64_t trial = 0; trial < post_.batch; ++trial) {
    const Real* const from = post + trial * post_.stride;
    Real* const to = by_place + trial * n * post_stride_;
    for (int64_t c = 0; c < channels_; ++c) {
      for (int64_t place = 0; place < n; ++place)
        to[place * post_stride_ + c] = from[c * n + place];
    }
  }
  return by_place;
}

template <class Real>
Real* Patches<Real>::EmptyInput() {
  std::fill_n(s_, places() * post_stride_, Real{0});
  return s_;
}

template <class Real>
void Patches<Real>::AddInput(Real* s) const {
  const int64_t n = window_.places();
  for (int64_t trial = 0; trial < post_.batch; ++trial) {
    const Real* const from = s_ + trial * n * post_stride_;
    Real* const to = s + trial * post_.stride;
    for (int64_t c = 0; c < channels_; ++c) {
      for (int64_t place = 0; place < n; ++place)
        to[c * n + place] += from[place * post_stride_ + c];
    }
  }
}

template <class Real>
Real* Patches<Real>::EmptyErrors() {
  std::fill_n(e_sum_, places() * pre_stride_, Real{0});
  return e_sum_;
}

template <class Real>
void Patches<Real>::AddErrors(Real* e_sum) const {
  for (int64_t trial = 0; trial < pre_.batch; ++trial) {
    Fold(window_, e_sum_ + trial * window_.places() * pre_stride_, pre_stride_,
         e_sum + trial * pre_.stride);
  }
}

template class Patches<float>;
template class Patches<double>;

}  // namespace prospero
