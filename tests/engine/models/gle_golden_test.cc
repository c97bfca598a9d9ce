// GLE reproduces what the published code does, at every step of every trace.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/golden.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

/// The largest |ours - reference| / max(1, |reference|), and where.
struct Deviation {
  double value = 0;
  std::string where;
};

void Compare(const Network& network, const Golden& golden, int64_t step, Deviation& worst) {
  for (const auto& [variable, reference] : golden.trace) {
    const std::vector<double> ours = Values(network, variable);
    ASSERT_EQ(static_cast<int64_t>(ours.size()), reference.row()) << variable;
    for (size_t i = 0; i < ours.size(); ++i) {
      const double expected = reference.at(step)[i];
      const double off = std::abs(ours[i] - expected) / std::max(1.0, std::abs(expected));
      if (off <= worst.value) continue;
      worst.value = off;
      worst.where = absl::StrCat(variable, "[", i, "] at step ", step);
    }
  }
}

/// Replays the trace; the deviation up to each step must be below bound(step).
template <class Bound>
void Replay(const std::string& name, DataType precision, Bound bound) {
  Golden golden = ReadGolden(name);
  golden.options.precision = precision;
  auto network = MakeGle(golden.spec, golden.options, NetworkLimits());
  ASSERT_TRUE(network.ok()) << network.status();
  Deviation worst;
  for (int64_t n = 0; n < golden.steps; ++n) {
    for (const auto& [variable, values] : golden.inputs) Set(**network, variable, values.at(n));
    (*network)->Advance({n, golden.options.dt});
    ASSERT_TRUE((*network)->finite());
    Compare(**network, golden, n, worst);
    ASSERT_LT(worst.value, bound(n)) << worst.where;
  }
  testing::Test::RecordProperty("worst_deviation", absl::StrCat(worst.value));
}

class GleGolden : public testing::TestWithParam<const char*> {};

TEST_P(GleGolden, IsReproducedInDoublePrecision) {
  Replay(GetParam(), DataType::kFloat64, [](int64_t) { return 1e-11; });
}

TEST_P(GleGolden, IsFollowedInSinglePrecision) {
  Replay(GetParam(), DataType::kFloat32, [](int64_t step) { return step < 100 ? 5e-5 : 2e-3; });
}

INSTANTIATE_TEST_SUITE_P(PublishedCode, GleGolden,
                         testing::Values("gle_01_tanh_pe_b1", "gle_03_tanh_inst_b4",
                                         "gle_04_tanh_inst_g1_b1", "gle_05_beta_ramp_none",
                                         "gle_07_ce_adam", "gle_10_no_bias_hard",
                                         "gle_12_frozen_rates_only", "gle_13_lagline_teacher"),
                         [](const auto& test) { return std::string(test.param); });

TEST(GoldenTrace, KnowsEveryVariableOfATrace) {
  const Golden golden = ReadGolden("gle_05_beta_ramp_none");
  for (const char* name : {"p1.u", "p1.v", "p1.r", "p1.r_prime", "p1.e_bottom", "p1.e", "p1.inst_e",
                           "p1.u_ahead", "p1.b", "p1.tau_m", "p0_to_p1.W", "p2.u", "p2.y"}) {
    EXPECT_TRUE(golden.trace.contains(name)) << name;
  }
}

}  // namespace
}  // namespace prospero
