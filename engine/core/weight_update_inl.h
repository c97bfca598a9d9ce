#if defined(PROSPERO_ENGINE_CORE_WEIGHT_UPDATE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef PROSPERO_ENGINE_CORE_WEIGHT_UPDATE_INL_H
#undef PROSPERO_ENGINE_CORE_WEIGHT_UPDATE_INL_H
#else
#define PROSPERO_ENGINE_CORE_WEIGHT_UPDATE_INL_H
#endif

#include "engine/core/update_counter_inl.h"
#include "engine/core/update_inl.h"
#include "engine/core/weight_pass.h"

HWY_BEFORE_NAMESPACE();
namespace prospero {
namespace HWY_NAMESPACE {

/// Columns that a pass takes at a time, so that what belongs to them stays in the first cache.
template <class Real>
inline constexpr int64_t kBlockColumns = 4096 / static_cast<int64_t>(sizeof(Real));

/// The update of the weights of W by one rule.
template <class Real, Rule kRule, bool kWatched>
class WeightUpdate {
 public:
  explicit WeightUpdate(const WeightPass<Real>& pass) : updater_(pass.update), W_(pass.W) {}

  /// What the last factor of a gradient is multiplied with beforehand.
  static Real Scale(const WeightPass<Real>& pass) {
    const int64_t count = pass.mean_over > 0 ? pass.mean_over : pass.batch;
    const Real mean = Real{1} / static_cast<Real>(count);
    return kRule == Rule::kPlainSgd ? pass.update.eta * mean : -mean;
  }

  /// Moves the weights w that stand at `at`, where Scale Σ e r = a b.
  HWY_INLINE void operator()(Vec<Real> w, Vec<Real> a, Vec<Real> b, Real* at) {
    if constexpr (kRule == Rule::kPlainSgd) {
      const Vec<Real> after = hn::MulAdd(a, b, w);
      if constexpr (kWatched) counter_.See(w, after, hn::Mul(a, b), PartOf(at));
      StoreVec(after, at);
    } else if constexpr (kRule != Rule::kFixed) {
      const Vec<Real> change = updater_(w, hn::Mul(a, b), at - W_);
      const Vec<Real> after = updater_.Bounded(hn::Sub(w, change));
      if constexpr (kWatched) counter_.See(w, after, change, PartOf(at));
      StoreVec(after, at);
    }
  }

  void AddTo(UpdateCount* count) const { counter_.AddTo(count); }

 private:
  HWY_INLINE int64_t PartOf(const Real* at) const { return (at - W_) / kVec<Real> % kParts<Real>; }

  const Updater<Real, kRule> updater_;
  Real* const W_;
  UpdateCounter<Real, kWatched> counter_;
};

}  // namespace HWY_NAMESPACE
}  // namespace prospero
HWY_AFTER_NAMESPACE();

#endif  // per target
