#include "engine/core/weight_pass.h"

#include <cassert>

#include "engine/core/arena.h"
#include "engine/core/weight_pass_inl.h"

namespace prospero {
namespace {

template <class Real, Rule kRule, bool kWatched, bool kApart>
void RunSingle(const WeightPass<Real>& pass) {
  const bool forward = pass.s != nullptr, backward = pass.e_bottom != nullptr;
  if (forward && backward) return SinglePass<Real, kRule, kWatched, true, true, kApart>(pass);
  if (forward) return SinglePass<Real, kRule, kWatched, true, false, kApart>(pass);
  if (backward) return SinglePass<Real, kRule, kWatched, false, true, kApart>(pass);
  SinglePass<Real, kRule, kWatched, false, false, kApart>(pass);
}

template <class Real, bool kWatched>
void RunAs(WeightPass<Real> pass) {
  const bool apart = pass.learn_pre != nullptr || pass.learn_post != nullptr;
  if (pass.learn_pre == nullptr) pass.learn_pre = pass.r_pre;
  if (pass.learn_post == nullptr) pass.learn_post = pass.e_post;
  WithRule(pass.update.rule, [&pass, apart](auto rule) {
    if (pass.batch > 1) {
      BatchPass<Real, rule(), kWatched>(pass);
    } else if (apart) {
      RunSingle<Real, rule(), kWatched, true>(pass);
    } else {
      RunSingle<Real, rule(), kWatched, false>(pass);
    }
  });
}

}  // namespace

template <class Real>
void RunPass(const WeightPass<Real>& pass) {
  assert(pass.rows % kRowBlock == 0 && pass.columns % kLanes<Real> == 0);
  if (pass.count != nullptr) {
    RunAs<Real, true>(pass);
  } else {
    RunAs<Real, false>(pass);
  }
}

template <class Real>
void UpdateArray(const Update<Real>& update, const Real* g, int64_t count, Real* w) {
  assert(count % kVec<Real> == 0);
  if (update.rule == Rule::kFixed) return;
  WithRule(update.rule, [&](auto rule) {
    const Updater<Real, rule()> updater(update);
    for (int64_t i = 0; i < count; i += kVec<Real>) {
      const Vec<Real> before = LoadVec(w + i);
      const Vec<Real> change = updater(before, LoadVec(g + i), i);
      StoreVec(updater.Bounded(hn::Sub(before, change)), w + i);
    }
  });
}

template void RunPass(const WeightPass<float>& pass);
template void RunPass(const WeightPass<double>& pass);
template void UpdateArray(const Update<float>&, const float*, int64_t, float*);
template void UpdateArray(const Update<double>&, const double*, int64_t, double*);

}  // namespace prospero
