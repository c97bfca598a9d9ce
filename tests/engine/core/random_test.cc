#include "engine/core/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

namespace prospero {
namespace {

using Block = std::array<uint32_t, 4>;

TEST(Philox, GivesItsKnownAnswers) {
  EXPECT_EQ(Philox({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(Philox({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomStream, IsAFunctionOfSeedStreamAndIndex) {
  const RandomStream random(3, "hidden.b");
  EXPECT_EQ(random.Uniform(5), RandomStream(3, "hidden.b").Uniform(5));
  EXPECT_NE(random.Uniform(5), random.Uniform(6));
  EXPECT_NE(random.Uniform(5), RandomStream(4, "hidden.b").Uniform(5));
  EXPECT_NE(random.Uniform(5), RandomStream(3, "hidden.c").Uniform(5));
}

// Every length and stride, across the carry from the lower word of the index to the upper.
TEST(RandomStream, GivesTheSameBitsOneByOneAndManyAtATime) {
  const RandomStream random(0x0123456789abcdef, uint64_t{0xfedcba9876543210});
  for (const int64_t stride : {int64_t{1}, int64_t{3}, int64_t{1000}, int64_t{1} << 33}) {
    for (const int64_t first : {int64_t{0}, int64_t{7}, (int64_t{1} << 32) - 5}) {
      for (int64_t count = 0; count <= 21; ++count) {
        std::vector<double> many(static_cast<size_t>(count) + 1, -1.0);
        random.Uniform(first, stride, count, many.data());
        for (int64_t k = 0; k < count; ++k) {
          ASSERT_EQ(many[static_cast<size_t>(k)], random.Uniform(first + k * stride))
              << first << " + " << k << " * " << stride;
        }
        ASSERT_EQ(many.back(), -1.0) << "nothing is written beyond";
      }
    }
  }
}

TEST(RandomStream, IsUniformOnTheUnitInterval) {
  const RandomStream random(1, uint64_t{2});
  constexpr int kCount = 100'000;
  double sum = 0, squares = 0;
  for (int i = 0; i < kCount; ++i) {
    const double x = random.Uniform(i);
    ASSERT_GE(x, 0.0);
    ASSERT_LT(x, 1.0);
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / kCount, 1.0 / 2, 0.005);
  EXPECT_NEAR(squares / kCount, 1.0 / 3, 0.005);
}

TEST(RandomStream, IsStandardNormal) {
  const RandomStream random(1, uint64_t{2});
  constexpr int kCount = 100'000;
  double moments[5] = {};
  for (int i = 0; i < kCount; ++i) {
    const double x = random.Normal(i);
    ASSERT_TRUE(std::isfinite(x));
    for (int k = 1; k < 5; ++k) moments[k] += std::pow(x, k) / kCount;
  }
  EXPECT_NEAR(moments[1], 0, 0.02);
  EXPECT_NEAR(moments[2], 1, 0.02);
  EXPECT_NEAR(moments[3], 0, 0.05);
  EXPECT_NEAR(moments[4], 3, 0.1);
}

}  // namespace
}  // namespace prospero
