#include "engine/core/activation.h"

#include "engine/core/kernels.h"
#include "engine/core/simd.h"
// After simd.h, which fixes the target.
#include "hwy/contrib/math/math-inl.h"

namespace prospero {
namespace {

template <class Real>
struct Linear {
  static void Apply(Vec<Real> z, Vec<Real>& r, Vec<Real>& r_prime) {
    r = z;
    r_prime = SetVec(Real{1});
  }
};

template <class Real>
struct Relu {
  static void Apply(Vec<Real> z, Vec<Real>& r, Vec<Real>& r_prime) {
    const Vec<Real> zero = hn::Zero(Tag<Real>());
    r_prime = hn::IfThenElseZero(hn::Gt(z, zero), SetVec(Real{1}));
    // A potential that is not a number must stay visible.
    r = hn::IfThenElse(hn::Lt(z, zero), zero, z);
  }
};

/// exp(−|z|), which Highway takes for 0 where z is not a number. That must stay visible.
template <class Real>
Vec<Real> ExpOfMinusAbs(Vec<Real> z) {
  const Vec<Real> x = hn::Exp(Tag<Real>(), hn::Neg(hn::Abs(z)));
  return hn::IfThenElse(hn::IsNaN(z), z, x);
}

/// 1 / (1 + exp(−z)) without overflow.
template <class Real>
Vec<Real> Logistic(Vec<Real> z) {
  const Vec<Real> one = SetVec(Real{1});
  const Vec<Real> x = ExpOfMinusAbs<Real>(z);
  const Vec<Real> upper = hn::Div(one, hn::Add(one, x));
  return hn::IfThenElse(hn::Lt(z, hn::Zero(Tag<Real>())), hn::Mul(x, upper), upper);
}

template <class Real>
struct Sigmoid {
  static void Apply(Vec<Real> z, Vec<Real>& r, Vec<Real>& r_prime) {
    r = Logistic<Real>(z);
    r_prime = hn::Mul(r, hn::Sub(SetVec(Real{1}), r));
  }
};

template <class Real>
struct Tanh {
  static void Apply(Vec<Real> z, Vec<Real>& r, Vec<Real>& r_prime) {
    r = hn::Tanh(Tag<Real>(), z);
    r_prime = hn::NegMulAdd(r, r, SetVec(Real{1}));
  }
};

template <class Real, int kLow>
struct Hard {
  static void Apply(Vec<Real> z, Vec<Real>& r, Vec<Real>& r_prime) {
    const Vec<Real> low = SetVec(Real{kLow}), one = SetVec(Real{1});
    const auto below = hn::Lt(z, low), above = hn::Gt(z, one);
    r = hn::IfThenElse(below, low, hn::IfThenElse(above, one, z));
    r_prime = hn::IfThenZeroElse(hn::Or(below, above), one);
  }
};

template <class Real>
struct Softplus {
  static void Apply(Vec<Real> z, Vec<Real>& r, Vec<Real>& r_prime) {
    // log(1 + exp z) = max(z, 0) + log(1 + exp(−|z|)) does not overflow.
    const Vec<Real> one = SetVec(Real{1}), zero = hn::Zero(Tag<Real>());
    const Vec<Real> x = ExpOfMinusAbs<Real>(z);
    const Vec<Real> upper = hn::Div(one, hn::Add(one, x));
    const auto negative = hn::Lt(z, zero);
    r = hn::Add(hn::IfThenElse(negative, zero, z), hn::Log1p(Tag<Real>(), x));
    r_prime = hn::IfThenElse(negative, hn::Mul(x, upper), upper);
  }
};

template <class Real>
struct HardLogistic {
  static void Apply(Vec<Real> z, Vec<Real>& r, Vec<Real>& r_prime) {
    const Vec<Real> zero = hn::Zero(Tag<Real>()), one = SetVec(Real{1});
    // z + 3 is exact where x is small.
    const Vec<Real> x = hn::Div(hn::Add(z, SetVec(Real{3})), SetVec(Real{6}));
    const auto inside = hn::And(hn::Gt(x, zero), hn::Lt(x, one));
    r_prime = hn::IfThenElseZero(inside, SetVec(Real{1} / Real{6}));
    r = hn::IfThenElse(hn::Lt(x, zero), zero, hn::IfThenElse(hn::Gt(x, one), one, x));
  }
};

template <class Real, class Phi>
void ActivateAs(const Real* z, int64_t n, int64_t padded, Real* r, Real* r_prime) {
  for (int64_t j = 0; j < n; j += kVec<Real>) {
    Vec<Real> rate, slope;
    Phi::Apply(LoadVec(z + j), rate, slope);
    StoreVec(rate, r + j);
    StoreVec(slope, r_prime + j);
  }
  for (int64_t j = n; j < padded; ++j) r[j] = r_prime[j] = 0;
}

/// Eigen's rational approximation takes a third of the time of an exponential. It has none for
/// double.
void ActivateAsTanh(const float* z, int64_t n, int64_t padded, float* r, float* r_prime) {
  Row<float> rate(r, padded), slope(r_prime, padded);
  rate = ConstRow<float>(z, padded).tanh();
  slope = 1.0f - rate.square();
  for (int64_t j = n; j < padded; ++j) r[j] = r_prime[j] = 0;
}
void ActivateAsTanh(const double* z, int64_t n, int64_t padded, double* r, double* r_prime) {
  ActivateAs<double, Tanh<double>>(z, n, padded, r, r_prime);
}

}  // namespace

template <class Real>
void Activate(Activation phi, const Real* z, int64_t n, int64_t padded, Real* r, Real* r_prime) {
  switch (phi) {
    case Activation::kLinear:
      return ActivateAs<Real, Linear<Real>>(z, n, padded, r, r_prime);
    case Activation::kRelu:
      return ActivateAs<Real, Relu<Real>>(z, n, padded, r, r_prime);
    case Activation::kSigmoid:
      return ActivateAs<Real, Sigmoid<Real>>(z, n, padded, r, r_prime);
    case Activation::kTanh:
      return ActivateAsTanh(z, n, padded, r, r_prime);
    case Activation::kHardSigmoid:
      return ActivateAs<Real, Hard<Real, 0>>(z, n, padded, r, r_prime);
    case Activation::kHardTanh:
      return ActivateAs<Real, Hard<Real, -1>>(z, n, padded, r, r_prime);
    case Activation::kSoftplus:
      return ActivateAs<Real, Softplus<Real>>(z, n, padded, r, r_prime);
    case Activation::kHardLogistic:
      return ActivateAs<Real, HardLogistic<Real>>(z, n, padded, r, r_prime);
  }
}

double MaxSlope(Activation phi) {
  switch (phi) {
    case Activation::kSigmoid:
      return 0.25;
    case Activation::kHardLogistic:
      return 1.0 / 6.0;
    default:
      return 1.0;
  }
}

template void Activate(Activation, const float*, int64_t, int64_t, float*, float*);
template void Activate(Activation, const double*, int64_t, int64_t, double*, double*);

}  // namespace prospero
