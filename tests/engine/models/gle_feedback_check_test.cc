// What is refused of noise and of the ways of errors back.

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "engine/models/gle/gle.h"
#include "tests/support/gle_refusal.h"

namespace prospero {
namespace {

const double kInfinity = std::numeric_limits<double>::infinity();

/// Noise that would do in h.
NoiseSpec Good() { return {NoiseSpec::Kind::kOrnsteinUhlenbeck, 0.1, 1.0, 1}; }

std::vector<Refusal> Noises() {
  const auto spoiled = [](NoiseSpec noise) {
    return [noise](GleSpec& s) { s.populations[1].noise = noise; };
  };
  using enum NoiseSpec::Kind;
  return {
      {"populations[1].noise.sigma", spoiled({kOrnsteinUhlenbeck, -0.1, 1.0, 1})},
      {"populations[1].noise.sigma", spoiled({kHeldWhite, kInfinity, 0, 1})},
      {"populations[1].noise.tau_ms", spoiled({kOrnsteinUhlenbeck, 0.1, 0.09, 1})},
      {"populations[1].noise.tau_ms", spoiled({kHeldWhite, 0.1, 1.0, 1})},
      {"populations[1].noise.hold_steps", spoiled({kHeldWhite, 0.1, 0, 0})},
      {"populations[1].noise.hold_steps", spoiled({kOrnsteinUhlenbeck, 0.1, 1.0, 2})},
  };
}

/// Sends errors from y back to h through weights that align.
GleFeedback& Align(GleSpec& s) {
  s.populations[1].noise = Good();
  GleFeedback& feedback = s.projections[1].feedback;
  feedback.path = FeedbackPath::kAligned;
  feedback.alignment = Alignment{Plasticity(), 1.0};
  return feedback;
}

GlePopulation SecondOutput() {
  GlePopulation z;
  z.name = std::string("z");
  z.size = 2;
  z.role = PopulationRole::kOutput;
  z.tau_m = {1};
  return z;
}

std::vector<Refusal> Alignments() {
  return {
      {"projections[1].feedback.alignment", [](GleSpec& s) { Align(s).alignment.reset(); }},
      {"projections[1].feedback.alignment.tau_hp_ms",
       [](GleSpec& s) { Align(s).alignment->tau_hp = 0.09; }},
      {"projections[1].feedback.alignment.plasticity.learning_rate",
       [](GleSpec& s) { Align(s).alignment->plasticity = BadRate(); }},
      {"projections[1].feedback.path",
       [](GleSpec& s) {
         Align(s);
         s.populations[1].noise.reset();
       }},
      {"projections[1].feedback.initializer.values.shape",
       [](GleSpec& s) {
         Align(s).initializer = Given({1, 3});
       }},
      {"projections[1].feedback.output", [](GleSpec& s) { Align(s).output = std::string("y"); }},
      {"projections[2].feedback.alignment.tau_hp_ms",
       [](GleSpec& s) {
         Align(s);
         s.projections.push_back(s.projections[1]);
         s.projections[2].name = std::string("again");
         s.projections[2].feedback.alignment->tau_hp = 2.0;
       }},
  };
}

std::vector<Refusal> Feedbacks() {
  const auto path = [](GleSpec& s, FeedbackPath way) -> GleFeedback& {
    s.projections[1].feedback.path = way;
    return s.projections[1].feedback;
  };
  using enum FeedbackPath;
  return {
      {"projections[1].feedback.initializer",
       [path](GleSpec& s) { path(s, kTranspose).initializer = Initializer(); }},
      {"projections[1].feedback.alignment",
       [path](GleSpec& s) { path(s, kTranspose).alignment = Alignment{}; }},
      {"projections[1].feedback.alignment",
       [path](GleSpec& s) { path(s, kDirect).alignment = Alignment{}; }},
      {"projections[1].feedback.output",
       [path](GleSpec& s) { path(s, kRandom).output = std::string("y"); }},
      {"projections[1].feedback.output",
       [path](GleSpec& s) { path(s, kDirect).output = std::string("h"); }},
      {"projections[1].feedback.output",
       [path](GleSpec& s) {
         path(s, kDirect);
         s.populations.push_back(SecondOutput());
       }},
      {"projections[1].feedback.output",
       [path](GleSpec& s) {
         path(s, kDirect);
         s.populations[2].role = PopulationRole::kHidden;
       }},
      {"projections[1].feedback.initializer.values.shape",
       [path](GleSpec& s) {
         path(s, kDirect).initializer = Given({3, 1});
         path(s, kDirect).output = std::string("z");
         s.populations.push_back(SecondOutput());
       }},
      {"projections[1].feedback.initializer.values.shape",
       [path](GleSpec& s) {
         path(s, kRandom).initializer = Given({1, 3});
       }},
      {"projections[0].feedback.path",
       [](GleSpec& s) { s.projections[0].feedback.path = kRandom; }},
      {"projections[0].feedback.path",
       [](GleSpec& s) { s.projections[0].feedback.path = kDirect; }},
      {"projections[0].feedback.path",
       [](GleSpec& s) {
         s.projections[0].feedback.path = kAligned;
         s.projections[0].feedback.alignment = Alignment{Plasticity(), 1.0};
       }},
  };
}

TEST(CheckGle, RefusesBadNoise) { ExpectRefused(Noises()); }

TEST(CheckGle, RefusesBadAlignment) { ExpectRefused(Alignments()); }

TEST(CheckGle, RefusesFeedbackThatItsPathHasNot) { ExpectRefused(Feedbacks()); }

TEST(CheckGle, TakesEveryPath) {
  GleSpec spec = SmallChain();
  Align(spec).initializer = Given({3, 1});
  EXPECT_TRUE(CheckSpecOf(spec).ok()) << CheckSpecOf(spec);
  EXPECT_EQ(CheckGle(spec, NetworkOptions(), NetworkLimits())->weights, 9 + 3);
  spec = SmallChain();
  spec.populations.push_back(SecondOutput());
  spec.projections[1].feedback.path = FeedbackPath::kDirect;
  spec.projections[1].feedback.output = std::string("z");
  spec.projections[1].feedback.initializer = Given({3, 2});
  EXPECT_TRUE(CheckSpecOf(spec).ok()) << CheckSpecOf(spec);
  EXPECT_EQ(CheckGle(spec, NetworkOptions(), NetworkLimits())->weights, 9 + 6);
}

TEST(CheckGle, SaysWhichNoiseIsMissing) {
  GleSpec spec = SmallChain();
  Align(spec);
  spec.populations[1].noise.reset();
  EXPECT_EQ(CheckSpecOf(spec).message(),
            "projections[1].feedback.path: must not be ALIGNED where the presynaptic population "
            "has no noise, as 'h'");
}

}  // namespace
}  // namespace prospero
