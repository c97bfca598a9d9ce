#include "engine/core/initializer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/core/errors.h"

namespace prospero {
namespace {

using Kind = Initializer::Kind;

Initializer Make(Kind kind, double a, double b = 0) { return {kind, a, b, {}, {}}; }

TEST(Draw, RepeatsAConstant) {
  EXPECT_EQ(Draw(Make(Kind::kConstant, 2.5), 3, 1, 0, "W"), (std::vector<double>{2.5, 2.5, 2.5}));
}

TEST(Draw, StaysInTheInterval) {
  double low = 1, high = -1;
  for (const double x : Draw(Make(Kind::kUniform, -0.5, 0.25), 10'000, 1, 3, "W")) {
    low = std::min(low, x);
    high = std::max(high, x);
  }
  EXPECT_GE(low, -0.5);
  EXPECT_LT(low, -0.499);
  EXPECT_LT(high, 0.25);
  EXPECT_GT(high, 0.249);
}

TEST(Draw, HasTheMeanAndDeviationAskedFor) {
  double sum = 0, squares = 0;
  for (const double x : Draw(Make(Kind::kNormal, 3, 0.1), 10'000, 1, 3, "W")) {
    sum += x;
    squares += (x - 3) * (x - 3);
  }
  EXPECT_NEAR(sum / 10'000, 3, 0.005);
  EXPECT_NEAR(std::sqrt(squares / 10'000), 0.1, 0.003);
}

TEST(Draw, ScalesWithTheFanIn) {
  double high = 0;
  for (const double x : Draw(Make(Kind::kFanIn, 2), 10'000, 16, 3, "W")) {
    high = std::max(high, std::abs(x));
  }
  EXPECT_LE(high, 0.5);
  EXPECT_GT(high, 0.499);
}

TEST(Draw, IsAFunctionOfSeedAndName) {
  const Initializer normal = Make(Kind::kNormal, 0, 1);
  const auto W = Draw(normal, 100, 1, 3, "W");
  EXPECT_EQ(W, Draw(normal, 100, 1, 3, "W"));
  EXPECT_NE(W, Draw(normal, 100, 1, 4, "W"));
  EXPECT_NE(W, Draw(normal, 100, 1, 3, "V"));
  const auto longer = Draw(normal, 200, 1, 3, "W");
  EXPECT_EQ(W, std::vector<double>(longer.begin(), longer.begin() + 100));
}

template <class Real>
void ExpectFillsWhatItDraws(const Initializer& initializer) {
  const FirstValues first(initializer, 7, 3, "W");
  for (const int64_t stride : {1, 5}) {
    std::vector<Real> many(600);
    first.Fill(11, stride, 600, many.data());
    for (int64_t k = 0; k < 600; ++k) {
      ASSERT_EQ(many[static_cast<size_t>(k)], static_cast<Real>(first(11 + k * stride))) << k;
    }
  }
}

TEST(FirstValues, AreTheSameBitsOneByOneAndManyAtATime) {
  std::vector<double> given(3100);
  for (size_t i = 0; i < given.size(); ++i) given[i] = std::sin(static_cast<double>(i));
  const Initializer all[] = {Make(Kind::kConstant, 0.1), Make(Kind::kUniform, -0.7, 0.3),
                             Make(Kind::kNormal, 3, 0.1), Make(Kind::kFanIn, 1.3),
                             Initializer{Kind::kValues, 0, 0, {3100}, given}};
  for (const Initializer& initializer : all) {
    ExpectFillsWhatItDraws<float>(initializer);
    ExpectFillsWhatItDraws<double>(initializer);
  }
}

// Recorded once: networks of old seeds must start from the same weights for ever.
TEST(FirstValues, NeverChange) {
  const Initializer fan_in = Make(Kind::kFanIn, 1), uniform = Make(Kind::kUniform, -1, 2);
  const std::vector<double> a = Draw(fan_in, 3, 100, 42, "hidden_to_output.W");
  const std::vector<double> b = Draw(uniform, 3, 100, 42, "hidden_to_output.W");
  EXPECT_EQ(
      a, (std::vector<double>{0x1.c55c72bc99acp-7, -0x1.2a69966018ea3p-5, 0x1.61e583ae73ff2p-4}));
  EXPECT_EQ(
      b, (std::vector<double>{0x1.6a41aae434044p-1, -0x1.7c2fcfa175b9p-5, 0x1.cbc72b738cbf2p+0}));
}

TEST(CheckInitializer, TakesGivenValuesOfTheRightShape) {
  Initializer values{Kind::kValues, 0, 0, {2, 2}, {1, 2, 3, 4}};
  EXPECT_TRUE(Check(values, {2, 2}).ok());
  EXPECT_EQ(FieldPath(Check(values, {4})), "values.shape");
  EXPECT_EQ(FieldPath(Check(values, {2, 3})), "values.shape");
  values.values.pop_back();
  EXPECT_EQ(FieldPath(Check(values, {2, 2})), "values.data");
  values.values = {1, 2, 3, std::nan("")};
  EXPECT_EQ(FieldPath(Check(values, {2, 2})), "values.data");
}

TEST(CheckInitializer, RefusesWhatIsNoDistribution) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  EXPECT_EQ(FieldPath(Check(Make(Kind::kConstant, inf), {1})), "constant");
  EXPECT_EQ(FieldPath(Check(Make(Kind::kUniform, nan, 1), {1})), "uniform.low");
  EXPECT_EQ(FieldPath(Check(Make(Kind::kUniform, 0, inf), {1})), "uniform.high");
  EXPECT_EQ(FieldPath(Check(Make(Kind::kUniform, 1, 0), {1})), "uniform.high");
  EXPECT_EQ(FieldPath(Check(Make(Kind::kNormal, inf, 1), {1})), "normal.mean");
  EXPECT_EQ(FieldPath(Check(Make(Kind::kNormal, 0, -1), {1})), "normal.std");
  EXPECT_EQ(FieldPath(Check(Make(Kind::kFanIn, nan), {1})), "fan_in.gain");
}

}  // namespace
}  // namespace prospero
