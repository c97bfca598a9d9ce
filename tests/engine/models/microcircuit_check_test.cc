// What is refused, under which name, before any memory is spent.

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "engine/core/errors.h"
#include "tests/support/circuit.h"

namespace prospero {
namespace {

const double kInfinity = std::numeric_limits<double>::infinity();

using Spoil = std::function<void(MicrocircuitSpec&)>;

struct Refusal {
  std::string path;
  Spoil spoil;
};

/// l0 (2) -> l1 (3) -> l2 (4) -> l3 (1), in which everything learns.
MicrocircuitSpec Chain() {
  MicrocircuitSpec spec = Circuit({2, 3, 4, 1}, FeedbackPath::kAligned);
  LearnFeedback({}, spec);
  for (size_t l = 1; l <= 3; ++l) LearnForward(l, 1, 1, spec);
  return spec;
}

MicrocircuitSpec Plain(FeedbackPath feedback) { return Circuit({2, 3, 4, 1}, feedback); }

NetworkOptions Options() {
  NetworkOptions options;
  options.dt = kCircuitDt;
  return options;
}

absl::Status CheckOf(const MicrocircuitSpec& spec, const NetworkLimits& limits = NetworkLimits()) {
  return CheckMicrocircuit(spec, Options(), limits).status();
}

Initializer Given(std::vector<int64_t> shape) {
  Initializer initializer{Initializer::Kind::kValues, 0, 0, shape, {}};
  size_t count = 1;
  for (const int64_t extent : shape) count *= static_cast<size_t>(extent);
  initializer.values.assign(count, 0.5);
  return initializer;
}

void ExpectRefused(const MicrocircuitSpec& good, const std::vector<Refusal>& refusals) {
  ASSERT_TRUE(CheckOf(good).ok()) << CheckOf(good);
  for (size_t i = 0; i < refusals.size(); ++i) {
    MicrocircuitSpec spec = good;
    refusals[i].spoil(spec);
    const absl::Status status = CheckOf(spec);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << i;
    EXPECT_EQ(FieldPath(status), refusals[i].path) << i << ": " << status;
    EXPECT_EQ(MakeMicrocircuit(spec, Options(), NetworkLimits()).status(), status);
  }
}

TEST(CheckMicrocircuit, RefusesBadLayers) {
  ExpectRefused(
      Chain(),
      {{"layers", [](auto& s) { s.layers.clear(); }},
       {"layers", [](auto& s) { s.layers.resize(1); }},
       {"layers[1].name", [](auto& s) { s.layers[1].name = ""; }},
       {"layers[1].name", [](auto& s) { s.layers[1].name = std::string(58, 'h'); }},
       {"layers[2].name", [](auto& s) { s.layers[2].name = "l1"; }},
       {"layers[2].name", [](auto& s) { s.layers[2].name = "l1_inter"; }},
       {"layers[1].size", [](auto& s) { s.layers[1].size = 0; }},
       {"layers[1].size", [](auto& s) { s.layers[1].size = -1; }},
       {"layers[1].forward.initializer.values.shape",
        [](auto& s) {
          s.layers[1].forward.initializer = Given({2, 3});
        }},
       {"layers[1].forward.plasticity.learning_rate",
        [](auto& s) { s.layers[1].forward.plasticity->learning_rate = -1; }},
       {"layers[1].to_interneurons.plasticity.clip",
        [](auto& s) { s.layers[1].to_interneurons.plasticity->clip = -1; }},
       {"layers[1].from_interneurons.plasticity.bound",
        [](auto& s) { s.layers[1].from_interneurons.plasticity->bound = kInfinity; }},
       {"layers[1].feedback_initializer.values.shape",
        [](auto& s) {
          s.layers[1].feedback_initializer = Given({4, 3});
        }},
       {"layers[1].potential.values.shape", [](auto& s) { s.layers[1].potential = Given({4}); }},
       {"layers[1].interneuron_potential.values.shape",
        [](auto& s) { s.layers[1].interneuron_potential = Given({3}); }}});
}

TEST(CheckMicrocircuit, RefusesDynamicsOfTheInput) {
  ExpectRefused(
      Chain(),
      {{"layers[0].activation", [](auto& s) { s.layers[0].activation = Activation::kTanh; }},
       {"layers[0].forward", [](auto& s) { s.layers[0].forward.plasticity = Plasticity(); }},
       {"layers[0].noise", [](auto& s) { s.layers[0].noise = NoiseSpec(); }},
       {"layers[0].potential", [](auto& s) { s.layers[0].potential = Given({2}); }}});
}

TEST(CheckMicrocircuit, RefusesInterneuronsAndFeedbackOfTheOutput) {
  ExpectRefused(Chain(),
                {{"layers[3].to_interneurons",
                  [](auto& s) { s.layers[3].to_interneurons.plasticity = Plasticity(); }},
                 {"layers[3].from_interneurons",
                  [](auto& s) {
                    s.layers[3].from_interneurons.initializer = Given({1, 1});
                  }},
                 {"layers[3].feedback_initializer",
                  [](auto& s) {
                    s.layers[3].feedback_initializer = Given({1, 1});
                  }},
                 {"layers[3].alignment", [](auto& s) { s.layers[3].alignment = Alignment(); }},
                 {"layers[3].noise", [](auto& s) { s.layers[3].noise = NoiseSpec(); }},
                 {"layers[3].interneuron_potential",
                  [](auto& s) { s.layers[3].interneuron_potential = Given({1}); }}});
}

TEST(CheckMicrocircuit, RefusesBadAlignmentAndNoise) {
  ExpectRefused(
      Chain(),
      {{"layers[1].alignment.tau_hp_ms",
        [](auto& s) { s.layers[1].alignment->tau_hp = 0.5 * kCircuitDt; }},
       {"layers[1].alignment.tau_hp_ms",
        [](auto& s) { s.layers[1].alignment->tau_hp = std::nan(""); }},
       {"layers[1].alignment.plasticity.weight_decay",
        [](auto& s) { s.layers[1].alignment->plasticity->weight_decay = -1e-4; }},
       {"layers[1].noise.sigma", [](auto& s) { s.layers[1].noise->sigma = -0.1; }},
       {"layers[1].noise.tau_ms", [](auto& s) { s.layers[1].noise->tau = 0.5 * kCircuitDt; }},
       {"layers[1].noise.hold_steps", [](auto& s) { s.layers[1].noise->hold = 2; }},
       {"layers[1].noise", [](auto& s) { s.layers[1].noise.reset(); }},
       {"layers[1].noise", [](auto& s) { s.layers[1].alignment.reset(); }},
       {"layers[1].noise", [](auto& s) { s.layers[1].alignment->plasticity.reset(); }},
       {"layers[1].alignment.tau_hp_ms", [](auto& s) { s.without_high_pass = true; }}});
}

TEST(CheckMicrocircuit, RefusesWhatOnlyLearnedFeedbackHas) {
  for (const FeedbackPath feedback : {FeedbackPath::kRandom, FeedbackPath::kTranspose}) {
    ExpectRefused(
        Plain(feedback),
        {{"decay", [](auto& s) { s.decay = MicrocircuitSpec::Decay::kGated; }},
         {"noise_scale", [](auto& s) { s.noise_scale = MicrocircuitSpec::NoiseScale::kPotential; }},
         {"without_high_pass", [](auto& s) { s.without_high_pass = true; }},
         {"layers[1].alignment", [](auto& s) { s.layers[1].alignment = Alignment(); }},
         {"layers[1].noise", [](auto& s) { s.layers[1].noise = NoiseSpec(); }}});
  }
}

TEST(CheckMicrocircuit, RefusesFeedbackThatACircuitCannotHave) {
  ExpectRefused(Plain(FeedbackPath::kTranspose),
                {{"feedback", [](auto& s) { s.feedback = FeedbackPath::kDirect; }},
                 {"feedback", [](auto& s) { s.connection = MicrocircuitSpec::Connection::kSkip; }},
                 {"layers[1].feedback_initializer",
                  [](auto& s) {
                    s.layers[1].feedback_initializer = Given({3, 4});
                  }},
                 {"layers[1].from_interneurons",
                  [](auto& s) { s.layers[1].from_interneurons.plasticity = Plasticity(); }}});
}

TEST(CheckMicrocircuit, RefusesLateralInitializersOfASelfPredictingStart) {
  const std::vector<Refusal> refusals = {
      {"layers[1].to_interneurons.initializer",
       [](auto& s) {
         s.layers[1].to_interneurons.initializer = Given({4, 3});
       }},
      {"layers[1].from_interneurons.initializer", [](auto& s) {
         s.layers[1].from_interneurons.initializer = Given({3, 4});
       }}};
  ExpectRefused(Plain(FeedbackPath::kRandom), refusals);
  MicrocircuitSpec given = Plain(FeedbackPath::kRandom);
  given.start = MicrocircuitSpec::Start::kGiven;
  for (const Refusal& refusal : refusals) refusal.spoil(given);
  EXPECT_TRUE(CheckOf(given).ok()) << CheckOf(given);
  given.layers[1].to_interneurons.initializer = Given({3, 4});
  EXPECT_EQ(FieldPath(CheckOf(given)), "layers[1].to_interneurons.initializer.values.shape");
}

TEST(CheckMicrocircuit, RefusesASelfPredictionThatDoesNotExist) {
  MicrocircuitSpec spec = Chain();
  spec.connection = MicrocircuitSpec::Connection::kSkip;
  ExpectRefused(spec, {{"start", [](auto& s) { s.layers[2].activation = Activation::kTanh; }},
                       {"layers[2].alignment.tau_hp_ms",
                        [](auto& s) { s.layers[2].alignment->tau_hp *= 2; }}});
  // That of the layer itself, and of the output, do not matter.
  spec.layers[1].activation = spec.layers[3].activation = Activation::kTanh;
  EXPECT_TRUE(CheckOf(spec).ok());
  spec.layers[2].activation = Activation::kTanh;
  spec.start = MicrocircuitSpec::Start::kGiven;
  EXPECT_TRUE(CheckOf(spec).ok());
}

TEST(CheckMicrocircuit, RefusesBadConstants) {
  ExpectRefused(Chain(),
                {{"prospectivity", [](auto& s) { s.prospectivity = -0.1; }},
                 {"prospectivity", [](auto& s) { s.prospectivity = std::nan(""); }},
                 {"tau_presynaptic_ms", [](auto& s) { s.tau_presynaptic = 0.5 * kCircuitDt; }},
                 {"tau_postsynaptic_ms", [](auto& s) { s.tau_postsynaptic = -1; }},
                 {"tau_dendrite_ms", [](auto& s) { s.tau_dendrite = kInfinity; }},
                 {"conductances.leak", [](auto& s) { s.conductances.leak = 0; }},
                 {"conductances.basal", [](auto& s) { s.conductances.basal = -1; }},
                 {"conductances.apical", [](auto& s) { s.conductances.apical = kInfinity; }},
                 {"conductances.dendrite", [](auto& s) { s.conductances.dendrite = std::nan(""); }},
                 {"conductances.interneuron", [](auto& s) { s.conductances.interneuron = 0; }},
                 {"conductances.target", [](auto& s) { s.conductances.target = 0; }},
                 {"conductances", [](auto& s) { s.conductances.basal = 1 / kCircuitDt; }}});
}

TEST(CheckMicrocircuit, SaysWhatIsAllowedAndWhatItGot) {
  MicrocircuitSpec spec = Chain();
  spec.layers[1].alignment->tau_hp = 0.005;
  EXPECT_EQ(CheckOf(spec).message(),
            "layers[1].alignment.tau_hp_ms: must be finite and >= dt_ms (0.01), got 0.005");
}

std::string LimitOf(const absl::Status& status) {
  std::string limit;
  VisitMetadata(status, [&limit](absl::string_view key, absl::string_view value) {
    if (key == "limit") limit = std::string(value);
  });
  return limit;
}

TEST(CheckMicrocircuit, KnowsWhatANetworkNeeds) {
  const auto footprint = CheckMicrocircuit(Chain(), Options(), NetworkLimits());
  ASSERT_TRUE(footprint.ok());
  // 2 + 3 + 4 + 1 and interneurons for 4 and 1.
  EXPECT_EQ(footprint->neurons, 15);
  // W: 6 + 12 + 4; B, C and V: 12 + 4 each.
  EXPECT_EQ(footprint->weights, 22 + 3 * 16);
  EXPECT_GT(footprint->bytes, 70 * 4);
}

TEST(CheckMicrocircuit, NamesTheLimitThatIsExceeded) {
  const auto limit = [](void (*tighten)(NetworkLimits&)) {
    NetworkLimits limits;
    tighten(limits);
    const absl::Status status = CheckOf(Chain(), limits);
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    return LimitOf(status);
  };
  EXPECT_EQ(limit([](NetworkLimits& l) { l.max_neurons = 14; }), "max_neurons");
  EXPECT_EQ(limit([](NetworkLimits& l) { l.max_weights = 69; }), "max_weights");
  EXPECT_EQ(limit([](NetworkLimits& l) { l.max_bytes = 1000; }), "max_network_bytes");
  // Input, output, two hidden layers and their interneurons; three W and six lateral arrays.
  EXPECT_EQ(limit([](NetworkLimits& l) { l.max_populations = 5; }), "max_populations");
  EXPECT_EQ(limit([](NetworkLimits& l) { l.max_projections = 8; }), "max_projections");
  EXPECT_EQ(limit([](NetworkLimits& l) { l.max_batch_size = 0; }), "max_batch_size");
}

TEST(CheckMicrocircuit, TakesNoMemoryForWhatItRefuses) {
  MicrocircuitSpec spec = Plain(FeedbackPath::kRandom);
  NetworkLimits limits;
  for (const int64_t size : {int64_t{1'000'000'000'000}, INT64_MAX}) {
    spec.layers[1].size = spec.layers[2].size = size;
    EXPECT_EQ(LimitOf(CheckOf(spec, limits)), "max_neurons");
  }
  limits.max_neurons = limits.max_weights = INT64_MAX;
  EXPECT_EQ(LimitOf(CheckOf(spec, limits)), "max_network_bytes");
}

}  // namespace
}  // namespace prospero
