// The microcircuit reproduces what the published code does, at every step of every trace, with the
// noise that it drew.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/models/microcircuit/microcircuit.h"
#include "tests/support/trace.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

using nlohmann::json;

template <class Enum>
Enum EnumOf(const json& header, const char* key, const std::map<std::string, Enum>& names) {
  return names.at(header.at(key).get<std::string>());
}

Activation ActivationOf(const json& header) {
  return EnumOf<Activation>(header, "phi",
                            {{"linear", Activation::kLinear},
                             {"relu", Activation::kRelu},
                             {"softplus", Activation::kSoftplus},
                             {"sigmoid", Activation::kSigmoid},
                             {"tanh", Activation::kTanh},
                             {"hard_logistic", Activation::kHardLogistic}});
}

FeedbackPath FeedbackOf(const json& header) {
  return EnumOf<FeedbackPath>(header, "feedback",
                              {{"random", FeedbackPath::kRandom},
                               {"transpose", FeedbackPath::kTranspose},
                               {"aligned", FeedbackPath::kAligned}});
}

bool LowPasses(const json& header, const std::string& what) {
  const json& list = header["low_pass"];
  return std::find(list.begin(), list.end(), what) != list.end();
}

/// Reads the JSON of one trace, which tests/golden/convert_microcircuit.py describes.
class SpecReader {
 public:
  explicit SpecReader(const Trace& trace) : trace_(trace), header_(trace.header) {}

  MicrocircuitSpec Read() const {
    MicrocircuitSpec spec;
    spec.feedback = FeedbackOf(header_);
    spec.start = MicrocircuitSpec::Start::kGiven;
    spec.prospectivity = header_["prospectivity"];
    if (header_["compares_potentials"]) {
      spec.comparison = MicrocircuitSpec::Comparison::kPotentials;
    }
    const double tau_low = header_["tau_low"];
    if (LowPasses(header_, "presynaptic")) spec.tau_presynaptic = tau_low;
    if (LowPasses(header_, "postsynaptic")) spec.tau_postsynaptic = tau_low;
    if (LowPasses(header_, "dendrite")) spec.tau_dendrite = tau_low;
    ReadConductances(spec.conductances);
    if (aligned()) ReadAligned(spec);
    for (size_t l = 0; l < header_["sizes"].size(); ++l) spec.layers.push_back(LayerOf(l));
    return spec;
  }

 private:
  bool aligned() const { return header_["feedback"] == "aligned"; }
  double dt() const { return header_["dt"]; }

  void ReadConductances(MicrocircuitConductances& g) const {
    const json& values = header_["conductances"];
    g.leak = values["leak"];
    g.basal = values["basal"];
    g.apical = values["apical"];
    g.dendrite = values["dendrite"];
    g.interneuron = values["interneuron"];
    g.target = values["target"];
  }

  void ReadAligned(MicrocircuitSpec& spec) const {
    using Decay = MicrocircuitSpec::Decay;
    using NoiseScale = MicrocircuitSpec::NoiseScale;
    spec.decay = EnumOf<Decay>(
        header_, "decay",
        {{"plain", Decay::kPlain}, {"gated", Decay::kGated}, {"slopes", Decay::kSlopes}});
    spec.noise_scale = EnumOf<NoiseScale>(header_, "noise_scale",
                                          {{"constant", NoiseScale::kConstant},
                                           {"potential", NoiseScale::kPotential},
                                           {"prospective", NoiseScale::kProspective},
                                           {"apical", NoiseScale::kApical}});
    spec.without_high_pass = header_["without_high_pass"];
  }

  absl::optional<Initializer> First(const std::string& name) const {
    const Trace::Array& array = trace_.arrays.at("first." + name);
    return Initializer{Initializer::Kind::kValues, 0, 0, array.shape, array.values};
  }

  Plasticity PlasticityOf(const char* rates, size_t l) const {
    Plasticity plasticity;
    plasticity.learning_rate = dt() * header_[rates][l - 1].get<double>();
    return plasticity;
  }

