#include "engine/core/update.h"

#include <cassert>

#include "engine/core/simd.h"
// After simd.h, which fixes the target.
#include "engine/core/update_inl.h"

namespace prospero {

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

template void UpdateArray(const Update<float>&, const float*, int64_t, float*);
template void UpdateArray(const Update<double>&, const double*, int64_t, double*);

}  // namespace prospero
