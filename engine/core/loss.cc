#include "engine/core/loss.h"

#include <algorithm>
#include <cmath>

namespace prospero {
namespace {

template <class Real>
double TeachMse(Real beta, const Real* t, const Real* y, int64_t n, Real* e) {
  double loss = 0;
  for (int64_t i = 0; i < n; ++i) {
    const Real error = t[i] - y[i];
    e[i] += beta * error;
    loss += static_cast<double>(error) * static_cast<double>(error);
  }
  return 0.5 * loss;
}

/// log Σ exp y without overflow.
template <class Real>
double LogSumExp(const Real* y, int64_t n) {
  const auto top = static_cast<double>(*std::max_element(y, y + n));
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += std::exp(static_cast<double>(y[i]) - top);
  return top + std::log(sum);
}

template <class Real>
double TeachCrossEntropy(Real beta, const Real* t, const Real* y, int64_t n, Real* e) {
  const double log_sum = LogSumExp(y, n);
  double loss = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double log_softmax = static_cast<double>(y[i]) - log_sum;
    e[i] += beta * (t[i] - static_cast<Real>(std::exp(log_softmax)));
    loss -= static_cast<double>(t[i]) * log_softmax;
  }
  return loss;
}

}  // namespace

template <class Real>
double Teach(Loss loss, Real beta, const Real* t, const Real* y, int64_t n, Real* e) {
  return loss == Loss::kMse ? TeachMse(beta, t, y, n, e) : TeachCrossEntropy(beta, t, y, n, e);
}

template double Teach(Loss, float, const float*, const float*, int64_t, float*);
template double Teach(Loss, double, const double*, const double*, int64_t, double*);

}  // namespace prospero