  void ReadAlignment(size_t l, MicrocircuitLayer& layer) const {
    layer.alignment.emplace();
    layer.alignment->plasticity = PlasticityOf("eta_bw", l);
    layer.alignment->plasticity->weight_decay = header_["alpha"][l - 1];
    if (!header_["without_high_pass"]) layer.alignment->tau_hp = header_["tau_hp"];
    layer.noise.emplace();
    layer.noise->sigma = header_["sigma"][l - 1];
    if (header_["noise"] == "held") {
      layer.noise->kind = NoiseSpec::Kind::kHeldWhite;
      layer.noise->hold = header_["hold"];
    } else {
      layer.noise->tau = header_["tau_xi"];
    }
  }

  MicrocircuitLayer LayerOf(size_t l) const {
    MicrocircuitLayer layer;
    layer.name = absl::StrCat("l", l);
    layer.size = header_["sizes"][l];
    if (l == 0) return layer;
    layer.activation = ActivationOf(header_);
    layer.potential = First(layer.name + ".u");
    layer.forward.initializer = First(layer.name + ".W");
    layer.forward.plasticity = PlasticityOf("eta_fw", l);
    if (LowPasses(header_, "change")) {
      layer.forward.plasticity->optimizer = Optimizer::kLowPass;
      layer.forward.plasticity->mix = dt() / header_["tau_low"].get<double>();
    }
    if (l + 1 == header_["sizes"].size()) return layer;
    layer.interneuron_potential = First(layer.name + "_inter.u");
    layer.to_interneurons = {First(layer.name + ".V"), PlasticityOf("eta_IP", l)};
    if (header_["feedback"] == "transpose") return layer;
    layer.from_interneurons = {First(layer.name + ".C"), PlasticityOf("eta_PI", l)};
    layer.feedback_initializer = First(layer.name + ".B");
    if (aligned()) ReadAlignment(l, layer);
    return layer;
  }

  const Trace& trace_;
  const json& header_;
};

NetworkOptions OptionsOf(const Trace& trace, DataType precision) {
  NetworkOptions options;
  options.dt = trace.header["dt"];
  options.precision = precision;
  return options;
}

/// What is written before a step, of all arrays of a trace.
bool IsInput(const std::string& name) {
  return name == "l0.r" || absl::EndsWith(name, ".target") || absl::EndsWith(name, ".teach") ||
         absl::EndsWith(name, ".w") || absl::EndsWith(name, ".w_given");
}

bool IsWeight(const std::string& name) {
  return absl::EndsWith(name, ".W") || absl::EndsWith(name, ".W.m") || absl::EndsWith(name, ".V") ||
         absl::EndsWith(name, ".B") || absl::EndsWith(name, ".C");
}

void WriteInputs(const Trace& trace, int64_t step, const Network& network) {
  for (const auto& [name, array] : trace.arrays) {
    if (IsInput(name)) Set(network, name, array.at(step));
  }
  const double* learn = trace.arrays.at("learn").at(step);
  for (const Variable& variable : network.variables()) {
    if (absl::EndsWith(variable.name, ".W.plastic")) variable.Fill(learn[0]);
    if (absl::EndsWith(variable.name, ".V.plastic")) variable.Fill(learn[1]);
    if (absl::EndsWith(variable.name, ".C.plastic")) variable.Fill(learn[1]);
    if (absl::EndsWith(variable.name, ".B.plastic")) variable.Fill(learn[2]);
  }
}

/// The largest |ours - reference| / max(1, |reference|), and where.
struct Deviation {
  double value = 0;
  std::string where;
  int64_t compared = 0;

  void Compare(const Network& network, const std::string& name, const double* reference,
               int64_t step) {
    const std::vector<double> ours = Values(network, name);
    for (size_t i = 0; i < ours.size(); ++i, ++compared) {
      const double off = std::abs(ours[i] - reference[i]) / std::max(1.0, std::abs(reference[i]));
      if (off <= value) continue;
      value = std::isnan(off) ? std::numeric_limits<double>::infinity() : off;
      where = absl::StrCat(name, "[", i, "] at step ", step);
    }
  }
};

