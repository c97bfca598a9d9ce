#include "engine/core/activation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <thread>
#include <type_traits>
#include <vector>

#include "engine/core/arena.h"
#include "engine/core/float_mode.h"

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
      return std::max(z, 0.0L) + std::log1p(std::exp(-std::abs(z)));
    case Activation::kHardLogistic:
      return z < -3 ? 0 : z > 3 ? 1 : (z + 3) / 6;
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

const char* Name(Activation phi) {
  constexpr const char* kNames[] = {"linear",       "relu",      "sigmoid",  "tanh",
                                    "hard sigmoid", "hard tanh", "softplus", "hard logistic"};
  return kNames[static_cast<size_t>(phi)];
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

/// The distance of numbers of that precision about `x`; of the smallest normal ones below them.
template <class Real>
long double Ulp(long double x) {
  using Limits = std::numeric_limits<Real>;
  const long double size = std::max(std::abs(x), static_cast<long double>(Limits::min()));
  return std::ldexp(1.0L, std::ilogb(size) + 1 - Limits::digits);
}

/// |ours - exact| is at most `ulp` units in the last place, or both are less than the smallest
/// normal number.
template <class Real>
bool IsWithin(Real ours, long double exact, double ulp) {
  const auto smallest = static_cast<long double>(std::numeric_limits<Real>::min());
  const auto value = static_cast<long double>(ours);
  if (std::abs(exact) <= smallest) return std::abs(value - exact) <= smallest;
  return std::abs(value - exact) <= static_cast<long double>(ulp) * Ulp<Real>(exact);
}

/// Numbers of all signs and magnitudes, denormal ones too, and many between -20 and 20.
template <class Real>
std::vector<Real> Sweep() {
  using Bits = std::conditional_t<sizeof(Real) == 4, uint32_t, uint64_t>;
  constexpr Bits kCount = 40'009;
  std::vector<Real> sweep;
  for (Bits i = 0; i < kCount; ++i) {
    const Bits bits = i * (std::numeric_limits<Bits>::max() / kCount);
    Real z = 0;
    std::memcpy(&z, &bits, sizeof(Real));
    if (std::isfinite(z)) sweep.push_back(z);
    sweep.push_back(static_cast<Real>(i) / Real(1000.1) - Real(20));
  }
  return sweep;
}

struct Accuracy {
  double rate = 0;   ///< [units in the last place]
  double slope = 0;  ///< [distance from 1 to the next number]
};

template <class Real>
void ExpectAccurate(Activation phi, Accuracy accuracy) {
  const std::vector<Real> sweep = Sweep<Real>();
  const auto count = static_cast<int64_t>(sweep.size());
  Rows<Real> rows(count);
  std::copy(sweep.begin(), sweep.end(), rows.z);
  {
    const FloatMode mode;
    Activate(phi, rows.z, count, rows.padded, rows.r, rows.r_prime);
  }
  const auto epsilon = static_cast<long double>(std::numeric_limits<Real>::epsilon());
  for (int64_t i = 0; i < count; ++i) {
    const auto z = static_cast<long double>(rows.z[i]);
    ASSERT_TRUE(IsWithin(rows.r[i], Phi(phi, z), accuracy.rate)) << Name(phi) << " at " << z;
    // A step in the slope may be taken at 0 instead of at a denormal number.
    if (std::abs(z) < static_cast<long double>(std::numeric_limits<Real>::min())) continue;
    const long double slope = PhiPrime(phi, z);
    ASSERT_LE(std::abs(static_cast<long double>(rows.r_prime[i]) - slope),
              static_cast<long double>(accuracy.slope) * epsilon)
        << Name(phi) << " at " << z;
  }
}

// As activation.h promises.
TEST(Activate, IsAsAccurateAsItSaysInSinglePrecision) {
  for (const Activation phi : kAll) {
    const bool is_tanh = phi == Activation::kTanh;
    ASSERT_NO_FATAL_FAILURE(ExpectAccurate<float>(phi, {is_tanh ? 5.0 : 3.0, is_tanh ? 5.0 : 1.0}));
  }
}

TEST(Activate, IsAsAccurateAsItSaysInDoublePrecision) {
  for (const Activation phi : kAll) {
    const bool is_tanh = phi == Activation::kTanh;
    ASSERT_NO_FATAL_FAILURE(
        ExpectAccurate<double>(phi, {is_tanh ? 4.0 : 3.0, is_tanh ? 2.0 : 1.0}));
  }
}

template <class Real>
void ExpectLimits(Activation phi) {
  using Limits = std::numeric_limits<Real>;
  Rows<Real> rows(8);
  const Real z[] = {
      Limits::max(), -Limits::max(),       Limits::infinity(),   -Limits::infinity(), 0,
      -Real(0),      Limits::denorm_min(), -Limits::denorm_min()};
  std::copy_n(z, 8, rows.z);
  Activate(phi, rows.z, 8, rows.padded, rows.r, rows.r_prime);
  for (int64_t i = 0; i < 8; ++i) {
    const auto exact = static_cast<Real>(Phi(phi, static_cast<long double>(z[i])));
    if (std::isinf(z[i])) {
      EXPECT_EQ(rows.r[i], exact) << Name(phi) << " at " << z[i];
    } else {
      EXPECT_TRUE(IsWithin(rows.r[i], Phi(phi, static_cast<long double>(z[i])), 3))
          << Name(phi) << " at " << z[i];
    }
    EXPECT_TRUE(std::isfinite(rows.r_prime[i])) << Name(phi) << " at " << z[i];
  }
}

TEST(Activate, GivesTheLimitsFarAwayAndAtZero) {
  for (const Activation phi : kAll) {
    ExpectLimits<float>(phi);
    ExpectLimits<double>(phi);
  }
}

template <class Real>
void ExpectVisible(Activation phi) {
  Rows<Real> rows(3);
  rows.z[1] = std::numeric_limits<Real>::quiet_NaN();
  Activate(phi, rows.z, 3, rows.padded, rows.r, rows.r_prime);
  EXPECT_TRUE(std::isnan(rows.r[1])) << Name(phi);
  EXPECT_TRUE(std::isfinite(rows.r[0]) && std::isfinite(rows.r[2])) << Name(phi);
}

// A network that has left the finite range must be seen to have done so.
TEST(Activate, HidesNothingThatIsNotANumber) {
  for (const Activation phi : kAll) {
    ExpectVisible<float>(phi);
    ExpectVisible<double>(phi);
  }
}

/// The bits that stand for r and r′ of each z when neuron i stands at place i + `shift` of a row.
template <class Real>
std::vector<Real> AtOtherPlaces(Activation phi, const std::vector<Real>& z, int64_t shift) {
  const auto n = static_cast<int64_t>(z.size());
  Rows<Real> rows(n + shift);
  std::copy(z.begin(), z.end(), rows.z + shift);
  Activate(phi, rows.z, n + shift, rows.padded, rows.r, rows.r_prime);
  std::vector<Real> result(rows.r + shift, rows.r + shift + n);
  result.insert(result.end(), rows.r_prime + shift, rows.r_prime + shift + n);
  return result;
}

template <class Real>
void ExpectSameEverywhere(Activation phi) {
  std::vector<Real> z;
  for (int i = 0; i < 40; ++i) z.push_back(static_cast<Real>(i * i) / Real(77) - Real(9));
  const std::vector<Real> expected = AtOtherPlaces(phi, z, 0);
  for (int64_t shift = 1; shift <= 17; ++shift) {
    EXPECT_EQ(AtOtherPlaces(phi, z, shift), expected) << Name(phi) << ", moved by " << shift;
  }
  for (size_t n = 1; n < z.size(); ++n) {
    const std::vector<Real> some = AtOtherPlaces<Real>(phi, {z.data(), z.data() + n}, 0);
    for (size_t i = 0; i < n; ++i) {
      ASSERT_EQ(some[i], expected[i]) << Name(phi) << ", " << i << " of " << n;
      ASSERT_EQ(some[n + i], expected[z.size() + i]) << Name(phi) << ", " << i << " of " << n;
    }
  }
  std::vector<std::vector<Real>> of_threads(4);
  std::vector<std::thread> threads;
  for (std::vector<Real>& mine : of_threads) {
    threads.emplace_back([&] { mine = AtOtherPlaces(phi, z, 0); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<Real>& each : of_threads) EXPECT_EQ(each, expected) << Name(phi);
}

TEST(Activate, GivesTheSameBitsInEveryPlaceLengthAndThread) {
  for (const Activation phi : kAll) {
    ExpectSameEverywhere<float>(phi);
    ExpectSameEverywhere<double>(phi);
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
