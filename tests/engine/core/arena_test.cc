#include "engine/core/arena.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstddef>
#include <cstdint>

namespace prospero {
namespace {

TEST(Arena, GivesEachArrayItsOwnAlignedZeroes) {
  Arena arena;
  float* a = nullptr;
  double* b = nullptr;
  arena.Want(&a, 3);
  arena.Want(&b, 20);
  EXPECT_EQ(arena.bytes(), 64 + 192);
  ASSERT_TRUE(arena.Allocate());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(a) % 64, 0u);
  EXPECT_EQ(reinterpret_cast<char*>(b) - reinterpret_cast<char*>(a), 64);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(b[i], 0.0);
}

TEST(Arena, HoldsLargeArrays) {
  Arena arena;
  float* a = nullptr;
  arena.Want(&a, int64_t{3} << 20);
  ASSERT_TRUE(arena.Allocate());
  a[(int64_t{3} << 20) - 1] = 1;
  EXPECT_EQ(a[0], 0);
}

// A block of a little more than two large pages must not take three.
TEST(Arena, TakesNoMoreThanItTold) {
  Arena arena;
  char* a = nullptr;
  constexpr int64_t kBytes = (int64_t{4} << 20) + 64;
  arena.Want(&a, kBytes);
  ASSERT_TRUE(arena.Allocate());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(a) % (2 << 20), 0u);
  EXPECT_LT(malloc_usable_size(a), static_cast<size_t>(kBytes) + 4096 + 64);
}

TEST(Arena, RefusesWhatNoNumberCanCount) {
  Arena arena;
  double* a = nullptr;
  arena.Want(&a, INT64_MAX / 2);
  EXPECT_EQ(arena.bytes(), INT64_MAX);
  EXPECT_FALSE(arena.Allocate());
  EXPECT_EQ(a, nullptr);
}

TEST(Saturating, StopsAtTheLargestNumber) {
  EXPECT_EQ(SaturatingMul(3, 4), 12);
  EXPECT_EQ(SaturatingMul(INT64_MAX / 2, 3), INT64_MAX);
  EXPECT_EQ(SaturatingAdd(INT64_MAX, 1), INT64_MAX);
  EXPECT_EQ(RoundUp(INT64_MAX - 2, 16), INT64_MAX);
  EXPECT_EQ(RoundUp(17, 16), 32);
  EXPECT_EQ(PaddedRow<float>(17), 32);
  EXPECT_EQ(PaddedRow<double>(17), 24);
}

}  // namespace
}  // namespace prospero
