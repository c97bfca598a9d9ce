#include "engine/core/loss.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

namespace prospero {
namespace {

/// Eight sums side by side: one alone would make each term wait for the one before.
template <class Real>
double TeachMse(Real beta, const Real* t, const Real* y, int64_t n, Real* e) {
  constexpr int64_t kSums = 8;
  double sums[kSums] = {};
  const auto teach = [=, &sums](int64_t i, int64_t k) {
    const Real error = t[i + k] - y[i + k];
    e[i + k] += beta * error;
    sums[k] += static_cast<double>(error) * static_cast<double>(error);
  };
  int64_t i = 0;
  for (; i + kSums <= n; i += kSums) {
    for (int64_t k = 0; k < kSums; ++k) teach(i, k);
  }
  for (int64_t k = 0; i + k < n; ++k) teach(i, k);
  return 0.5 * std::accumulate(std::begin(sums), std::end(sums), 0.0);
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
