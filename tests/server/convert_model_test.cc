// Specs of networks on the border between the wire and the engine.

#include <cmath>
#include <variant>

#include "engine/core/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/convert/components.h"
#include "server/convert/latent_equilibrium.h"
#include "server/convert/microcircuit.h"

namespace prospero::server {
namespace {

using testing::ElementsAre;

TEST(Plasticity, HasABoundAndALowPass) {
  v1::Plasticity wire;
  wire.set_bound(2.0);
  wire.mutable_low_pass()->set_mix(0.25);
  const absl::StatusOr<Plasticity> plasticity = FromProto(wire);
  ASSERT_TRUE(plasticity.ok());
  EXPECT_EQ(plasticity->optimizer, Optimizer::kLowPass);
  EXPECT_EQ(plasticity->mix, 0.25);
  EXPECT_EQ(plasticity->bound, 2.0);
  wire.set_bound(std::nan(""));
  EXPECT_EQ(FieldPath(FromProto(wire).status()), "bound");
}

TEST(NoiseOnTheWire, IsOrnsteinUhlenbeckUnlessItIsHeld) {
  v1::Noise wire;
  wire.set_sigma(0.5);
  wire.set_tau_ms(2.0);
  EXPECT_EQ(FromProto(wire)->kind, NoiseSpec::Kind::kOrnsteinUhlenbeck);
  EXPECT_EQ(FromProto(wire)->tau, 2.0);
  EXPECT_EQ(FromProto(wire)->hold, 1);
  wire.set_kind(v1::Noise::KIND_HELD_WHITE);
  wire.set_hold_steps(7);
  EXPECT_EQ(FromProto(wire)->kind, NoiseSpec::Kind::kHeldWhite);
  EXPECT_EQ(FromProto(wire)->hold, 7);
}

TEST(FeedbackPathOnTheWire, IsTheTransposeUnlessItSays) {
  EXPECT_EQ(*FromProto(v1::FEEDBACK_PATH_UNSPECIFIED, "way"), FeedbackPath::kTranspose);
  EXPECT_EQ(*FromProto(v1::FEEDBACK_PATH_TRANSPOSE, "way"), FeedbackPath::kTranspose);
  EXPECT_EQ(*FromProto(v1::FEEDBACK_PATH_RANDOM, "way"), FeedbackPath::kRandom);
  EXPECT_EQ(*FromProto(v1::FEEDBACK_PATH_DIRECT, "way"), FeedbackPath::kDirect);
  EXPECT_EQ(*FromProto(v1::FEEDBACK_PATH_ALIGNED, "way"), FeedbackPath::kAligned);
  EXPECT_EQ(FieldPath(FromProto(static_cast<v1::FeedbackPath>(9), "way").status()), "way");
}

TEST(Activation, KnowsEveryValueOfTheWire) {
  for (int value = v1::Activation_MIN; value <= v1::Activation_MAX; ++value) {
    EXPECT_TRUE(FromProto(static_cast<v1::Activation>(value)).ok()) << value;
  }
  EXPECT_EQ(*FromProto(v1::ACTIVATION_HARD_LOGISTIC), Activation::kHardLogistic);
}

TEST(LatentEquilibriumSpecOnTheWire, HasTheUsualValuesWhereNothingIsSet) {
  v1::LatentEquilibriumSpec wire;
  const LatentEquilibriumSpec usual;
  absl::StatusOr<LatentEquilibriumSpec> spec = FromProto(wire);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->beta, 0.1);
  EXPECT_EQ(spec->gamma, usual.gamma);
  EXPECT_EQ(spec->order, usual.order);
  EXPECT_EQ(spec->target_error, usual.target_error);
  EXPECT_EQ(spec->feedback, usual.feedback);
  wire.set_beta(0.0);
  wire.set_order(v1::LatentEquilibriumSpec::ORDER_DYNAMICS);
  wire.set_target_error(v1::LatentEquilibriumSpec::TARGET_ERROR_POTENTIAL);
  spec = FromProto(wire);
  EXPECT_EQ(spec->beta, 0.0);
  EXPECT_EQ(spec->order, LatentEquilibriumSpec::Order::kDynamics);
  EXPECT_EQ(spec->target_error, LatentEquilibriumSpec::TargetError::kPotential);
}

TEST(LatentEquilibriumSpecOnTheWire, HasLayersOfThreeKinds) {
  v1::LatentEquilibriumSpec wire;
  wire.add_layers()->mutable_dense()->set_size(3);
  v1::LatentEquilibriumLayer::Convolution* convolution = wire.add_layers()->mutable_convolution();
  convolution->set_channels(4);
  convolution->add_kernel(5);
  convolution->add_stride(2);
  convolution->add_padding(1);
  wire.add_layers()->mutable_pool()->set_kind(v1::LatentEquilibriumLayer::Pool::KIND_AVERAGE);
  wire.mutable_layers(2)->mutable_pool()->add_window(6);
  const absl::StatusOr<LatentEquilibriumSpec> spec = FromProto(wire);
  ASSERT_TRUE(spec.ok()) << spec.status();
  using Layer = LatentEquilibriumLayer;
  EXPECT_EQ(std::get<Layer::Dense>(spec->layers[0].kind).size, 3);
  const auto& kernel = std::get<Layer::Convolution>(spec->layers[1].kind);
  EXPECT_EQ(kernel.channels, 4);
  EXPECT_THAT(kernel.kernel, ElementsAre(5));
  EXPECT_THAT(kernel.stride, ElementsAre(2));
  EXPECT_THAT(kernel.padding, ElementsAre(1));
  const auto& pool = std::get<Layer::Pool>(spec->layers[2].kind);
  EXPECT_EQ(pool.kind, Layer::Pool::Kind::kAverage);
  EXPECT_THAT(pool.window, ElementsAre(6));
}

TEST(MicrocircuitSpecOnTheWire, HasThePublishedValuesWhereNothingIsSet) {
  v1::MicrocircuitSpec wire;
  wire.mutable_conductances()->set_apical(0.2);
  absl::StatusOr<MicrocircuitSpec> spec = FromProto(wire);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->conductances.leak, 0.03);
  EXPECT_EQ(spec->conductances.basal, 0.1);
  EXPECT_EQ(spec->conductances.apical, 0.2);
  EXPECT_EQ(spec->conductances.dendrite, 0.1);
  EXPECT_EQ(spec->conductances.interneuron, 0.06);
  EXPECT_EQ(spec->conductances.target, 0.06);
  EXPECT_EQ(spec->prospectivity, 1.0);
  EXPECT_EQ(spec->start, MicrocircuitSpec::Start::kSelfPredicting);
  wire.set_prospectivity(0.0);
  wire.set_start(v1::MicrocircuitSpec::START_GIVEN);
  wire.set_connection(v1::MicrocircuitSpec::CONNECTION_SKIP);
  wire.set_comparison(v1::MicrocircuitSpec::COMPARISON_POTENTIALS);
  wire.set_decay(v1::MicrocircuitSpec::DECAY_GATED);
  wire.set_noise_scale(v1::MicrocircuitSpec::NOISE_SCALE_APICAL);
  spec = FromProto(wire);
  EXPECT_EQ(spec->prospectivity, 0.0);
  EXPECT_EQ(spec->start, MicrocircuitSpec::Start::kGiven);
  EXPECT_EQ(spec->connection, MicrocircuitSpec::Connection::kSkip);
  EXPECT_EQ(spec->comparison, MicrocircuitSpec::Comparison::kPotentials);
  EXPECT_EQ(spec->decay, MicrocircuitSpec::Decay::kGated);
  EXPECT_EQ(spec->noise_scale, MicrocircuitSpec::NoiseScale::kApical);
}

}  // namespace
}  // namespace prospero::server
