// What is refused, under which name, before any memory is spent.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "engine/core/errors.h"
#include "engine/models/gle/gle.h"
#include "tests/support/gle_refusal.h"
#include "tests/support/tangle.h"

namespace prospero {
namespace {

const double kInfinity = std::numeric_limits<double>::infinity();

std::vector<Refusal> Populations() {
  return {
      {"populations[1].name", [](GleSpec& s) { s.populations[1].name = std::string(""); }},
      {"populations[1].name", [](GleSpec& s) { s.populations[1].name = std::string("1h"); }},
      {"populations[1].name", [](GleSpec& s) { s.populations[1].name = std::string("h.u"); }},
      {"populations[1].name", [](GleSpec& s) { s.populations[1].name = std::string("h\xc3\xa9"); }},
      {"populations[1].name", [](GleSpec& s) { s.populations[1].name = std::string(64, 'h'); }},
      {"populations[1].name", [](GleSpec& s) { s.populations[1].name = std::string("x"); }},
      {"populations[1].size", [](GleSpec& s) { s.populations[1].size = 0; }},
      {"populations[1].size", [](GleSpec& s) { s.populations[1].size = -3; }},
      {"populations[1].tau_m_ms", [](GleSpec& s) { s.populations[1].tau_m = {}; }},
      {"populations[1].tau_m_ms",
       [](GleSpec& s) {
         s.populations[1].tau_m = {1, 2};
       }},
      {"populations[1].tau_m_ms", [](GleSpec& s) { s.populations[1].tau_m = {0.05}; }},
      {"populations[1].tau_m_ms[2]", [](GleSpec& s) { s.populations[1].tau_m[2] = -1; }},
      {"populations[1].tau_m_ms[0]", [](GleSpec& s) { s.populations[1].tau_m[0] = kInfinity; }},
      {"populations[1].tau_m_ms[1]", [](GleSpec& s) { s.populations[1].tau_m[1] = std::nan(""); }},
      {"populations[1].tau_r_ms",
       [](GleSpec& s) {
         s.populations[1].tau_r = {1, 2, 3, 4};
       }},
      {"populations[1].tau_r_ms", [](GleSpec& s) { s.populations[1].tau_r = {0.0999}; }},
      {"populations[1].gamma", [](GleSpec& s) { s.populations[1].gamma = -0.1; }},
      {"populations[1].gamma", [](GleSpec& s) { s.populations[1].gamma = 1.1; }},
      {"populations[1].gamma", [](GleSpec& s) { s.populations[1].gamma = std::nan(""); }},
      {"populations[1].tau_min_ms", [](GleSpec& s) { s.populations[1].tau_min = 0.05; }},
      {"populations[1].tau_min_ms", [](GleSpec& s) { s.populations[1].tau_min = -1; }},
      {"populations[1].tau_min_ms", [](GleSpec& s) { s.populations[1].tau_min = kInfinity; }},
      {"populations[1].bias", [](GleSpec& s) { s.populations[1].bias_plasticity = Plasticity(); }},
      {"populations[1].bias.initializer.values.shape",
       [](GleSpec& s) {
         s.populations[1].has_bias = true;
         s.populations[1].bias_initializer = Given({4});
       }},
      {"populations[1].bias.plasticity.learning_rate",
       [](GleSpec& s) {
         s.populations[1].has_bias = true;
         s.populations[1].bias_plasticity = BadRate();
       }},
      {"populations[1].tau_m_plasticity.learning_rate",
       [](GleSpec& s) { s.populations[1].tau_m_plasticity = BadRate(); }},
      {"populations[1].loss", [](GleSpec& s) { s.populations[1].loss = Loss::kCrossEntropy; }},
      {"populations[1].beta", [](GleSpec& s) { s.populations[1].beta = 0.5; }},
      {"populations[2].beta", [](GleSpec& s) { s.populations[2].beta = -0.5; }},
      {"populations[2].beta", [](GleSpec& s) { s.populations[2].beta = std::nan(""); }},
  };
}

std::vector<Refusal> Inputs() {
  return {
      {"populations[0].activation",
       [](GleSpec& s) { s.populations[0].activation = Activation::kTanh; }},
      {"populations[0].tau_m_ms", [](GleSpec& s) { s.populations[0].tau_m = {1}; }},
      {"populations[0].tau_r_ms", [](GleSpec& s) { s.populations[0].tau_r = {1}; }},
      {"populations[0].gamma", [](GleSpec& s) { s.populations[0].gamma = 0.5; }},
      {"populations[0].error_mode",
       [](GleSpec& s) { s.populations[0].prospective_errors = false; }},
      {"populations[0].bias", [](GleSpec& s) { s.populations[0].has_bias = true; }},
      {"populations[0].tau_m_plasticity",
       [](GleSpec& s) { s.populations[0].tau_m_plasticity = Plasticity(); }},
      {"populations[0].tau_min_ms", [](GleSpec& s) { s.populations[0].tau_min = 1; }},
      {"populations[0].loss", [](GleSpec& s) { s.populations[0].loss = Loss::kCrossEntropy; }},
      {"populations[0].beta", [](GleSpec& s) { s.populations[0].beta = 0; }},
      {"populations[0].noise", [](GleSpec& s) { s.populations[0].noise = NoiseSpec(); }},
  };
}

std::vector<Refusal> Projections() {
  return {
      {"projections[0].pre", [](GleSpec& s) { s.projections[0].pre = std::string("nobody"); }},
      {"projections[0].pre", [](GleSpec& s) { s.projections[0].pre = std::string(""); }},
      {"projections[1].post", [](GleSpec& s) { s.projections[1].post = std::string("nobody"); }},
      {"projections[1].post", [](GleSpec& s) { s.projections[1].post = std::string("x"); }},
      {"projections[1].name", [](GleSpec& s) { s.projections[1].name = std::string("a b"); }},
      {"projections[1].name", [](GleSpec& s) { s.projections[1].name = std::string("x_to_h"); }},
      {"projections[1].name", [](GleSpec& s) { s.projections[1].name = std::string("h"); }},
      {"projections[2].name", [](GleSpec& s) { s.projections.push_back(s.projections[0]); }},
      {"projections[1].initializer.values.shape",
       [](GleSpec& s) {
         s.projections[1].initializer = Given({3, 1});
       }},
      {"projections[1].initializer.values.data",
       [](GleSpec& s) {
         s.projections[1].initializer = Given({1, 3});
         s.projections[1].initializer->values[1] = kInfinity;
       }},
      {"projections[0].plasticity.learning_rate",
       [](GleSpec& s) { s.projections[0].plasticity = BadRate(); }},
  };
}

std::vector<Refusal> Graphs() {
  return {
      {"populations", [](GleSpec& s) { s = GleSpec(); }},
      {"populations",
       [](GleSpec& s) {
         s.populations.resize(1);
         s.projections.clear();
       }},
      {"populations",
       [](GleSpec& s) {
         s.populations.erase(s.populations.begin());
         s.projections.erase(s.projections.begin());
       }},
  };
}

TEST(CheckGle, TakesAGoodSpec) {
  EXPECT_TRUE(CheckSpecOf(SmallChain()).ok());
  NetworkOptions options;
  options.dt = 0.05;
  EXPECT_TRUE(CheckGle(Tangle(), options, NetworkLimits()).ok());
}

TEST(CheckGle, RefusesBadPopulations) { ExpectRefused(Populations()); }

TEST(CheckGle, RefusesDynamicsOfAnInput) { ExpectRefused(Inputs()); }

TEST(CheckGle, RefusesBadProjections) { ExpectRefused(Projections()); }

TEST(CheckGle, RefusesAGraphWithoutInputOrWithoutMore) { ExpectRefused(Graphs()); }

TEST(CheckGle, SaysWhatIsAllowedAndWhatItGot) {
  GleSpec spec = SmallChain();
  spec.populations[1].tau_m[2] = 0.05;
  EXPECT_EQ(CheckSpecOf(spec).message(),
            "populations[1].tau_m_ms[2]: must be finite and >= dt_ms (0.1), got 0.05");
}

TEST(CheckGle, DoesNotRepeatALongName) {
  GleSpec spec = SmallChain();
  spec.projections[0].pre = std::string(1'000'000, 'x');
  EXPECT_LT(CheckSpecOf(spec).message().size(), 1000u);
  spec = SmallChain();
  spec.populations[0].name = std::string(1'000'000, 'x');
  EXPECT_LT(CheckSpecOf(spec).message().size(), 1000u);
}

std::string LimitOf(const absl::Status& status) {
  std::string limit;
  VisitMetadata(status, [&limit](absl::string_view key, absl::string_view value) {
    if (key == "limit") limit = std::string(value);
  });
  return limit;
}

TEST(CheckGle, NamesTheLimitThatIsExceeded) {
  const auto limit = [](void (*tighten)(NetworkLimits&)) {
    NetworkLimits limits;
    tighten(limits);
    const absl::Status status = CheckSpecOf(SmallChain(), limits);
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(Reason(status), "LIMIT_EXCEEDED");
    return LimitOf(status);
  };
  EXPECT_EQ(limit([](NetworkLimits& l) { l.max_neurons = 5; }), "max_neurons");
  EXPECT_EQ(limit([](NetworkLimits& l) { l.max_weights = 8; }), "max_weights");
  EXPECT_EQ(limit([](NetworkLimits& l) { l.max_bytes = 1000; }), "max_network_bytes");
  EXPECT_EQ(limit([](NetworkLimits& l) { l.max_populations = 2; }), "max_populations");
  EXPECT_EQ(limit([](NetworkLimits& l) { l.max_projections = 1; }), "max_projections");
  EXPECT_EQ(limit([](NetworkLimits& l) { l.max_batch_size = 0; }), "max_batch_size");
}

TEST(CheckGle, CountsBeyondTheLargestNumber) {
  NetworkLimits limits;
  GleSpec spec = SmallChain();
  spec.populations[1].tau_m = {1};
  for (const int64_t size : {int64_t{1'000'000'000'000}, INT64_MAX}) {
    spec.populations[0].size = spec.populations[1].size = size;
    EXPECT_EQ(LimitOf(CheckSpecOf(spec, limits)), "max_neurons");
  }
  limits.max_neurons = INT64_MAX;
  EXPECT_EQ(LimitOf(CheckSpecOf(spec, limits)), "max_weights");
  limits.max_weights = INT64_MAX;
  EXPECT_EQ(LimitOf(CheckSpecOf(spec, limits)), "max_network_bytes");
}

TEST(CheckGle, KnowsWhatANetworkNeeds) {
  const auto footprint = CheckGle(SmallChain(), NetworkOptions(), NetworkLimits());
  ASSERT_TRUE(footprint.ok());
  EXPECT_EQ(footprint->neurons, 6);
  EXPECT_EQ(footprint->weights, 9);
  NetworkOptions batch;
  batch.batch_size = 1000;
  const auto larger = CheckGle(SmallChain(), batch, NetworkLimits());
  // 8 arrays of each neuron with dynamics, 2 more of an output, rates of an input; rows of 64.
  EXPECT_GE(larger->bytes - footprint->bytes, 999 * (8 + 8 + 2 + 1) * 64);
}

TEST(CheckGle, TakesNoMemoryForWhatItRefuses) {
  GleSpec spec = SmallChain();
  spec.populations[1].size = 5'000'000;
  spec.populations[1].tau_m = {1};
  NetworkOptions options;
  options.batch_size = 4096;
  NetworkLimits limits;
  limits.max_bytes = INT64_MAX;
  // More than 1 TB: what would be spent here would not come back.
  const auto footprint = CheckGle(spec, options, limits);
  ASSERT_TRUE(footprint.ok());
  EXPECT_GT(footprint->bytes, int64_t{600'000'000'000});
  limits.max_bytes = footprint->bytes - 1;
  EXPECT_EQ(LimitOf(CheckGle(spec, options, limits).status()), "max_network_bytes");
}

}  // namespace
}  // namespace prospero
