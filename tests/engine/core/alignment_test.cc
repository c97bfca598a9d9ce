#include "engine/core/alignment.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "engine/core/describe.h"
#include "engine/core/errors.h"

namespace prospero {
namespace {

/// W [2, 1] and B [1, 2], each in rows of a kernel's width.
template <class Real>
struct Fixture {
  Fixture(std::vector<double> w, std::vector<double> b) : W(32, Real{0}), B(32, Real{0}) {
    const auto stride = static_cast<size_t>(PaddedRow<Real>(1));
    for (size_t i = 0; i < 2; ++i) {
      W[i * stride] = static_cast<Real>(w[i]);
      B[i * stride] = static_cast<Real>(b[i]);
    }
    const Variable forward = Describe("q.W", Role::kWeight, {2, 1}, W.data(), "1", "");
    RegisterAlignment("q", forward,
                      DescribeTransposed("q.B", Role::kWeight, 1, 2, B.data(), "1", ""), variables);
  }
  double operator[](const std::string& name) const {
    return variables[variables.Find("q." + name)].scalar();
  }

  std::vector<Real> W, B;
  VariableTable variables;
};

TEST(Alignment, IsTheAngleBetweenFeedbackAndTransposedWeights) {
  EXPECT_NEAR((Fixture<double>({1, 0}, {1, 1})["alignment_angle"]), 45, 1e-12);
  EXPECT_NEAR((Fixture<double>({1, 2}, {-2, 1})["alignment_angle"]), 90, 1e-12);
  EXPECT_NEAR((Fixture<float>({1, 2}, {-2, -4})["alignment_angle"]), 180, 1e-5);
}

TEST(Alignment, SaysHowLongTheFeedbackIs) {
  EXPECT_NEAR((Fixture<double>({3, 4}, {1.5, 2})["alignment_scale"]), 0.5, 1e-15);
  EXPECT_NEAR((Fixture<float>({1, 0}, {-2, 7})["alignment_scale"]), -2, 1e-6);
}

TEST(Alignment, OfNoWeightsIsNotANumber) {
  EXPECT_TRUE(std::isnan(Fixture<double>({0, 0}, {1, 1})["alignment_angle"]));
}

TEST(CheckAlignment, NamesTheFieldThatIsWrong) {
  Alignment alignment;
  alignment.tau_hp = 0.1;
  EXPECT_TRUE(Check(alignment, 0.01).ok());
  alignment.tau_hp = 0.001;
  EXPECT_EQ(FieldPath(Check(alignment, 0.01)), "tau_hp_ms");
  alignment.plasticity = Plasticity();
  alignment.plasticity->learning_rate = -1;
  EXPECT_EQ(FieldPath(Check(alignment, 0.01)), "plasticity.learning_rate");
}

}  // namespace
}  // namespace prospero
