#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prospero/client/array.h"
#include "prospero/client/gle.h"
#include "prospero/client/latent_equilibrium.h"
#include "prospero/client/microcircuit.h"

namespace prospero::client {
namespace {

using testing::ElementsAre;

std::vector<std::string> Names(const v1::NetworkSpec& spec) {
  std::vector<std::string> names;
  for (const auto& population : spec.gle().populations()) names.push_back(population.name());
  return names;
}

TEST(Chain, NamesItsPopulationsAsEveryClientDoes) {
  EXPECT_THAT(Names(gle::Chain({4, 1})), ElementsAre("input", "output"));
  EXPECT_THAT(Names(gle::Chain({4, 8, 1})), ElementsAre("input", "hidden", "output"));
  EXPECT_THAT(Names(gle::Chain({4, 8, 8, 1})),
              ElementsAre("input", "hidden1", "hidden2", "output"));
}

TEST(Chain, JoinsEachLayerWithTheNext) {
  const auto spec = gle::Chain({4, 8, 1}, {.plasticity = gle::Sgd(0.5)});
  ASSERT_EQ(spec.gle().projections_size(), 2);
  EXPECT_EQ(spec.gle().projections(0).pre(), "input");
  EXPECT_EQ(spec.gle().projections(0).post(), "hidden");
  EXPECT_EQ(spec.gle().projections(1).post(), "output");
  EXPECT_EQ(spec.gle().projections(1).plasticity().learning_rate(), 0.5);
}

TEST(Chain, GivesItsLayersWhatTheOptionsSay) {
  const auto spec = gle::Chain({4, 8, 1}, {.dt_ms = 0.1,
                                           .tau_m_ms = 20.0,
                                           .tau_r_ms = 2.0,
                                           .gamma = 0.25,
                                           .beta = 0.5,
                                           .instantaneous_errors = true,
                                           .bias = false,
                                           .precision = v1::DATA_TYPE_FLOAT64,
                                           .seed = 7,
                                           .batch_size = 3});
  EXPECT_EQ(spec.dt_ms(), 0.1);
  EXPECT_EQ(spec.precision(), v1::DATA_TYPE_FLOAT64);
  EXPECT_EQ(spec.seed(), 7u);
  EXPECT_EQ(spec.batch_size(), 3);
  const auto& hidden = spec.gle().populations(1);
  EXPECT_EQ(hidden.activation(), v1::ACTIVATION_TANH);
  EXPECT_THAT(hidden.tau_m_ms(), ElementsAre(20.0));
  EXPECT_THAT(hidden.tau_r_ms(), ElementsAre(2.0));
  EXPECT_EQ(hidden.gamma(), 0.25);
  EXPECT_EQ(hidden.error_mode(), v1::GlePopulation::ERROR_MODE_INSTANTANEOUS);
  EXPECT_FALSE(hidden.has_bias());
  const auto& output = spec.gle().populations(2);
  EXPECT_EQ(output.activation(), v1::ACTIVATION_LINEAR);
  EXPECT_EQ(output.loss(), v1::LOSS_MSE);
  EXPECT_EQ(output.beta(), 0.5);
}

TEST(SpecBuilder, WritesAnyGraph) {
  const auto spec = gle::SpecBuilder(1.0)
                        .Input("left", 2)
                        .Input("right", 3)
                        .Hidden("core", 5, {.tau_m_ms = {1, 2, 3, 4, 5}, .tau_r_ms = {1.0}})
                        .Output("motor", 1)
                        .Project("left", "core", {.plasticity = gle::Momentum(0.1, 0.9)})
                        .Project("right", "core", {.initializer = gle::Uniform(-1.0, 1.0)})
                        .Project("core", "core", {.name = "lateral"})
                        .Project("core", "motor", {.plasticity = gle::Adam(1e-3)})
                        .Build();
  EXPECT_THAT(Names(spec), ElementsAre("left", "right", "core", "motor"));
  EXPECT_EQ(spec.gle().populations(0).role(), v1::GlePopulation::ROLE_INPUT);
  EXPECT_EQ(spec.gle().populations(2).role(), v1::GlePopulation::ROLE_HIDDEN);
  EXPECT_THAT(spec.gle().populations(2).tau_m_ms(), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(spec.gle().populations(3).role(), v1::GlePopulation::ROLE_OUTPUT);
  EXPECT_EQ(spec.gle().projections(0).plasticity().momentum().momentum(), 0.9);
  EXPECT_EQ(spec.gle().projections(1).initializer().uniform().low(), -1.0);
  EXPECT_EQ(spec.gle().projections(2).name(), "lateral");
  EXPECT_TRUE(spec.gle().projections(3).plasticity().has_adam());
}

TEST(SpecBuilder, GivesAnInputNothingButNameAndSize) {
  const auto spec = gle::SpecBuilder(1.0).Input("senses", 2).Build();
  v1::GlePopulation expected;
  expected.set_name("senses");
  expected.set_size(2);
  expected.set_role(v1::GlePopulation::ROLE_INPUT);
  EXPECT_EQ(spec.gle().populations(0).SerializeAsString(), expected.SerializeAsString());
}

TEST(Components, SayWhatTheyAreMadeOf) {
  const v1::Plasticity filtered = WithDecay(LowPass(0.1, 0.25), 1e-3);
  EXPECT_EQ(filtered.learning_rate(), 0.1);
  EXPECT_EQ(filtered.low_pass().mix(), 0.25);
  EXPECT_EQ(filtered.weight_decay(), 1e-3);
  EXPECT_EQ(OrnsteinUhlenbeck(0.5, 2.0).kind(), v1::Noise::KIND_ORNSTEIN_UHLENBECK);
  EXPECT_EQ(OrnsteinUhlenbeck(0.5, 2.0).sigma(), 0.5);
  EXPECT_EQ(OrnsteinUhlenbeck(0.5, 2.0).tau_ms(), 2.0);
  EXPECT_EQ(HeldWhite(0.5, 3).kind(), v1::Noise::KIND_HELD_WHITE);
  EXPECT_EQ(HeldWhite(0.5, 3).hold_steps(), 3);
  EXPECT_EQ(HeldWhite(0.5).tau_ms(), 0.0);
  EXPECT_EQ(Align(Sgd(0.1), 1.5).tau_hp_ms(), 1.5);
  EXPECT_EQ(Align(Sgd(0.1), 1.5).plasticity().learning_rate(), 0.1);
}

TEST(SpecBuilder, WritesNoiseAndWaysBack) {
  const auto spec = gle::SpecBuilder(1.0)
                        .Input("x", 2)
                        .Hidden("h", 3, {.noise = OrnsteinUhlenbeck(0.1, 5.0)})
                        .Hidden("k", 3)
                        .Output("y", 1)
                        .Project("x", "h")
                        .Project("h", "k", {.feedback = gle::Aligned(Align(Sgd(0.1), 2.0))})
                        .Project("h", "y", {.feedback = gle::Random(Uniform(-1.0, 1.0))})
                        .Project("k", "y", {.feedback = gle::Direct({}, "y")})
                        .Build();
  EXPECT_EQ(spec.gle().populations(1).noise().tau_ms(), 5.0);
  EXPECT_FALSE(spec.gle().populations(2).has_noise());
  EXPECT_FALSE(spec.gle().projections(0).has_feedback());
  const auto& aligned = spec.gle().projections(1).feedback();
  EXPECT_EQ(aligned.path(), v1::FEEDBACK_PATH_ALIGNED);
  EXPECT_EQ(aligned.alignment().tau_hp_ms(), 2.0);
  EXPECT_FALSE(aligned.has_initializer());
  const auto& random = spec.gle().projections(2).feedback();
  EXPECT_EQ(random.path(), v1::FEEDBACK_PATH_RANDOM);
  EXPECT_EQ(random.initializer().uniform().low(), -1.0);
  EXPECT_FALSE(random.has_alignment());
  const auto& direct = spec.gle().projections(3).feedback();
  EXPECT_EQ(direct.path(), v1::FEEDBACK_PATH_DIRECT);
  EXPECT_EQ(direct.output(), "y");
}

TEST(LatentEquilibriumBuilder, WritesLayersOfEveryKind) {
  namespace le = latent_equilibrium;
  const auto spec =
      le::SpecBuilder(0.1, {1, 8, 8}, {.feedback = v1::FEEDBACK_PATH_ALIGNED, .gamma = 1.0})
          .Seed(7)
          .Convolution("map", 4, {.kernel = {3, 2}, .padding = {1}}, {.plasticity = Sgd(0.1)})
          .MaxPool("pool", {.window = {2}, .noise = HeldWhite(0.1)})
          .AveragePool("mean", {.window = {2}, .stride = {1}})
          .Dense("out", 3,
                 {.activation = v1::ACTIVATION_LINEAR,
                  .tau_ms = {5.0},
                  .tau_m_ms = {6.0},
                  .bias = Bias{.plasticity = Sgd(0.2)},
                  .feedback_initializer = Normal(0.0, 0.05),
                  .alignment = Align(Sgd(0.3), 1.0)})
          .Build();
  EXPECT_EQ(spec.seed(), 7u);
  const auto& layers = spec.latent_equilibrium();
  EXPECT_THAT(layers.input_shape(), ElementsAre(1, 8, 8));
  EXPECT_EQ(layers.feedback(), v1::FEEDBACK_PATH_ALIGNED);
  EXPECT_EQ(layers.gamma(), 1.0);
  EXPECT_FALSE(layers.has_beta());
  EXPECT_EQ(layers.layers(0).convolution().channels(), 4);
  EXPECT_THAT(layers.layers(0).convolution().kernel(), ElementsAre(3, 2));
  EXPECT_THAT(layers.layers(0).convolution().padding(), ElementsAre(1));
  EXPECT_EQ(layers.layers(0).activation(), v1::ACTIVATION_TANH);
  EXPECT_FALSE(layers.layers(0).has_bias());
  EXPECT_EQ(layers.layers(1).pool().kind(), v1::LatentEquilibriumLayer::Pool::KIND_MAX);
  EXPECT_EQ(layers.layers(1).activation(), v1::ACTIVATION_UNSPECIFIED);
  EXPECT_EQ(layers.layers(1).noise().hold_steps(), 1);
  EXPECT_EQ(layers.layers(2).pool().kind(), v1::LatentEquilibriumLayer::Pool::KIND_AVERAGE);
  EXPECT_THAT(layers.layers(2).pool().stride(), ElementsAre(1));
  EXPECT_EQ(layers.layers(3).dense().size(), 3);
  EXPECT_THAT(layers.layers(3).tau_ms(), ElementsAre(5.0));
  EXPECT_THAT(layers.layers(3).tau_m_ms(), ElementsAre(6.0));
  EXPECT_EQ(layers.layers(3).bias().plasticity().learning_rate(), 0.2);
  EXPECT_EQ(layers.layers(3).feedback_initializer().normal().std(), 0.05);
  EXPECT_EQ(layers.layers(3).alignment().plasticity().learning_rate(), 0.3);
}

TEST(MicrocircuitBuilder, WritesLayersFromInputToOutput) {
  v1::MicrocircuitSpec::Conductances conductances;
  conductances.set_leak(0.05);
  const auto spec = microcircuit::SpecBuilder(0.01, {.feedback = v1::FEEDBACK_PATH_ALIGNED,
                                                     .conductances = conductances,
                                                     .prospectivity = 0.0})
                        .BatchSize(2)
                        .Input("in", 4)
                        .Hidden("hidden", 8,
                                {.forward = {.plasticity = Sgd(0.1)},
                                 .to_interneurons = {.plasticity = Sgd(0.2)},
                                 .feedback_initializer = Uniform(-1.0, 0.0),
                                 .alignment = Align(Sgd(0.5), 0.1),
                                 .noise = OrnsteinUhlenbeck(0.05, 0.1)})
                        .Output("out", 3, {.activation = v1::ACTIVATION_LINEAR})
                        .Build();
  EXPECT_EQ(spec.batch_size(), 2);
  const auto& circuit = spec.microcircuit();
  EXPECT_EQ(circuit.feedback(), v1::FEEDBACK_PATH_ALIGNED);
  EXPECT_EQ(circuit.conductances().leak(), 0.05);
  EXPECT_TRUE(circuit.has_prospectivity());
  EXPECT_EQ(circuit.prospectivity(), 0.0);
  ASSERT_EQ(circuit.layers_size(), 3);
  v1::MicrocircuitLayer input;
  input.set_name("in");
  input.set_size(4);
  EXPECT_EQ(circuit.layers(0).SerializeAsString(), input.SerializeAsString());
  const auto& hidden = circuit.layers(1);
  EXPECT_EQ(hidden.activation(), v1::ACTIVATION_SIGMOID);
  EXPECT_EQ(hidden.forward().plasticity().learning_rate(), 0.1);
  EXPECT_EQ(hidden.to_interneurons().plasticity().learning_rate(), 0.2);
  EXPECT_FALSE(hidden.has_from_interneurons());
  EXPECT_EQ(hidden.feedback_initializer().uniform().low(), -1.0);
  EXPECT_EQ(hidden.alignment().tau_hp_ms(), 0.1);
  EXPECT_EQ(hidden.noise().sigma(), 0.05);
  EXPECT_EQ(circuit.layers(2).size(), 3);
  EXPECT_EQ(circuit.layers(2).activation(), v1::ACTIVATION_LINEAR);
  EXPECT_FALSE(circuit.layers(2).has_forward());
}

TEST(Tensor, ComesBackAsItWasMade) {
  const std::vector<float> values = {1.0f, -2.5f, 3.0f, 4.0f};
  const v1::Tensor tensor = MakeTensor(values, {2, 2});
  EXPECT_EQ(tensor.data_type(), v1::DATA_TYPE_FLOAT32);
  EXPECT_THAT(tensor.shape(), ElementsAre(2, 2));
  EXPECT_THAT(*View<float>(tensor), testing::ElementsAreArray(values));
  EXPECT_THAT(ToDoubles(tensor), ElementsAre(1.0, -2.5, 3.0, 4.0));
}

TEST(Tensor, IsNotViewedAsTheOtherFormat) {
  EXPECT_EQ(View<float>(MakeScalar(1.5)).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(*View<double>(MakeScalar(1.5)), ElementsAre(1.5));
  EXPECT_EQ(MakeScalar(1.5).shape_size(), 0);
}

TEST(Array, CountsItsRows) {
  v1::VariableSchema schema;
  schema.set_name("output.r");
  schema.set_data_type(v1::DATA_TYPE_FLOAT64);
  schema.add_shape(1);
  schema.add_shape(2);
  const auto variable = std::make_shared<const v1::VariableSchema>(schema);
  const std::vector<double> values = {1, 2, 3, 4, 5, 6};
  const std::vector<Array> arrays = {
      {variable, std::string(reinterpret_cast<const char*>(values.data()), 48)}};
  EXPECT_EQ(arrays[0].row_size(), 2);
  EXPECT_EQ(arrays[0].rows(), 3);
  EXPECT_THAT(*arrays[0].View<double>(), testing::ElementsAreArray(values));
  EXPECT_EQ(Find(arrays, "output"), arrays.data());
  EXPECT_EQ(Find(arrays, "output.r"), arrays.data());
  EXPECT_EQ(Find(arrays, "hidden"), nullptr);
}

}  // namespace
}  // namespace prospero::client
