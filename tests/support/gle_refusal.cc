#include "tests/support/gle_refusal.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "engine/core/errors.h"

namespace prospero {

GleSpec SmallChain() {
  GleSpec spec;
  GlePopulation x;
  x.name = std::string("x");
  x.size = 2;
  x.role = PopulationRole::kInput;
  GlePopulation h;
  h.name = std::string("h");
  h.size = 3;
  h.tau_m = {1, 2, 3};
  GlePopulation y;
  y.name = std::string("y");
  y.size = 1;
  y.role = PopulationRole::kOutput;
  y.tau_m = {1};
  spec.populations = {x, h, y};
  GleProjection first, second;
  first.pre = std::string("x");
  first.post = std::string("h");
  second.pre = std::string("h");
  second.post = std::string("y");
  spec.projections = {first, second};
  return spec;
}

absl::Status CheckSpecOf(const GleSpec& spec, const NetworkLimits& limits) {
  return CheckGle(spec, NetworkOptions(), limits).status();
}

Plasticity BadRate() {
  Plasticity plasticity;
  plasticity.learning_rate = -1;
  return plasticity;
}

Initializer Given(std::vector<int64_t> shape) {
  Initializer initializer{Initializer::Kind::kValues, 0, 0, shape, {}};
  size_t count = 1;
  for (const int64_t extent : shape) count *= static_cast<size_t>(extent);
  initializer.values.assign(count, 0.5);
  return initializer;
}

void ExpectRefused(const std::vector<Refusal>& refusals) {
  for (size_t i = 0; i < refusals.size(); ++i) {
    GleSpec spec = SmallChain();
    refusals[i].spoil(spec);
    const absl::Status status = CheckSpecOf(spec);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << i;
    EXPECT_EQ(FieldPath(status), refusals[i].path) << i << ": " << status;
    EXPECT_EQ(MakeGle(spec, NetworkOptions(), NetworkLimits()).status(), status);
  }
}

}  // namespace prospero
