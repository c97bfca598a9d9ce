#if defined(PROSPERO_ENGINE_CORE_UPDATE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef PROSPERO_ENGINE_CORE_UPDATE_INL_H
#undef PROSPERO_ENGINE_CORE_UPDATE_INL_H
#else
#define PROSPERO_ENGINE_CORE_UPDATE_INL_H
#endif

#include <cstdint>
#include <type_traits>

#include "engine/core/simd_inl.h"
#include "engine/core/update.h"

HWY_BEFORE_NAMESPACE();
namespace prospero {
namespace HWY_NAMESPACE {

/// The update of one vector of values by one rule; the optimizers stand here and only here.
template <class Real, Rule kRule>
class Updater {
 public:
  explicit Updater(const Update<Real>& update)
      : eta_(SetVec(update.eta)),
        weight_decay_(SetVec(update.weight_decay)),
        clip_(SetVec(update.clip)),
        bound_(SetVec(update.bound)),
        momentum_(SetVec(update.momentum)),
        beta1_(SetVec(update.beta1)),
        beta2_(SetVec(update.beta2)),
        epsilon_(SetVec(update.epsilon)),
        m_scale_(SetVec(update.m_scale)),
        v2_scale_(SetVec(update.v2_scale)),
        mix_(SetVec(update.mix)),
        m_(update.m),
        v2_(update.v2) {}

  /// What is taken from w, which stands at `offset` in its array: η (optimizer(g) +
  /// weight_decay w). Moves m and v2 on.
  Vec<Real> operator()(Vec<Real> w, Vec<Real> g, int64_t offset) const {
    if constexpr (kRule == Rule::kPlainSgd) return hn::Mul(eta_, g);
    g = hn::Min(hn::Max(g, hn::Neg(clip_)), clip_);
    return hn::Mul(eta_, hn::MulAdd(weight_decay_, w, Direction(g, offset)));
  }

  /// w within its bound. One that is not a number stays so.
  Vec<Real> Bounded(Vec<Real> w) const {
    if constexpr (kRule == Rule::kPlainSgd) return w;
    const Vec<Real> low = hn::IfThenElse(hn::Lt(w, hn::Neg(bound_)), hn::Neg(bound_), w);
    return hn::IfThenElse(hn::Gt(low, bound_), bound_, low);
  }

 private:
  Vec<Real> Direction(Vec<Real> g, [[maybe_unused]] int64_t offset) const {
    if constexpr (kRule == Rule::kMomentum) {
      const Vec<Real> moved = hn::MulAdd(momentum_, LoadVec(m_ + offset), g);
      StoreVec(moved, m_ + offset);
      return moved;
    } else if constexpr (kRule == Rule::kLowPass) {
      const Vec<Real> m = LoadVec(m_ + offset);
      const Vec<Real> moved = hn::MulAdd(mix_, hn::Sub(g, m), m);
      StoreVec(moved, m_ + offset);
      return moved;
    } else if constexpr (kRule == Rule::kAdam) {
      // β m + (1 − β) g = g + β (m − g)
      const Vec<Real> first = hn::MulAdd(beta1_, hn::Sub(LoadVec(m_ + offset), g), g);
      const Vec<Real> g2 = hn::Mul(g, g);
      const Vec<Real> second = hn::MulAdd(beta2_, hn::Sub(LoadVec(v2_ + offset), g2), g2);
      StoreVec(first, m_ + offset);
      StoreVec(second, v2_ + offset);
      const Vec<Real> root = hn::MulAdd(hn::Sqrt(second), v2_scale_, epsilon_);
      return hn::Div(hn::Mul(first, m_scale_), root);
    } else {
      return g;
    }
  }

  Vec<Real> eta_, weight_decay_, clip_, bound_, momentum_, beta1_, beta2_, epsilon_, m_scale_,
      v2_scale_, mix_;
  Real* m_;
  Real* v2_;
};

/// Calls run(std::integral_constant<Rule, rule>()).
template <class Run>
void WithRule(Rule rule, Run run) {
  switch (rule) {
    case Rule::kFixed:
      return run(std::integral_constant<Rule, Rule::kFixed>());
    case Rule::kPlainSgd:
      return run(std::integral_constant<Rule, Rule::kPlainSgd>());
    case Rule::kSgd:
      return run(std::integral_constant<Rule, Rule::kSgd>());
    case Rule::kMomentum:
      return run(std::integral_constant<Rule, Rule::kMomentum>());
    case Rule::kAdam:
      return run(std::integral_constant<Rule, Rule::kAdam>());
    case Rule::kLowPass:
      return run(std::integral_constant<Rule, Rule::kLowPass>());
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace prospero
HWY_AFTER_NAMESPACE();

#endif  // per target
