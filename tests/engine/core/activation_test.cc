#include "engine/core/activation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "engine/core/arena.h"

namespace prospero {
namespace {

long double Phi(Activation phi, long double z) {
  switch (phi) {
    case Activation::kLinear:
      return z;
    case Activation::kRelu:
      return z > 0 ? z : 0;
    case Activation::kSigmoid:
      return 1 / (1 + std::exp(-z));
    case Activation::kTanh:
      return std::tanh(z);
    case Activation::kHardSigmoid:
      return z < 0 ? 0 : z > 1 ? 1 : z;
    case Activation::kHardTanh:
      return z < -1 ? -1 : z > 1 ? 1 : z;
    case Activation::kSoftplus:
      return std::log1p(std::exp(z));
    case Activation::kHardLogistic:
      return z < -3 ? 0 : z > 3 ? 1 : z / 6 + 0.5L;
  }
  return 0;
}

long double PhiPrime(Activation phi, long double z) {
  switch (phi) {
    case Activation::kLinear:
      return 1;
    case Activation::kRelu:
      return z > 0 ? 1 : 0;
    case Activation::kSigmoid:
      return 1 / (1 + std::exp(-z)) / (1 + std::exp(z));
    case Activation::kTanh:
      return 1 / (std::cosh(z) * std::cosh(z));
    case Activation::kHardSigmoid:
      return z >= 0 && z <= 1 ? 1 : 0;
    case Activation::kHardTanh:
      return z >= -1 && z <= 1 ? 1 : 0;
    case Activation::kSoftplus:
      return 1 / (1 + std::exp(-z));
    case Activation::kHardLogistic:
      return z > -3 && z < 3 ? 1.0L / 6 : 0;
  }
  return 0;
}

constexpr Activation kAll[] = {Activation::kLinear,      Activation::kRelu,
                               Activation::kSigmoid,     Activation::kTanh,
                               Activation::kHardSigmoid, Activation::kHardTanh,
                               Activation::kSoftplus,    Activation::kHardLogistic};

template <class Real>
long double Off(Real ours, long double exact) {
  return std::abs(static_cast<long double>(ours) - exact);
}

template <class Real>
struct Rows {
  explicit Rows(int64_t n) : padded(PaddedRow<Real>(n)) {
    for (Real** row : {&z, &r, &r_prime}) arena.Want(row, padded);
    EXPECT_TRUE(arena.Allocate());
  }
  int64_t padded;
  Real *z = nullptr, *r = nullptr, *r_prime = nullptr;
  Arena arena;
};

/// Rates within `ulp` units in the last place; slopes too, or as many parts of 1 (they are
/// computed from rates).
template <class Real>
void ExpectAccurate(Activation phi, double ulp) {
  constexpr int64_t kCount = 4001;
  Rows<Real> rows(kCount);
  for (int64_t i = 0; i < kCount; ++i) rows.z[i] = static_cast<Real>(i - kCount / 2) / Real(100);
  Activate(phi, rows.z, kCount, rows.padded, rows.r, rows.r_prime);
  const auto epsilon = static_cast<long double>(std::numeric_limits<Real>::epsilon());
  for (int64_t i = 0; i < kCount; ++i) {
    const auto z = static_cast<long double>(rows.z[i]);
    const long double r = Phi(phi, z);
    const auto bound = static_cast<long double>(ulp) * epsilon;
    ASSERT_LE(Off(rows.r[i], r), bound * std::abs(r)) << static_cast<int>(phi) << " at " << z;
    ASSERT_LE(Off(rows.r_prime[i], PhiPrime(phi, z)), bound)
        << static_cast<int>(phi) << " at " << z;
  }
}

TEST(Activate, IsAccurateInBothPrecisions) {
  for (const Activation phi : kAll) {
    ASSERT_NO_FATAL_FAILURE(ExpectAccurate<double>(phi, 4));
    ASSERT_NO_FATAL_FAILURE(ExpectAccurate<float>(phi, 6));
  }
}

template <class Real>
void ExpectFinite(Activation phi) {
  Rows<Real> rows(3);
  rows.z[0] = Real(1e30);
  rows.z[1] = Real(-1e30);
  rows.z[2] = 0;
  Activate(phi, rows.z, 3, rows.padded, rows.r, rows.r_prime);
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(std::isfinite(rows.r[i]) && std::isfinite(rows.r_prime[i]));
    EXPECT_LE(Off(rows.r_prime[i], PhiPrime(phi, i == 0 ? 1e3L : i == 1 ? -1e3L : 0)), 1e-7L);
  }
}

TEST(Activate, SaturatesFarAway) {
  for (const Activation phi : kAll) {
    ExpectFinite<float>(phi);
    ExpectFinite<double>(phi);
  }
}

template <class Real>
void ExpectZeroPadding(Activation phi) {
  for (int64_t n = 1; n <= 17; ++n) {
    Rows<Real> rows(n);
    for (int64_t i = 0; i < rows.padded; ++i) rows.z[i] = rows.r[i] = rows.r_prime[i] = 5;
    Activate(phi, rows.z, n, rows.padded, rows.r, rows.r_prime);
    for (int64_t i = n; i < rows.padded; ++i) {
      EXPECT_EQ(rows.r[i], 0);
      EXPECT_EQ(rows.r_prime[i], 0);
    }
  }
}

TEST(Activate, LeavesThePaddingZero) {
  for (const Activation phi : kAll) {
    ExpectZeroPadding<float>(phi);
    ExpectZeroPadding<double>(phi);
  }
}

TEST(Activate, HasSlopeOneOnTheClosedInterval) {
  Rows<double> rows(4);
  const double z[] = {0, 1, std::nextafter(1.0, 2.0), -1e-300};
  std::copy_n(z, 4, rows.z);
  Activate(Activation::kHardSigmoid, rows.z, 4, rows.padded, rows.r, rows.r_prime);
  EXPECT_EQ(rows.r_prime[0], 1);
  EXPECT_EQ(rows.r_prime[1], 1);
  EXPECT_EQ(rows.r_prime[2], 0);
  EXPECT_EQ(rows.r_prime[3], 0);
}

}  // namespace
}  // namespace prospero
