#include "engine/core/loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace prospero {
namespace {

TEST(Teach, AddsTheErrorOfTheMeanSquare) {
  const std::vector<double> t = {1, 0, 2}, y = {0.5, 0.25, 2};
  std::vector<double> e = {1, 1, 1};
  const double loss = Teach(Loss::kMse, 0.5, t.data(), y.data(), 3, e.data());
  EXPECT_EQ(e, (std::vector<double>{1.25, 0.875, 1}));
  EXPECT_DOUBLE_EQ(loss, 0.5 * (0.25 + 0.0625));
}

TEST(Teach, AddsTheErrorOfTheCrossEntropy) {
  const std::vector<double> t = {0, 1, 0}, y = {1, 2, 3};
  std::vector<double> e(3, 0.0);
  const double loss = Teach(Loss::kCrossEntropy, 2.0, t.data(), y.data(), 3, e.data());
  const double sum = std::exp(1) + std::exp(2) + std::exp(3);
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(e[i], 2 * (t[i] - std::exp(y[i]) / sum), 1e-15);
  EXPECT_NEAR(loss, -std::log(std::exp(2) / sum), 1e-15);
}

TEST(Teach, IsMinusTheSlopeOfTheLoss) {
  for (const Loss loss : {Loss::kMse, Loss::kCrossEntropy}) {
    const std::vector<double> t = {0.2, 0.5, 0.3}, y = {0.1, -0.4, 0.7};
    std::vector<double> e(3, 0.0), ignored(3, 0.0);
    Teach(loss, 1.0, t.data(), y.data(), 3, e.data());
    for (size_t i = 0; i < 3; ++i) {
      std::vector<double> above = y, below = y;
      above[i] += 1e-5;
      below[i] -= 1e-5;
      const double slope = (Teach(loss, 1.0, t.data(), above.data(), 3, ignored.data()) -
                            Teach(loss, 1.0, t.data(), below.data(), 3, ignored.data())) /
                           2e-5;
      EXPECT_NEAR(e[i], -slope, 1e-9);
    }
  }
}

TEST(Teach, SurvivesLargeLogits) {
  const std::vector<float> t = {1, 0}, y = {1000, -1000};
  std::vector<float> e(2, 0.0f);
  EXPECT_EQ(Teach(Loss::kCrossEntropy, 1.0f, t.data(), y.data(), 2, e.data()), 0.0);
  EXPECT_EQ(e, (std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace prospero
