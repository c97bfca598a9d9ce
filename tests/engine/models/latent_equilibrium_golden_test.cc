// The model reproduces what the published codes do; see convert_latent_equilibrium.py.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/layered.h"
#include "tests/support/trace.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

using nlohmann::json;
using Layer = LatentEquilibriumLayer;

Activation ActivationOf(const std::string& name) {
  if (name == "tanh") return Activation::kTanh;
  if (name == "sigmoid") return Activation::kSigmoid;
  EXPECT_EQ(name, "linear");
  return Activation::kLinear;
}

Initializer First(const Trace& trace, const std::string& name) {
  const Trace::Array& array = trace.arrays.at("first." + name);
  return GivenValues(array.shape, array.values);
}

void SetKind(const json& from, Layer& layer) {
  const std::string kind = from["kind"];
  if (kind == "dense") layer.kind = Layer::Dense{from["size"]};
  if (kind == "pool") layer.kind = Layer::Pool{Layer::Pool::Kind::kMax, {from["window"]}, {}};
  if (kind == "convolution") {
    layer.kind = Layer::Convolution{from["channels"], {from["kernel"]}, {}, {}};
  }
}

Layer LayerOf(const Trace& trace, size_t index) {
  const json& from = trace.header["layers"][index];
  Layer layer;
  layer.name = absl::StrCat("l", index + 1);
  SetKind(from, layer);
  if (from.contains("noise")) {
    layer.noise = OuNoise(from["noise"]["sigma"], from["noise"]["tau"]);
  }
  if (from["kind"] == "pool") return layer;
  layer.activation = ActivationOf(from["activation"]);
  layer.tau = {trace.header["tau"]};
  layer.initializer = First(trace, layer.name + ".W");
  layer.plasticity = Sgd(from["eta"]);
  layer.bias = Layer::Bias{First(trace, layer.name + ".b"), Sgd(from["eta_b"])};
  if (trace.arrays.contains("first." + layer.name + ".B")) {
    layer.feedback_initializer = First(trace, layer.name + ".B");
  }
  if (from.contains("alignment")) {
    const json& alignment = from["alignment"];
    layer.alignment = Aligned(alignment["eta"], alignment["decay"], alignment["tau_hp"]);
  }
  return layer;
}

FeedbackPath FeedbackOf(const std::string& algorithm) {
  if (algorithm == "FA") return FeedbackPath::kRandom;
  if (algorithm == "DFA") return FeedbackPath::kDirect;
  if (algorithm == "PAL") return FeedbackPath::kAligned;
  EXPECT_EQ(algorithm, "BP");
  return FeedbackPath::kTranspose;
}

LatentEquilibriumSpec SpecOf(const Trace& trace) {
  using Spec = LatentEquilibriumSpec;
  const json& header = trace.header;
  Spec spec;
  spec.input_shape = header["input_shape"].get<std::vector<int64_t>>();
  for (size_t k = 0; k < header["layers"].size(); ++k) spec.layers.push_back(LayerOf(trace, k));
  spec.feedback = FeedbackOf(header["algorithm"]);
  spec.order = header["order"] == "dynamics" ? Spec::Order::kDynamics : Spec::Order::kLayered;
  spec.target_error =
      header["potential"] ? Spec::TargetError::kPotential : Spec::TargetError::kRate;
  spec.beta = header["beta"];
  spec.gamma = header["gamma"];
  return spec;
}

/// Writes the inputs of step n.
void Drive(const Trace& trace, int64_t n, const Network& network) {
  const std::string output = absl::StrCat("l", trace.header["layers"].size());
  const int64_t set = trace.header["which"][static_cast<size_t>(n)];
  Set(network, "input.r", trace.arrays.at("X").at(set));
  Set(network, output + ".target", trace.arrays.at("Y").at(set));
  Set(network, output + ".teach", 1.0);
  for (const auto& [name, array] : trace.arrays) {
    if (!name.ends_with(".w")) continue;
    Set(network, name, array.at(n));
    Set(network, name + "_given", 1.0);
  }
}

/// Expects what the trace saw after step n; returns the number of variables seen.
int Compare(const Trace& trace, int64_t n, double bound, const Network& network) {
  int seen = 0;
  for (const auto& [name, steps] : trace.header["at"].items()) {
    const auto at = std::find(steps.begin(), steps.end(), n);
    if (at == steps.end()) continue;
    ++seen;
    const std::vector<double> ours = Values(network, name);
    const Trace::Array& array = trace.arrays.at(name);
    EXPECT_EQ(static_cast<int64_t>(ours.size()), array.row()) << name;
    const double* const reference = array.at(at - steps.begin());
    for (size_t i = 0; i < ours.size(); ++i) {
      const double off = std::abs(ours[i] - reference[i]) / std::max(1.0, std::abs(reference[i]));
      EXPECT_LE(off, bound) << name << "[" << i << "] after step " << n;
      if (off > bound) return seen;
    }
  }
  return seen;
}

void Replay(const std::string& name, DataType precision, double bound) {
  const Trace trace = ReadTrace(name);
  const auto network =
      Make(SpecOf(trace), LayeredOptions(precision, trace.header["batch"], trace.header["dt"]));
  const int64_t steps = trace.header["steps"];
  int seen = 0;
  for (int64_t n = 0; n < steps && !testing::Test::HasFailure(); ++n) {
    Drive(trace, n, *network);
    network->Advance({n, trace.header["dt"]});
    ASSERT_TRUE(network->finite());
    seen += Compare(trace, n, bound, *network);
  }
  // The last step is seen in all variables, and some in each second one.
  EXPECT_GE(seen, steps + static_cast<int>(trace.header["at"].size()));
}

class LatentEquilibriumGolden : public testing::TestWithParam<const char*> {};

TEST_P(LatentEquilibriumGolden, IsReproducedInDoublePrecision) {
  Replay(GetParam(), DataType::kFloat64, 1e-9);
}

TEST_P(LatentEquilibriumGolden, IsFollowedInSinglePrecision) {
  Replay(GetParam(), DataType::kFloat32, 2e-4);
}

INSTANTIATE_TEST_SUITE_P(PublishedCode, LatentEquilibriumGolden,
                         testing::Values("pal_le_mlp_bp", "pal_le_mlp_fa", "pal_le_mlp_dfa",
                                         "pal_le_mlp_pal", "pal_le_conv_bp", "pal_le_conv_fa",
                                         "pal_le_conv_dfa", "pal_le_conv_pal", "le_01_tau_e_0",
                                         "le_03_gamma_half"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace prospero
