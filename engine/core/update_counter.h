#pragma once

#include "engine/core/simd.h"
#include "engine/core/update.h"

namespace prospero {

/// Counts what updates did to vectors of weights; nothing at all when kWatched is false.
template <class Real, bool kWatched>
class UpdateCounter {
 public:
  /// `change`: the nonzero update that was meant, of either sign.
  void See([[maybe_unused]] Vec<Real> before, [[maybe_unused]] Vec<Real> after,
           [[maybe_unused]] Vec<Real> change) {
    if constexpr (kWatched) {
      const Tag<Real> tag;
      const auto meant = hn::Ne(change, hn::Zero(tag));
      swallowed_ += static_cast<int64_t>(hn::CountTrue(tag, hn::And(meant, hn::Eq(before, after))));
      alignas(32) Real moved[kVec<Real>];
      StoreVec(hn::Sub(after, before), moved);
      for (const Real x : moved) squared_change_ += static_cast<double>(x) * static_cast<double>(x);
    }
  }

  void AddTo([[maybe_unused]] UpdateCount* count) const {
    if constexpr (kWatched) {
      count->swallowed += swallowed_;
      count->squared_change += squared_change_;
    }
  }

 private:
  int64_t swallowed_ = 0;
  double squared_change_ = 0;
};

}  // namespace prospero
