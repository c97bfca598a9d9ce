#include "engine/core/weight_kernels.h"

// Compiles the rest of this file once for each target.
#define HWY_DISABLE_PCLMUL_AES
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/core/weight_kernels.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h, which fixes the target.
#include "engine/core/batch_pass_inl.h"
#include "engine/core/single_pass_inl.h"

HWY_BEFORE_NAMESPACE();
namespace prospero {
namespace HWY_NAMESPACE {

template <class Real, Rule kRule, bool kWatched, bool kApart>
void SinglePassOf(const WeightPass<Real>& pass) {
  const bool forward = pass.s != nullptr, backward = pass.e_bottom != nullptr;
  if (forward && backward) return SinglePass<Real, kRule, kWatched, true, true, kApart>(pass);
  if (forward) return SinglePass<Real, kRule, kWatched, true, false, kApart>(pass);
  if (backward) return SinglePass<Real, kRule, kWatched, false, true, kApart>(pass);
  SinglePass<Real, kRule, kWatched, false, false, kApart>(pass);
}

// Functors and not lambdas, which would not be compiled for the target.

template <class Real, bool kWatched>
struct RunSingle {
  const WeightPass<Real>& pass;
  template <class RuleOf>
  void operator()(RuleOf /*rule*/) const {
    const bool apart = pass.learn_pre != pass.r_pre || pass.learn_post != pass.e_post;
    if (apart) return SinglePassOf<Real, RuleOf::value, kWatched, true>(pass);
    SinglePassOf<Real, RuleOf::value, kWatched, false>(pass);
  }
};

template <class Real, bool kWatched>
struct RunForward {
  const WeightPass<Real>& pass;
  template <class RuleOf>
  void operator()(RuleOf /*rule*/) const {
    ForwardAndLearn<Real, RuleOf::value, kWatched>(pass);
  }
};

template <template <class, bool> class Kernel, class Real>
void Run(const WeightPass<Real>& pass) {
  if (pass.count != nullptr) return WithRule(pass.update.rule, Kernel<Real, true>{pass});
  WithRule(pass.update.rule, Kernel<Real, false>{pass});
}

// The table of a kernel's targets wants names that are not overloaded.

void SingleFloat(const WeightPass<float>& pass) { Run<RunSingle>(pass); }
void SingleDouble(const WeightPass<double>& pass) { Run<RunSingle>(pass); }
void ForwardFloat(const WeightPass<float>& pass) { Run<RunForward>(pass); }
void ForwardDouble(const WeightPass<double>& pass) { Run<RunForward>(pass); }
void BackwardFloat(const WeightPass<float>& pass, int64_t begin, int64_t end, bool anew) {
  Backward(pass, begin, end, anew);
}
void BackwardDouble(const WeightPass<double>& pass, int64_t begin, int64_t end, bool anew) {
  Backward(pass, begin, end, anew);
}

}  // namespace HWY_NAMESPACE
}  // namespace prospero
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace prospero {

HWY_EXPORT(SingleFloat);
HWY_EXPORT(SingleDouble);
HWY_EXPORT(ForwardFloat);
HWY_EXPORT(ForwardDouble);
HWY_EXPORT(BackwardFloat);
HWY_EXPORT(BackwardDouble);

void RunSinglePass(const WeightPass<float>& pass) { HWY_DYNAMIC_DISPATCH(SingleFloat)(pass); }
void RunSinglePass(const WeightPass<double>& pass) { HWY_DYNAMIC_DISPATCH(SingleDouble)(pass); }
void RunForwardAndLearn(const WeightPass<float>& pass) { HWY_DYNAMIC_DISPATCH(ForwardFloat)(pass); }
void RunForwardAndLearn(const WeightPass<double>& pass) {
  HWY_DYNAMIC_DISPATCH(ForwardDouble)(pass);
}
void RunBackward(const WeightPass<float>& pass, int64_t begin, int64_t end, bool anew) {
  HWY_DYNAMIC_DISPATCH(BackwardFloat)(pass, begin, end, anew);
}
void RunBackward(const WeightPass<double>& pass, int64_t begin, int64_t end, bool anew) {
  HWY_DYNAMIC_DISPATCH(BackwardDouble)(pass, begin, end, anew);
}

}  // namespace prospero
#endif  // HWY_ONCE
