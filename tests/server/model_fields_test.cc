// A bad field of every nested message is refused by its path, whatever the kind of network.

#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/server/model_specs.h"
#include "tests/server/support.h"

namespace prospero::server {
namespace {

using grpc::StatusCode;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Far from any value of an enum.
template <class Enum>
constexpr Enum Unknown() {
  return static_cast<Enum>(99);
}

struct BadField {
  std::string field;  ///< from the model's message on
  std::function<void(v1::NetworkSpec&)> spoil;
};

void ExpectRefused(const ModelSample& sample, const std::vector<BadField>& cases) {
  TestServer server;
  for (const BadField& bad : cases) {
    v1::CreateNetworkRequest request;
    *request.mutable_network()->mutable_spec() = sample.spec;
    bad.spoil(*request.mutable_network()->mutable_spec());
    EXPECT_TRUE(IsError(Create(server, request), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD",
                        "network.spec." + sample.kind + "." + bad.field));
  }
}

TEST(GleFields, AreRefusedByTheirPath) {
  const auto hidden = [](v1::NetworkSpec& s) { return s.mutable_gle()->mutable_populations(1); };
  const auto noise = [hidden](v1::NetworkSpec& s) { return hidden(s)->mutable_noise(); };
  const auto projection = [](v1::NetworkSpec& s) {
    return s.mutable_gle()->mutable_projections(1);
  };
  const auto feedback = [projection](v1::NetworkSpec& s) {
    return projection(s)->mutable_feedback();
  };
  const auto alignment = [feedback](v1::NetworkSpec& s) {
    return feedback(s)->mutable_alignment();
  };
  const std::string q = "projections[1].";
  ExpectRefused(
      GleSample(),
      {
          {"populations[1].noise.sigma", [&](auto& s) { noise(s)->set_sigma(-0.1); }},
          {"populations[1].noise.sigma", [&](auto& s) { noise(s)->set_sigma(kNan); }},
          {"populations[1].noise.kind",
           [&](auto& s) { noise(s)->set_kind(Unknown<v1::Noise::Kind>()); }},
          {"populations[1].noise.tau_ms", [&](auto& s) { noise(s)->set_tau_ms(kInfinity); }},
          {"populations[1].noise.tau_ms", [&](auto& s) { noise(s)->set_tau_ms(0.05); }},
          {"populations[1].noise.tau_ms",
           [&](auto& s) { noise(s)->set_kind(v1::Noise::KIND_HELD_WHITE); }},
          {"populations[1].noise.hold_steps", [&](auto& s) { noise(s)->set_hold_steps(-1); }},
          {"populations[0].noise",
           [](auto& s) { s.mutable_gle()->mutable_populations(0)->mutable_noise(); }},
          {q + "feedback.path",
           [&](auto& s) { feedback(s)->set_path(Unknown<v1::FeedbackPath>()); }},
          {q + "feedback.path", [&](auto& s) { hidden(s)->clear_noise(); }},
          {q + "feedback.initializer.kind", [&](auto& s) { feedback(s)->mutable_initializer(); }},
          {q + "feedback.initializer.values.shape",
           [&](auto& s) {
             *feedback(s)->mutable_initializer()->mutable_values() =
                 Doubles({2, 5}, std::vector<double>(10, 0.0));
           }},
          {q + "feedback.alignment", [&](auto& s) { feedback(s)->clear_alignment(); }},
          {q + "feedback.alignment",
           [&](auto& s) { feedback(s)->set_path(v1::FEEDBACK_PATH_RANDOM); }},
          {q + "feedback.alignment.tau_hp_ms", [&](auto& s) { alignment(s)->set_tau_hp_ms(kNan); }},
          {q + "feedback.alignment.tau_hp_ms", [&](auto& s) { alignment(s)->set_tau_hp_ms(0.05); }},
          {q + "feedback.alignment.plasticity.weight_decay",
           [&](auto& s) { alignment(s)->mutable_plasticity()->set_weight_decay(-1.0); }},
          {q + "feedback.output", [&](auto& s) { feedback(s)->set_output("out"); }},
          {q + "plasticity.bound",
           [&](auto& s) { projection(s)->mutable_plasticity()->set_bound(kNan); }},
          {q + "plasticity.bound",
           [&](auto& s) { projection(s)->mutable_plasticity()->set_bound(-1.0); }},
          {q + "plasticity.low_pass.mix",
           [&](auto& s) { projection(s)->mutable_plasticity()->mutable_low_pass(); }},
          {q + "plasticity.low_pass.mix",
           [&](auto& s) {
             projection(s)->mutable_plasticity()->mutable_low_pass()->set_mix(kNan);
           }},
          {"projections[0].feedback.path",
           [](auto& s) {
             s.mutable_gle()->mutable_projections(0)->mutable_feedback()->set_path(
                 v1::FEEDBACK_PATH_RANDOM);
           }},
      });
}

TEST(LatentEquilibriumFields, AreRefusedByTheirPath) {
  using Spec = v1::LatentEquilibriumSpec;
  const auto spec = [](v1::NetworkSpec& s) { return s.mutable_latent_equilibrium(); };
  const auto layer = [spec](v1::NetworkSpec& s, int index) {
    return spec(s)->mutable_layers(index);
  };
  ExpectRefused(
      LatentEquilibriumSample(),
      {
          {"input_shape", [&](auto& s) { spec(s)->clear_input_shape(); }},
          {"input_shape[1]", [&](auto& s) { spec(s)->set_input_shape(1, -6); }},
          {"layers", [&](auto& s) { spec(s)->clear_layers(); }},
          {"feedback", [&](auto& s) { spec(s)->set_feedback(Unknown<v1::FeedbackPath>()); }},
          {"order", [&](auto& s) { spec(s)->set_order(Unknown<Spec::Order>()); }},
          {"target_error",
           [&](auto& s) { spec(s)->set_target_error(Unknown<Spec::TargetError>()); }},
          {"beta", [&](auto& s) { spec(s)->set_beta(kNan); }},
          {"beta", [&](auto& s) { spec(s)->set_beta(-1.0); }},
          {"gamma", [&](auto& s) { spec(s)->set_gamma(1.5); }},
          {"tau_rate_ms", [&](auto& s) { spec(s)->set_tau_rate_ms(0.05); }},
          {"tau_error_ms", [&](auto& s) { spec(s)->set_tau_error_ms(kInfinity); }},
          {"tau_target_ms", [&](auto& s) { spec(s)->set_tau_target_ms(-1.0); }},
          {"errors_from_rate_potential",
           [&](auto& s) { spec(s)->set_errors_from_rate_potential(true); }},
          {"layers[2].name", [&](auto& s) { layer(s, 2)->set_name("map"); }},
          {"layers[2].kind", [&](auto& s) { layer(s, 2)->clear_kind(); }},
          {"layers[2].dense.size", [&](auto& s) { layer(s, 2)->mutable_dense()->set_size(0); }},
          {"layers[0].convolution.channels",
           [&](auto& s) { layer(s, 0)->mutable_convolution()->set_channels(0); }},
          {"layers[0].convolution.kernel",
           [&](auto& s) { layer(s, 0)->mutable_convolution()->clear_kernel(); }},
          {"layers[0].convolution.stride",
           [&](auto& s) { layer(s, 0)->mutable_convolution()->add_stride(0); }},
          {"layers[0].convolution.padding",
           [&](auto& s) { layer(s, 0)->mutable_convolution()->set_padding(0, -1); }},
          {"layers[1].pool.kind",
           [&](auto& s) {
             layer(s, 1)->mutable_pool()->set_kind(
                 Unknown<v1::LatentEquilibriumLayer::Pool::Kind>());
           }},
          {"layers[1].pool.window", [&](auto& s) { layer(s, 1)->mutable_pool()->clear_window(); }},
          {"layers[1].activation",
           [&](auto& s) { layer(s, 1)->set_activation(v1::ACTIVATION_LINEAR); }},
          {"layers[1].bias", [&](auto& s) { layer(s, 1)->mutable_bias(); }},
          {"layers[2].activation",
           [&](auto& s) { layer(s, 2)->set_activation(Unknown<v1::Activation>()); }},
          {"layers[2].tau_ms[0]", [&](auto& s) { layer(s, 2)->set_tau_ms(0, kNan); }},
          {"layers[2].tau_m_ms", [&](auto& s) { layer(s, 2)->add_tau_m_ms(0.05); }},
          {"layers[2].tau_spread", [&](auto& s) { layer(s, 2)->set_tau_spread(-0.1); }},
          {"layers[2].tau_m_plasticity.learning_rate",
           [&](auto& s) { layer(s, 2)->mutable_tau_m_plasticity()->set_learning_rate(-1.0); }},
          {"layers[2].initializer.kind", [&](auto& s) { layer(s, 2)->mutable_initializer(); }},
          {"layers[2].plasticity.clip",
           [&](auto& s) { layer(s, 2)->mutable_plasticity()->set_clip(-1.0); }},
          {"layers[2].bias.initializer.normal.std",
           [&](auto& s) {
             layer(s, 2)->mutable_bias()->mutable_initializer()->mutable_normal()->set_std(-1.0);
           }},
          {"layers[2].noise.sigma",
           [&](auto& s) { layer(s, 2)->mutable_noise()->set_sigma(-1.0); }},
          {"layers[2].rate_noise", [&](auto& s) { layer(s, 2)->set_rate_noise(kNan); }},
          {"layers[3].feedback_initializer.values.shape",
           [&](auto& s) {
             *layer(s, 3)->mutable_feedback_initializer()->mutable_values() =
                 Doubles({2, 5}, std::vector<double>(10, 0.0));
           }},
          {"layers[3].alignment.tau_hp_ms",
           [&](auto& s) { layer(s, 3)->mutable_alignment()->set_tau_hp_ms(0.05); }},
          {"layers[3].alignment", [&](auto& s) { layer(s, 2)->clear_noise(); }},
      });
}

TEST(MicrocircuitFields, AreRefusedByTheirPath) {
  using Spec = v1::MicrocircuitSpec;
  const auto spec = [](v1::NetworkSpec& s) { return s.mutable_microcircuit(); };
  const auto layer = [spec](v1::NetworkSpec& s, int index) {
    return spec(s)->mutable_layers(index);
  };
  ExpectRefused(
      MicrocircuitSample(),
      {
          {"layers", [&](auto& s) { spec(s)->clear_layers(); }},
          {"feedback", [&](auto& s) { spec(s)->set_feedback(Unknown<v1::FeedbackPath>()); }},
          {"feedback", [&](auto& s) { spec(s)->set_feedback(v1::FEEDBACK_PATH_DIRECT); }},
          {"connection", [&](auto& s) { spec(s)->set_connection(Unknown<Spec::Connection>()); }},
          {"start", [&](auto& s) { spec(s)->set_start(Unknown<Spec::Start>()); }},
          {"comparison", [&](auto& s) { spec(s)->set_comparison(Unknown<Spec::Comparison>()); }},
          {"decay", [&](auto& s) { spec(s)->set_decay(Unknown<Spec::Decay>()); }},
          {"noise_scale", [&](auto& s) { spec(s)->set_noise_scale(Unknown<Spec::NoiseScale>()); }},
          {"conductances.leak", [&](auto& s) { spec(s)->mutable_conductances()->set_leak(-0.1); }},
          {"conductances.target",
           [&](auto& s) { spec(s)->mutable_conductances()->set_target(kNan); }},
          {"prospectivity", [&](auto& s) { spec(s)->set_prospectivity(-1.0); }},
          {"prospectivity", [&](auto& s) { spec(s)->set_prospectivity(kInfinity); }},
          {"tau_presynaptic_ms", [&](auto& s) { spec(s)->set_tau_presynaptic_ms(0.05); }},
          {"tau_postsynaptic_ms", [&](auto& s) { spec(s)->set_tau_postsynaptic_ms(kNan); }},
          {"tau_dendrite_ms", [&](auto& s) { spec(s)->set_tau_dendrite_ms(-1.0); }},
          {"layers[0].activation",
           [&](auto& s) { layer(s, 0)->set_activation(v1::ACTIVATION_LINEAR); }},
          {"layers[0].forward", [&](auto& s) { layer(s, 0)->mutable_forward(); }},
          {"layers[0].noise", [&](auto& s) { layer(s, 0)->mutable_noise()->set_tau_ms(1.0); }},
          {"layers[1].name", [&](auto& s) { layer(s, 1)->set_name(std::string(58, 'h')); }},
          {"layers[1].size", [&](auto& s) { layer(s, 1)->set_size(-5); }},
          {"layers[1].activation",
           [&](auto& s) { layer(s, 1)->set_activation(Unknown<v1::Activation>()); }},
          {"layers[1].forward.initializer.uniform.low",
           [&](auto& s) {
             layer(s, 1)->mutable_forward()->mutable_initializer()->mutable_uniform()->set_low(
                 kNan);
           }},
          {"layers[1].forward.plasticity.learning_rate",
           [&](auto& s) {
             layer(s, 1)->mutable_forward()->mutable_plasticity()->set_learning_rate(-1.0);
           }},
          {"layers[1].to_interneurons.initializer",
           [&](auto& s) {
             layer(s, 1)->mutable_to_interneurons()->mutable_initializer()->set_constant(1.0);
           }},
          {"layers[1].from_interneurons.plasticity.clip",
           [&](auto& s) {
             layer(s, 1)->mutable_from_interneurons()->mutable_plasticity()->set_clip(kNan);
           }},
          {"layers[1].feedback_initializer.values.shape",
           [&](auto& s) {
             *layer(s, 1)->mutable_feedback_initializer()->mutable_values() =
                 Doubles({2, 5}, std::vector<double>(10, 0.0));
           }},
          {"layers[1].alignment.tau_hp_ms",
           [&](auto& s) { layer(s, 1)->mutable_alignment()->set_tau_hp_ms(0.05); }},
          {"layers[1].noise.tau_ms",
           [&](auto& s) { layer(s, 1)->mutable_noise()->set_tau_ms(kNan); }},
          {"layers[1].potential.kind", [&](auto& s) { layer(s, 1)->mutable_potential(); }},
          {"layers[1].interneuron_potential.normal.std",
           [&](auto& s) {
             layer(s, 1)->mutable_interneuron_potential()->mutable_normal()->set_std(-1.0);
           }},
          {"layers[2].alignment",
           [&](auto& s) { *layer(s, 2)->mutable_alignment() = layer(s, 1)->alignment(); }},
      });
}

TEST(EveryModel, RefusesWhatIsTooBigBeforeItCostsMemory) {
  const auto limit_of = [](v1::NetworkSpec spec) {
    TestServer server;
    v1::CreateNetworkRequest request;
    *request.mutable_network()->mutable_spec() = std::move(spec);
    const grpc::Status status = Create(server, request);
    EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
    return DetailsOf(status).metadata["limit"];
  };
  for (const int64_t size : {int64_t{1'000'000'000'000}, std::numeric_limits<int64_t>::max()}) {
    v1::NetworkSpec layers = LatentEquilibriumSample().spec;
    layers.mutable_latent_equilibrium()->mutable_layers(2)->mutable_dense()->set_size(size);
    EXPECT_EQ(limit_of(layers), "max_neurons");
    v1::NetworkSpec circuit = MicrocircuitSample().spec;
    circuit.mutable_microcircuit()->mutable_layers(1)->set_size(size);
    EXPECT_EQ(limit_of(circuit), "max_neurons");
  }
  v1::NetworkSpec layers = LatentEquilibriumSample().spec;
  v1::NetworkSpec circuit = MicrocircuitSample().spec;
  for (int i = 0; i < 2000; ++i) {
    layers.mutable_latent_equilibrium()->add_layers();
    circuit.mutable_microcircuit()->add_layers();
  }
  EXPECT_EQ(limit_of(layers), "max_populations");
  EXPECT_EQ(limit_of(circuit), "max_populations");
}

}  // namespace
}  // namespace prospero::server
