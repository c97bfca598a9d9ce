#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prospero/client/array.h"
#include "prospero/client/gle.h"

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