void CompareStep(const Trace& trace, int64_t step, const Network& network, Deviation& worst) {
  const auto& recorded = trace.header["weight_steps"];
  const auto found = std::find(recorded.begin(), recorded.end(), step);
  for (const auto& [name, array] : trace.arrays) {
    if (IsInput(name) || name == "learn" || absl::StartsWith(name, "first.")) continue;
    if (!IsWeight(name)) {
      worst.Compare(network, name, array.at(step), step);
    } else if (found != recorded.end()) {
      worst.Compare(network, name, array.at(found - recorded.begin()), step);
    }
  }
}

Deviation Replay(const Trace& trace, DataType precision, double bound) {
  Deviation worst;
  auto network =
      MakeMicrocircuit(SpecReader(trace).Read(), OptionsOf(trace, precision), NetworkLimits());
  EXPECT_TRUE(network.ok()) << network.status();
  if (!network.ok()) return worst;
  for (int64_t n = 0; n < trace.header["steps"].get<int64_t>(); ++n) {
    WriteInputs(trace, n, **network);
    (*network)->Advance({n, trace.header["dt"]});
    EXPECT_TRUE((*network)->finite());
    CompareStep(trace, n, **network, worst);
    if (worst.value > bound) break;
  }
  return worst;
}

void ReplayAll(const std::string& name, DataType precision, double bound) {
  for (const Trace& trace : ReadTraces(name)) {
    const Deviation worst = Replay(trace, precision, bound);
    EXPECT_LE(worst.value, bound) << trace.header["name"] << ": " << worst.where;
    EXPECT_GT(worst.compared, 40 * trace.header["steps"].get<int64_t>());
    testing::Test::RecordProperty(trace.header["name"].get<std::string>(),
                                  absl::StrCat(worst.value));
  }
}

class MicrocircuitGolden : public testing::TestWithParam<const char*> {};

TEST_P(MicrocircuitGolden, IsReproducedInDoublePrecision) {
  ReplayAll(GetParam(), DataType::kFloat64, 1e-11);
}

TEST_P(MicrocircuitGolden, IsFollowedInSinglePrecision) {
  ReplayAll(GetParam(), DataType::kFloat32, 5e-6);
}

INSTANTIATE_TEST_SUITE_P(PublishedCode, MicrocircuitGolden,
                         testing::Values("microcircuit_ff", "microcircuit_selfpred",
                                         "microcircuit_bw", "microcircuit_all", "microcircuit_fa",
                                         "microcircuit_bp", "microcircuit_taur0",
                                         "microcircuit_variants"),
                         [](const auto& test) { return std::string(test.param); });

TEST(MicrocircuitTraces, AreAllThere) {
  EXPECT_EQ(ReadTraces("microcircuit_variants").size(), 17U);
  const Trace trace = ReadTrace("microcircuit_all");
  for (const char* name : {"l1.u", "l1.u_ahead", "l1.r", "l1.basal", "l1.apical", "l1.xi", "l2.h",
                           "l1_inter.u", "l1_inter.u_ahead", "l1_inter.r", "l1_inter.dendrite",
                           "l1.W", "l1.W.m", "l1.V", "l1.B", "l1.C", "l3.W"}) {
    EXPECT_TRUE(trace.arrays.contains(name)) << name;
  }
}

/// The published start is the state of self-prediction.
TEST(MicrocircuitTraces, StartSelfPredicting) {
  const Trace trace = ReadTrace("microcircuit_selfpred");
  MicrocircuitSpec spec = SpecReader(trace).Read();
  spec.start = MicrocircuitSpec::Start::kSelfPredicting;
  for (MicrocircuitLayer& layer : spec.layers) {
    layer.to_interneurons.initializer.reset();
    layer.from_interneurons.initializer.reset();
  }
  const auto network =
      MakeMicrocircuit(spec, OptionsOf(trace, DataType::kFloat64), NetworkLimits());
  ASSERT_TRUE(network.ok()) << network.status();
  for (const char* name : {"l1.V", "l2.V", "l1.C", "l2.C"}) {
    const std::vector<double> ours = Values(**network, name);
    const std::vector<double>& reference = trace.arrays.at(absl::StrCat("first.", name)).values;
    ASSERT_EQ(ours.size(), reference.size());
    for (size_t i = 0; i < ours.size(); ++i) EXPECT_NEAR(ours[i], reference[i], 1e-14) << name;
  }
}

}  // namespace
}  // namespace prospero
