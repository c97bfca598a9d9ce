#include "engine/runtime/packed.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace prospero {
namespace {

Variable Of(std::vector<int64_t> shape, std::vector<int64_t> strides, void* data) {
  Variable variable;
  variable.name.push_back('x');  // g++ 12 warns of an overlap when it is assigned
  variable.shape = std::move(shape);
  variable.strides = std::move(strides);
  variable.data = data;
  return variable;
}

std::string Bytes(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::string Refusal(const Variable& variable, const std::vector<float>& values) {
  return std::string(CheckValues(variable, Bytes(values), [] { return "here"; }).message());
}

TEST(Packed, PaddingBetweenRowsMattersOnlyWhereThereAreTwo) {
  float data[16] = {};
  EXPECT_TRUE(IsPacked(Of({3}, {1}, data)));
  EXPECT_TRUE(IsPacked(Of({2, 3}, {3, 1}, data)));
  EXPECT_TRUE(IsPacked(Of({1, 3}, {8, 1}, data)));
  EXPECT_TRUE(IsPacked(Of({2, 1, 3}, {3, 8, 1}, data)));
  EXPECT_FALSE(IsPacked(Of({2, 3}, {8, 1}, data)));
  EXPECT_FALSE(IsPacked(Of({3, 1}, {8, 1}, data)));
}

TEST(Packed, AppendsTheSameWhetherItCopiesOrGathers) {
  float data[16] = {1, 2, 3, 0, 0, 0, 0, 0, 4, 5, 6};
  std::string out = Bytes({7});
  AppendPacked(Of({1, 3}, {8, 1}, data), &out);
  AppendPacked(Of({2, 3}, {8, 1}, data), &out);
  EXPECT_EQ(out, Bytes({7, 1, 2, 3, 1, 2, 3, 4, 5, 6}));
}

TEST(Packed, RefusesTheFirstValueThatIsNotFiniteOrOutOfBounds) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  Variable variable = Of({5}, {1}, nullptr);
  const float most = std::numeric_limits<float>::max();
  EXPECT_EQ(Refusal(variable, {0, -1, most, -most, 1e-45F}), "");
  EXPECT_EQ(Refusal(variable, {0, 0, 0, kInf, NAN}), "here: 'x' must be finite, value 3 is inf");
  EXPECT_EQ(Refusal(variable, {0, 0, 0, 0, NAN}), "here: 'x' must be finite, value 4 is nan");
  variable.minimum = 0;
  variable.maximum = 2;
  EXPECT_EQ(Refusal(variable, {0, 2, -0.0F, 1, 1}), "");
  EXPECT_EQ(Refusal(variable, {0, 2, 3, -1, 1}), "here: 'x' must be <= 2, value 2 is 3");
  EXPECT_EQ(Refusal(variable, {0, 2, -1, 3, 1}), "here: 'x' must be >= 0, value 2 is -1");
}

}  // namespace
}  // namespace prospero
