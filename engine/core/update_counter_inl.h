#if defined(PROSPERO_ENGINE_CORE_UPDATE_COUNTER_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef PROSPERO_ENGINE_CORE_UPDATE_COUNTER_INL_H
#undef PROSPERO_ENGINE_CORE_UPDATE_COUNTER_INL_H
#else
#define PROSPERO_ENGINE_CORE_UPDATE_COUNTER_INL_H
#endif

#include "engine/core/simd_inl.h"
#include "engine/core/update.h"

HWY_BEFORE_NAMESPACE();
namespace prospero {
namespace HWY_NAMESPACE {

/// Counts what updates did to vectors of weights; nothing at all when kWatched is false. Each
/// lane of a column block has a sum of its own, so that the width of a vector does not show.
template <class Real, bool kWatched>
class UpdateCounter {
 public:
  /// `change`: the nonzero update that was meant, of either sign. `part`: which vector of a
  /// column block this is.
  HWY_INLINE void See([[maybe_unused]] Vec<Real> before, [[maybe_unused]] Vec<Real> after,
                      [[maybe_unused]] Vec<Real> change, [[maybe_unused]] int64_t part) {
    if constexpr (kWatched) {
      const Tag<Real> tag;
      const auto meant = hn::Ne(change, hn::Zero(tag));
      swallowed_ += static_cast<int64_t>(hn::CountTrue(tag, hn::And(meant, hn::Eq(before, after))));
      alignas(kRowBytes) Real moved[kVec<Real>];
      StoreVec(hn::Sub(after, before), moved);
      double* const sums = squared_change_ + part * kVec<Real>;
      for (int64_t k = 0; k < kVec<Real>; ++k) {
        sums[k] += static_cast<double>(moved[k]) * static_cast<double>(moved[k]);
      }
    }
  }

  void AddTo([[maybe_unused]] UpdateCount* count) const {
    if constexpr (kWatched) {
      count->swallowed += swallowed_;
      for (const double sum : squared_change_) count->squared_change += sum;
    }
  }

 private:
  int64_t swallowed_ = 0;
  double squared_change_[kWatched ? kLanes<Real> : 1] = {};
};

}  // namespace HWY_NAMESPACE
}  // namespace prospero
HWY_AFTER_NAMESPACE();

#endif  // per target
