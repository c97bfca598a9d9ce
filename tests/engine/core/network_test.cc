#include "engine/core/network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "engine/core/errors.h"

namespace prospero {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

int AddScalar(const std::string& name, Role role, double* value, VariableTable& table) {
  Variable variable;
  variable.name = name;
  variable.role = role;
  variable.type = DataType::kFloat64;
  variable.data = value;
  return table.Add(variable);
}

TEST(FindNonFinite, NamesWeightsBeforeStates) {
  VariableTable table;
  double u = 0, W = 0, seen = kInfinity;
  AddScalar("loss", Role::kSignal, &seen, table);
  const int state = AddScalar("u", Role::kState, &u, table);
  const int weight = AddScalar("W", Role::kWeight, &W, table);
  EXPECT_EQ(FindNonFinite(table), -1);
  u = std::nan("");
  EXPECT_EQ(FindNonFinite(table), state);
  W = -kInfinity;
  EXPECT_EQ(FindNonFinite(table), weight);
}

TEST(FindNonFinite, LooksAtEveryValue) {
  VariableTable table;
  std::vector<float> values(100, 1.0f);
  Variable variable;
  variable.name = std::string("u");
  variable.role = Role::kState;
  variable.shape = {100};
  variable.strides = {1};
  variable.data = values.data();
  table.Add(variable);
  EXPECT_EQ(FindNonFinite(table), -1);
  values[99] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(FindNonFinite(table), 0);
}

// Rows of three that are four values apart, as they lie and transposed.
TEST(FindNonFinite, LooksAtEveryRowAndAtNoPadding) {
  for (const bool transposed : {false, true}) {
    std::vector<double> values(20, 1.0);
    Variable variable;
    variable.name = std::string("W");
    variable.role = Role::kWeight;
    variable.type = DataType::kFloat64;
    variable.shape = {5, 3};
    variable.strides = {4, 1};
    if (transposed) {
      variable.shape = {3, 5};
      variable.strides = {1, 4};
    }
    variable.data = values.data();
    VariableTable table;
    table.Add(variable);
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = kInfinity;
      EXPECT_EQ(FindNonFinite(table), i % 4 == 3 ? -1 : 0) << i;
      values[i] = 1;
    }
  }
}

TEST(CheckOptions, RefusesWhatIsNoTimeStepOrBatch) {
  const NetworkLimits limits;
  NetworkOptions options;
  EXPECT_TRUE(Check(options, limits).ok());
  for (const double dt : {0.0, -0.1, kInfinity, std::nan("")}) {
    options.dt = dt;
    EXPECT_EQ(FieldPath(Check(options, limits)), "dt_ms") << dt;
  }
  options.dt = 0.1;
  for (const int64_t batch_size : {int64_t{0}, int64_t{-1}}) {
    options.batch_size = batch_size;
    EXPECT_EQ(FieldPath(Check(options, limits)), "batch_size");
  }
  options.batch_size = limits.max_batch_size + 1;
  EXPECT_EQ(Reason(Check(options, limits)), "LIMIT_EXCEEDED");
}

TEST(CheckLimit, NamesTheLimitForProgramsAndPeople) {
  EXPECT_TRUE(CheckLimit("max_neurons", 10, 10).ok());
  const absl::Status status = CheckLimit("max_neurons", 11, 10);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "max_neurons is 10, the network needs 11");
  std::string limit;
  VisitMetadata(status, [&limit](absl::string_view key, absl::string_view value) {
    if (key == "limit") limit = std::string(value);
  });
  EXPECT_EQ(limit, "max_neurons");
}

}  // namespace
}  // namespace prospero
