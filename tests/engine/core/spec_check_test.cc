#include "engine/core/spec_check.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "engine/core/errors.h"

namespace prospero {
namespace {

TEST(CheckName, TakesWhatAVariableCanBeCalled) {
  EXPECT_TRUE(CheckName("a").ok());
  EXPECT_TRUE(CheckName("Layer_2").ok());
  EXPECT_TRUE(CheckName(std::string(63, 'a')).ok());
  for (const std::string& name : {std::string(), std::string("2a"), std::string("_a"),
                                  std::string("a.b"), std::string("\xe9"), std::string(64, 'a')}) {
    EXPECT_EQ(FieldPath(CheckName(name)), "name") << name;
  }
  EXPECT_FALSE(CheckName("abcd", 3).ok());
}

TEST(CheckTau, WantsOneOrOneForEach) {
  EXPECT_TRUE(CheckTau("tau_ms", {1.0}, 3, 0.1).ok());
  EXPECT_TRUE(CheckTau("tau_ms", {1.0, 2.0, 0.1}, 3, 0.1).ok());
  EXPECT_EQ(FieldPath(CheckTau("tau_ms", {}, 3, 0.1)), "tau_ms");
  EXPECT_EQ(FieldPath(CheckTau("tau_ms", {1.0, 2.0}, 3, 0.1)), "tau_ms");
  EXPECT_EQ(FieldPath(CheckTau("tau_ms", {0.05}, 3, 0.1)), "tau_ms");
  EXPECT_EQ(FieldPath(CheckTau("tau_ms", {1.0, 2.0, std::nan("")}, 3, 0.1)), "tau_ms[2]");
}

TEST(CheckOptionalTau, LetsItBeLeftOut) {
  EXPECT_TRUE(CheckOptionalTau("tau_ms", 0.0, 0.1).ok());
  EXPECT_TRUE(CheckOptionalTau("tau_ms", 0.1, 0.1).ok());
  EXPECT_EQ(FieldPath(CheckOptionalTau("tau_ms", 0.05, 0.1)), "tau_ms");
  EXPECT_EQ(FieldPath(CheckOptionalTau("tau_ms", -1.0, 0.1)), "tau_ms");
}

TEST(CheckNotNegative, SaysWhatItGot) {
  EXPECT_TRUE(CheckNotNegative("beta", 0.0).ok());
  EXPECT_EQ(CheckNotNegative("beta", -2.0).message(), "beta: must be finite and >= 0, got -2");
  EXPECT_EQ(FieldPath(CheckNotNegative("beta", std::nan(""))), "beta");
}

}  // namespace
}  // namespace prospero
