// What is refused, under which name, before any memory is spent.

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "engine/core/errors.h"
#include "tests/support/layered.h"

namespace prospero {
namespace {

using Spec = LatentEquilibriumSpec;
using Layer = LatentEquilibriumLayer;

const double kInfinity = std::numeric_limits<double>::infinity();

/// Convolution, pool, dense, dense; feedback ALIGNED with noise where it is needed.
Spec Stack() {
  Spec spec;
  spec.input_shape = {2, 8, 8};
  spec.layers = {ConvolutionLayer("a", 3, {3}, Activation::kTanh),
                 PoolLayerOf("b", {2}, Layer::Pool::Kind::kMax),
                 DenseLayer("c", 5, Activation::kTanh), DenseLayer("d", 2, Activation::kLinear)};
  spec.feedback = FeedbackPath::kAligned;
  for (const size_t l : {0, 2}) spec.layers[l].noise = OuNoise(0.05, 1.0);
  for (const size_t l : {2, 3}) spec.layers[l].alignment = Aligned(0.1, 0.01, 1.0);
  return spec;
}

Spec Chain(FeedbackPath feedback) {
  Spec spec;
  spec.input_shape = {4};
  spec.layers = {DenseLayer("a", 3, Activation::kTanh), DenseLayer("b", 2, Activation::kTanh)};
  spec.feedback = feedback;
  return spec;
}

absl::Status CheckOf(const Spec& spec, const NetworkLimits& limits = NetworkLimits()) {
  return CheckLatentEquilibrium(spec, LayeredOptions(), limits).status();
}

struct Refusal {
  std::string path;
  std::function<void(Spec&)> spoil;
};

void ExpectRefused(const Spec& good, const std::vector<Refusal>& refusals) {
  ASSERT_TRUE(CheckOf(good).ok()) << CheckOf(good);
  for (const Refusal& refusal : refusals) {
    Spec spec = good;
    refusal.spoil(spec);
    const absl::Status status = CheckOf(spec);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << refusal.path;
    EXPECT_EQ(FieldPath(status), refusal.path) << status;
    EXPECT_EQ(Reason(status), "INVALID_FIELD");
    EXPECT_FALSE(MakeLatentEquilibrium(spec, LayeredOptions(), NetworkLimits()).ok());
  }
}

Layer::Convolution& Kernel(Spec& s) { return std::get<Layer::Convolution>(s.layers[0].kind); }
Layer::Pool& Window(Spec& s) { return std::get<Layer::Pool>(s.layers[1].kind); }

TEST(CheckLatentEquilibrium, RefusesWhatNoNetworkCanHave) {
  ExpectRefused(Stack(), {{"input_shape", [](Spec& s) { s.input_shape = {}; }},
                          {"input_shape",
                           [](Spec& s) {
                             s.input_shape = {1, 2, 3, 4};
                           }},
                          {"input_shape[1]", [](Spec& s) { s.input_shape[1] = 0; }},
                          {"input_shape[0]", [](Spec& s) { s.input_shape[0] = -1; }},
                          {"layers", [](Spec& s) { s.layers.clear(); }},
                          {"beta", [](Spec& s) { s.beta = -0.1; }},
                          {"beta", [](Spec& s) { s.beta = std::nan(""); }},
                          {"gamma", [](Spec& s) { s.gamma = 1.1; }},
                          {"gamma", [](Spec& s) { s.gamma = -1.1; }},
                          {"gamma", [](Spec& s) { s.gamma = std::nan(""); }},
                          {"tau_rate_ms", [](Spec& s) { s.tau_rate = 0.05; }},
                          {"tau_error_ms", [](Spec& s) { s.tau_error = -1; }},
                          {"tau_target_ms", [](Spec& s) { s.tau_target = kInfinity; }},
                          {"errors_from_rate_potential",
                           [](Spec& s) { s.errors_from_rate_potential = true; }}});
}

TEST(CheckLatentEquilibrium, RefusesNamesAndExtents) {
  ExpectRefused(Stack(),
                {{"layers[1].name", [](Spec& s) { s.layers[1].name = ""; }},
                 {"layers[1].name", [](Spec& s) { s.layers[1].name = std::string("b.c"); }},
                 {"layers[1].name", [](Spec& s) { s.layers[1].name = std::string("input"); }},
                 {"layers[2].name", [](Spec& s) { s.layers[2].name = std::string("a"); }},
                 {"layers[2].dense.size", [](Spec& s) { s.layers[2].kind = Layer::Dense{0}; }},
                 {"layers[0].convolution.channels", [](Spec& s) { Kernel(s).channels = 0; }},
                 {"layers[0].convolution.kernel", [](Spec& s) { Kernel(s).kernel = {}; }},
                 {"layers[0].convolution.kernel",
                  [](Spec& s) {
                    Kernel(s).kernel = {3, 3, 3};
                  }},
                 {"layers[0].convolution.kernel[1]",
                  [](Spec& s) {
                    Kernel(s).kernel = {3, 0};
                  }},
                 {"layers[0].convolution.kernel", [](Spec& s) { Kernel(s).kernel = {9}; }},
                 {"layers[0].convolution.kernel",
                  [](Spec& s) {
                    Kernel(s).kernel = {3, 9};
                  }},
                 {"layers[0].convolution.stride", [](Spec& s) { Kernel(s).stride = {0}; }},
                 {"layers[0].convolution.stride[0]",
                  [](Spec& s) {
                    Kernel(s).stride = {-1, 1};
                  }},
                 {"layers[0].convolution.padding", [](Spec& s) { Kernel(s).padding = {-1}; }},
                 {"layers[0].convolution", [](Spec& s) { s.input_shape = {16}; }},
                 {"layers[1].pool.window", [](Spec& s) { Window(s).window = {}; }},
                 {"layers[1].pool.window", [](Spec& s) { Window(s).window = {7}; }},
                 {"layers[1].pool.window", [](Spec& s) { Window(s).window = {0}; }},
                 {"layers[1].pool.stride", [](Spec& s) { Window(s).stride = {0}; }},
                 {"layers[3].pool",
                  [](Spec& s) {
                    s.layers = {s.layers[0], s.layers[0], s.layers[0], s.layers[1]};
                    s.layers[1].name = std::string("x");
                    s.layers[2].name = std::string("y");
                  }},
                 {"layers[3].convolution", [](Spec& s) { s.layers[3].kind = Kernel(s); }}});
}

TEST(CheckLatentEquilibrium, AllowsAKernelThatFitsWithItsPadding) {
  Spec spec = Stack();
  Kernel(spec).kernel = {9};
  Kernel(spec).padding = {1};
  EXPECT_TRUE(CheckOf(spec).ok()) << CheckOf(spec);
}

TEST(CheckLatentEquilibrium, RefusesNeuronsInAPool) {
  ExpectRefused(
      Stack(),
      {{"layers[1].activation", [](Spec& s) { s.layers[1].activation = Activation::kTanh; }},
       {"layers[1].tau_ms", [](Spec& s) { s.layers[1].tau = {10.0}; }},
       {"layers[1].tau_m_ms", [](Spec& s) { s.layers[1].tau_m = {10.0}; }},
       {"layers[1].tau_spread", [](Spec& s) { s.layers[1].tau_spread = 0.1; }},
       {"layers[1].tau_m_plasticity", [](Spec& s) { s.layers[1].tau_m_plasticity = Sgd(1); }},
       {"layers[1].initializer", [](Spec& s) { s.layers[1].initializer = NormalValues(1); }},
       {"layers[1].plasticity", [](Spec& s) { s.layers[1].plasticity = Sgd(1); }},
       {"layers[1].bias", [](Spec& s) { s.layers[1].bias = Layer::Bias(); }},
       {"layers[1].rate_noise", [](Spec& s) { s.layers[1].rate_noise = 0.1; }},
       {"layers[1].feedback_initializer",
        [](Spec& s) { s.layers[1].feedback_initializer = NormalValues(1); }},
       {"layers[1].alignment", [](Spec& s) { s.layers[1].alignment = Aligned(1, 1, 1); }}});
}

TEST(CheckLatentEquilibrium, RefusesTimeConstantsThatAStepCannotFollow) {
  ExpectRefused(
      Stack(),
      {{"layers[0].tau_ms", [](Spec& s) { s.layers[0].tau = {}; }},
       {"layers[0].tau_ms",
        [](Spec& s) {
          s.layers[0].tau = {1, 2};
        }},
       {"layers[0].tau_ms", [](Spec& s) { s.layers[0].tau = {0.05}; }},
       {"layers[2].tau_ms[3]",
        [](Spec& s) {
          s.layers[2].tau = {1, 2, 3, -1, 5};
        }},
       {"layers[2].tau_ms", [](Spec& s) { s.layers[2].tau = {kInfinity}; }},
       {"layers[2].tau_m_ms", [](Spec& s) { s.layers[2].tau_m = {0.05}; }},
       {"layers[2].tau_m_ms",
        [](Spec& s) {
          s.layers[2].tau_m = {1, 2};
        }},
       {"layers[0].tau_spread", [](Spec& s) { s.layers[0].tau_spread = -0.1; }},
       {"layers[3].alignment.tau_hp_ms", [](Spec& s) { s.layers[3].alignment->tau_hp = 0.05; }},
       {"layers[3].alignment.tau_hp_ms", [](Spec& s) { s.layers[3].alignment->tau_hp = 0; }},
       {"layers[0].noise.tau_ms", [](Spec& s) { s.layers[0].noise->tau = 0.05; }}});
  Spec spec = Stack();
  spec.layers[0].tau = {0.0};
  spec.layers[0].tau_m = {10.0};
  EXPECT_TRUE(CheckOf(spec).ok()) << CheckOf(spec);
}

TEST(CheckLatentEquilibrium, RefusesBadNoise) {
  ExpectRefused(
      Stack(), {{"layers[0].noise.sigma", [](Spec& s) { s.layers[0].noise->sigma = -0.1; }},
                {"layers[0].noise.sigma", [](Spec& s) { s.layers[0].noise->sigma = std::nan(""); }},
                {"layers[2].rate_noise", [](Spec& s) { s.layers[2].rate_noise = -0.1; }},
                {"layers[1].noise.sigma", [](Spec& s) { s.layers[1].noise = OuNoise(-1, 1); }}});
}

TEST(CheckLatentEquilibrium, RefusesWeightsOfTheWrongShape) {
  const auto values = [](std::vector<int64_t> shape, int64_t count) {
    return GivenValues(std::move(shape), std::vector<double>(static_cast<size_t>(count), 0.1));
  };
  ExpectRefused(Stack(), {{"layers[0].initializer.values.shape",
                           [&](Spec& s) {
                             s.layers[0].initializer = values({18, 3}, 54);
                           }},
                          {"layers[2].initializer.values.shape",
                           [&](Spec& s) {
                             s.layers[2].initializer = values({5, 26}, 130);
                           }},
                          {"layers[2].feedback_initializer.values.shape",
                           [&](Spec& s) {
                             s.layers[2].feedback_initializer = values({5, 27}, 135);
                           }},
                          {"layers[0].bias.initializer.values.shape",
                           [&](Spec& s) { s.layers[0].bias->initializer = values({108}, 108); }},
                          {"layers[2].plasticity.learning_rate",
                           [](Spec& s) { s.layers[2].plasticity = Sgd(-1); }},
                          {"layers[2].bias.plasticity.learning_rate",
                           [](Spec& s) { s.layers[2].bias->plasticity = Sgd(-1); }},
                          {"layers[2].tau_m_plasticity.learning_rate",
                           [](Spec& s) { s.layers[2].tau_m_plasticity = Sgd(-1); }},
                          {"layers[2].alignment.plasticity.learning_rate",
                           [](Spec& s) { s.layers[2].alignment->plasticity = Sgd(-1); }}});
  Spec spec = Stack();
  spec.layers[0].initializer = values({3, 18}, 54);
  spec.layers[2].feedback_initializer = values({27, 5}, 135);
  spec.layers[0].bias->initializer = values({3}, 3);
  EXPECT_TRUE(CheckOf(spec).ok()) << CheckOf(spec);
  Spec direct = Chain(FeedbackPath::kDirect);
  direct.layers[0].feedback_initializer = values({3, 2}, 6);
  EXPECT_TRUE(CheckOf(direct).ok()) << CheckOf(direct);
  direct.layers[0].feedback_initializer = values({4, 3}, 12);
  EXPECT_EQ(FieldPath(CheckOf(direct)), "layers[0].feedback_initializer.values.shape");
}

TEST(CheckLatentEquilibrium, RefusesFeedbackThatIsNotThere) {
  const Refusal first = {"layers[0].feedback_initializer",
                         [](Spec& s) { s.layers[0].feedback_initializer = NormalValues(1); }};
  const Refusal last = {"layers[1].feedback_initializer",
                        [](Spec& s) { s.layers[1].feedback_initializer = NormalValues(1); }};
  const Refusal alignment = {"layers[1].alignment",
                             [](Spec& s) { s.layers[1].alignment = Aligned(1, 1, 1); }};
  ExpectRefused(Chain(FeedbackPath::kTranspose), {first, last, alignment});
  ExpectRefused(Chain(FeedbackPath::kRandom), {first, alignment});
  ExpectRefused(Chain(FeedbackPath::kDirect), {last, alignment});
  ExpectRefused(Chain(FeedbackPath::kAligned), {first});
}

TEST(CheckLatentEquilibrium, RefusesToLearnFromNoiseThatIsNotThere) {
  ExpectRefused(Stack(), {{"layers[2].alignment", [](Spec& s) { s.layers[0].noise.reset(); }},
                          {"layers[3].alignment", [](Spec& s) { s.layers[2].noise.reset(); }},
                          {"layers[0].alignment",
                           [](Spec& s) { s.layers[0].alignment = Aligned(1, 1, 1); }}});
  Spec spec = Stack();
  spec.layers[0].noise.reset();
  spec.layers[1].noise = OuNoise(0.1, 1.0);
  EXPECT_TRUE(CheckOf(spec).ok()) << CheckOf(spec);
  spec.layers[1].noise.reset();
  spec.layers[2].alignment->plasticity.reset();
  EXPECT_TRUE(CheckOf(spec).ok()) << CheckOf(spec);
}

TEST(CheckLatentEquilibrium, RefusesWhatDynamicsOrderDoesNotKnow) {
  Spec dynamics = Chain(FeedbackPath::kTranspose);
  dynamics.order = Spec::Order::kDynamics;
  dynamics.gamma = 1.0;
  dynamics.tau_error = 1.0;
  ExpectRefused(dynamics, {{"tau_rate_ms", [](Spec& s) { s.tau_rate = 1; }},
                           {"tau_target_ms", [](Spec& s) { s.tau_target = 1; }},
                           {"errors_from_rate_potential",
                            [](Spec& s) { s.errors_from_rate_potential = true; }},
                           {"layers[0].pool",
                            [](Spec& s) {
                              s.input_shape = {2, 4};
                              s.layers[0] = PoolLayerOf("a", {2}, Layer::Pool::Kind::kMax);
                            }},
                           {"layers[0].convolution", [](Spec& s) {
                              s.input_shape = {2, 4};
                              s.layers[0] = ConvolutionLayer("a", 2, {2}, Activation::kTanh);
                            }}});
}

TEST(CheckLatentEquilibrium, RefusesToReadErrorsOffTheMembraneOfDirectFeedback) {
  Spec spec = Chain(FeedbackPath::kTranspose);
  spec.gamma = 1.0;
  spec.errors_from_rate_potential = true;
  EXPECT_TRUE(CheckOf(spec).ok()) << CheckOf(spec);
  spec.feedback = FeedbackPath::kDirect;
  EXPECT_EQ(FieldPath(CheckOf(spec)), "errors_from_rate_potential");
}

TEST(CheckLatentEquilibrium, SaysWhatIsAllowedAndWhatItGot) {
  Spec spec = Stack();
  Kernel(spec).kernel = {9};
  EXPECT_EQ(CheckOf(spec).message(),
            "layers[0].convolution.kernel: must be <= the layer below with its padding "
            "(8 + 2 * 0), got 9");
}

std::string LimitOf(const absl::Status& status) {
  std::string limit;
  VisitMetadata(status, [&limit](absl::string_view key, absl::string_view value) {
    if (key == "limit") limit = std::string(value);
  });
  return limit;
}

TEST(CheckLatentEquilibrium, NamesTheLimitThatIsExceeded) {
  const auto limit = [](void (*tighten)(NetworkLimits&)) {
    NetworkLimits limits;
    tighten(limits);
    const absl::Status status = CheckOf(Stack(), limits);
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    return LimitOf(status);
  };
  // Neurons: 128 + 108 + 27 + 5 + 2; weights: W 54 + 135 + 10, B 135 + 10.
  EXPECT_EQ(limit([](NetworkLimits& l) { l.max_neurons = 269; }), "max_neurons");
  EXPECT_EQ(limit([](NetworkLimits& l) { l.max_weights = 343; }), "max_weights");
  EXPECT_EQ(limit([](NetworkLimits& l) { l.max_bytes = 1000; }), "max_network_bytes");
  EXPECT_EQ(limit([](NetworkLimits& l) { l.max_populations = 4; }), "max_populations");
  EXPECT_EQ(limit([](NetworkLimits& l) { l.max_projections = 3; }), "max_projections");
  EXPECT_EQ(limit([](NetworkLimits& l) { l.max_batch_size = 0; }), "max_batch_size");
}

TEST(CheckLatentEquilibrium, KnowsWhatANetworkNeeds) {
  const auto footprint = CheckLatentEquilibrium(Stack(), LayeredOptions(), NetworkLimits());
  ASSERT_TRUE(footprint.ok());
  EXPECT_EQ(footprint->neurons, 270);
  EXPECT_EQ(footprint->weights, 344);
  const auto direct =
      CheckLatentEquilibrium(Chain(FeedbackPath::kDirect), LayeredOptions(), NetworkLimits());
  EXPECT_EQ(direct->weights, 12 + 6 + 6);
}

TEST(CheckLatentEquilibrium, CountsBeyondTheLargestNumber) {
  const int64_t large = int64_t{1} << 62;
  for (const auto& spoil : std::vector<std::function<void(Spec&)>>{
           [=](Spec& s) {
             s.input_shape = {large, large, large};
           },
           [=](Spec& s) { Kernel(s).channels = large; },
           [=](Spec& s) { Kernel(s).padding = {large}; },
           [=](Spec& s) { s.layers[2].kind = Layer::Dense{INT64_MAX}; }}) {
    Spec spec = Stack();
    spoil(spec);
    EXPECT_EQ(LimitOf(CheckOf(spec)), "max_neurons") << CheckOf(spec);
  }
}

}  // namespace
}  // namespace prospero
