#include "engine/core/plasticity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "engine/core/errors.h"

namespace prospero {
namespace {

std::string Refused(Optimizer optimizer, double Plasticity::*field, double value) {
  Plasticity plasticity;
  plasticity.optimizer = optimizer;
  plasticity.*field = value;
  return FieldPath(Check(plasticity));
}

TEST(CheckPlasticity, TakesTheDefaults) {
  for (const Optimizer optimizer :
       {Optimizer::kSgd, Optimizer::kMomentum, Optimizer::kAdam, Optimizer::kLowPass}) {
    EXPECT_EQ(Refused(optimizer, &Plasticity::learning_rate, 0.1), "");
  }
}

TEST(CheckPlasticity, NamesTheFieldThatIsOutOfRange) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  for (const double value : {-1.0, inf, nan}) {
    EXPECT_EQ(Refused(Optimizer::kSgd, &Plasticity::learning_rate, value), "learning_rate");
    EXPECT_EQ(Refused(Optimizer::kSgd, &Plasticity::weight_decay, value), "weight_decay");
    EXPECT_EQ(Refused(Optimizer::kSgd, &Plasticity::clip, value), "clip");
    EXPECT_EQ(Refused(Optimizer::kSgd, &Plasticity::bound, value), "bound");
  }
  for (const double value : {-0.1, 1.0, nan}) {
    EXPECT_EQ(Refused(Optimizer::kMomentum, &Plasticity::momentum, value), "momentum.momentum");
    EXPECT_EQ(Refused(Optimizer::kAdam, &Plasticity::beta1, value), "adam.beta1");
    EXPECT_EQ(Refused(Optimizer::kAdam, &Plasticity::beta2, value), "adam.beta2");
  }
  EXPECT_EQ(Refused(Optimizer::kAdam, &Plasticity::epsilon, 0.0), "adam.epsilon");
  for (const double value : {0.0, -0.1, 1.1, nan}) {
    EXPECT_EQ(Refused(Optimizer::kLowPass, &Plasticity::mix, value), "low_pass.mix");
  }
}

TEST(CheckPlasticity, IgnoresWhatTheOptimizerDoesNotUse) {
  EXPECT_EQ(Refused(Optimizer::kSgd, &Plasticity::momentum, 7.0), "");
  EXPECT_EQ(Refused(Optimizer::kMomentum, &Plasticity::epsilon, 0.0), "");
}

}  // namespace
}  // namespace prospero
