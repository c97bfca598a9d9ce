#include "engine/core/normal.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <thread>
#include <vector>

#include "engine/core/arena.h"
#include "engine/core/random.h"

namespace prospero {
namespace {

/// `count` aligned values.
template <class Real>
class Normals {
 public:
  Normals(uint64_t seed, uint64_t stream, int64_t step, int64_t row, int64_t count)
      : count_(count) {
    arena_.Want(&values_, count);
    EXPECT_TRUE(arena_.Allocate());
    FillNormal(seed, stream, step, row, count, values_);
  }
  Real operator[](int64_t i) const { return values_[i]; }
  std::vector<Real> all() const { return {values_, values_ + count_}; }

 private:
  const int64_t count_;
  Real* values_ = nullptr;
  Arena arena_;
};

constexpr uint32_t Low(uint64_t x) { return static_cast<uint32_t>(x); }
constexpr uint32_t High(uint64_t x) { return static_cast<uint32_t>(x >> 32); }

double Fraction(uint32_t low, uint32_t high) {
  return static_cast<double>((uint64_t{high} << 32 | low) >> 12) * 0x1p-52;
}

TEST(FillNormal, IsPhiloxThroughBoxAndMuller) {
  constexpr uint64_t kSeed = 0x0123456789abcdef, kStream = 0xfedcba9876543210;
  constexpr int64_t kStep = (int64_t{7} << 32) + 5, kRow = 3;
  const Normals<double> normals(kSeed, kStream, kStep, kRow, 24);
  const std::array<uint32_t, 4> key =
      Philox({Low(kStream), High(kStream), kRow, 0}, {Low(kSeed), High(kSeed)});
  for (int64_t i = 0; i < 24; i += 8) {
    for (int64_t k = 0; k < 4; ++k) {
      const std::array<uint32_t, 4> bits =
          Philox({static_cast<uint32_t>(i / 2 + k), Low(kStep), High(kStep), 0}, {key[0], key[1]});
      const double radius = std::sqrt(-2 * std::log(1 - Fraction(bits[0], bits[1])));
      const double angle = 2 * std::numbers::pi * Fraction(bits[2], bits[3]);
      EXPECT_NEAR(normals[i + k], radius * std::cos(angle), 1e-14);
      EXPECT_NEAR(normals[i + k + 4], radius * std::sin(angle), 1e-14);
    }
  }
}

// As normal.h promises, for 40,000 pairs.
TEST(FillNormal, IsAsAccurateAsItSays) {
  constexpr uint32_t kSeed = 1, kStream = 2;
  constexpr int64_t kCount = 800;
  const std::array<uint32_t, 4> key = Philox({kStream, 0, 0, 0}, {kSeed, 0});
  for (uint32_t step = 0; step < 100; ++step) {
    const Normals<double> normals(kSeed, kStream, step, 0, kCount);
    for (int64_t i = 0; i < kCount / 2; ++i) {
      const std::array<uint32_t, 4> bits =
          Philox({static_cast<uint32_t>(i), step, 0, 0}, {key[0], key[1]});
      const auto uniform = static_cast<long double>(1 - Fraction(bits[0], bits[1]));
      const auto turn = static_cast<long double>(Fraction(bits[2], bits[3]));
      const long double radius = std::sqrt(-2 * std::log(uniform));
      const long double angle = 2 * std::numbers::pi_v<long double> * turn;
      const int64_t at = i / 4 * 8 + i % 4;
      const long double bound = 4 * radius * 0x1p-52L;
      const auto off = [&](int64_t place, long double exact) {
        return std::abs(static_cast<long double>(normals[place]) - exact);
      };
      ASSERT_LE(off(at, radius * std::cos(angle)), bound) << "step " << step << ", pair " << i;
      ASSERT_LE(off(at + 4, radius * std::sin(angle)), bound) << "step " << step << ", pair " << i;
    }
  }
}

// Networks with noise must go on as they did.
TEST(FillNormal, NeverChanges) {
  const Normals<double> normals(42, 7, 1000, 3, 8);
  EXPECT_EQ(normals.all(),
            (std::vector<double>{0x1.2d8f361b05594p+0, 0x1.ae0b34cb2ca5cp-2, 0x1.04b6217b55511p-4,
                                 -0x1.2719f0b1e80bdp-2, 0x1.3edc446aa1c8ep-3, -0x1.547d8b5f4d26cp-2,
                                 -0x1.cdbd6a5361befp-1, 0x1.061ada4ba5d34p-1}));
}

TEST(FillNormal, GivesTheSameBitsInEveryThread) {
  const std::vector<double> expected = Normals<double>(1, 2, 3, 4, 64).all();
  std::vector<std::vector<double>> drawn(4);
  std::vector<std::thread> threads;
  for (std::vector<double>& mine : drawn) {
    threads.emplace_back([&mine] { mine = Normals<double>(1, 2, 3, 4, 64).all(); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<double>& each : drawn) EXPECT_EQ(each, expected);
}

TEST(FillNormal, RoundsTheSameNumbersToSinglePrecision) {
  const Normals<double> wide(1, 2, 3, 4, 64);
  const Normals<float> narrow(1, 2, 3, 4, 64);
  for (int64_t i = 0; i < 64; ++i) EXPECT_EQ(narrow[i], static_cast<float>(wide[i]));
}

TEST(FillNormal, DependsOnSeedStreamStepAndRow) {
  const std::vector<double> first = Normals<double>(1, 2, 3, 4, 8).all();
  EXPECT_EQ(Normals<double>(1, 2, 3, 4, 8).all(), first);
  EXPECT_NE(Normals<double>(2, 2, 3, 4, 8).all(), first);
  EXPECT_NE(Normals<double>(1, 3, 3, 4, 8).all(), first);
  EXPECT_NE(Normals<double>(1, 2, 4, 4, 8).all(), first);
  EXPECT_NE(Normals<double>(1, 2, 3, 5, 8).all(), first);
}

TEST(FillNormal, DoesNotDependOnTheLengthOfTheRow) {
  const Normals<double> a(1, 2, 3, 4, 16), b(1, 2, 3, 4, 64);
  for (int64_t i = 0; i < 16; ++i) EXPECT_EQ(a[i], b[i]);
}

// Bounds of five standard errors: a correct generator passes all but 3 in a million seeds.
TEST(FillNormal, IsStandardNormalAndWhite) {
  constexpr int64_t kSteps = 4000, kCount = 64;
  constexpr double kTotal = kSteps * kCount;
  double moments[5] = {}, lag_in_row = 0, lag_in_time = 0;
  std::vector<double> before(kCount, 0.0);
  for (int64_t step = 0; step < kSteps; ++step) {
    const Normals<double> now(11, 5, step, 0, kCount);
    for (int64_t i = 0; i < kCount; ++i) {
      for (int k = 1; k < 5; ++k) moments[k] += std::pow(now[i], k) / kTotal;
      lag_in_time += now[i] * before[static_cast<size_t>(i)] / kTotal;
      if (i > 0) lag_in_row += now[i] * now[i - 1] / kTotal;
    }
    before = now.all();
  }
  const double error = 5 / std::sqrt(kTotal);
  EXPECT_NEAR(moments[1], 0, error);
  EXPECT_NEAR(moments[2], 1, error * std::sqrt(2.0));
  EXPECT_NEAR(moments[3], 0, error * std::sqrt(15.0));
  EXPECT_NEAR(moments[4], 3, error * std::sqrt(96.0));
  EXPECT_NEAR(lag_in_row, 0, error);
  EXPECT_NEAR(lag_in_time, 0, error);
}

}  // namespace
}  // namespace prospero
