// The border between the wire and the engine.

#include <cmath>
#include <limits>
#include <string>

#include "engine/core/errors.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "server/convert/components.h"
#include "server/convert/gle.h"
#include "server/convert/network.h"
#include "server/convert/status.h"
#include "server/convert/tensor.h"
#include "server/convert/variable.h"

namespace prospero::server {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

google::rpc::ErrorInfo InfoOf(const google::rpc::Status& status) {
  google::rpc::ErrorInfo info;
  EXPECT_TRUE(status.details(0).UnpackTo(&info));
  return info;
}

TEST(StatusOnTheWire, CarriesReasonMetadataAndField) {
  const absl::Status status = WithMetadata(
      FieldError(absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED", "a.b[2]", "too many"),
      "limit", "max_b");
  const google::rpc::Status wire = ToProto(status);
  EXPECT_EQ(wire.code(), 8);
  EXPECT_EQ(wire.message(), "a.b[2]: too many");
  ASSERT_EQ(wire.details_size(), 2);
  EXPECT_EQ(InfoOf(wire).reason(), "LIMIT_EXCEEDED");
  EXPECT_EQ(InfoOf(wire).domain(), "prospero");
  EXPECT_THAT(InfoOf(wire).metadata(), UnorderedElementsAre(Pair("limit", "max_b")));
  google::rpc::BadRequest bad_request;
  ASSERT_TRUE(wire.details(1).UnpackTo(&bad_request));
  EXPECT_EQ(bad_request.field_violations(0).field(), "a.b[2]");
  EXPECT_EQ(bad_request.field_violations(0).description(), "too many");
}

TEST(StatusOnTheWire, HasAReasonForEveryCode) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "x");
    EXPECT_EQ(InfoOf(ToProto(status)).reason(), absl::StatusCodeToString(status.code()));
    const grpc::Status over = ToGrpc(status);
    EXPECT_EQ(static_cast<int>(over.error_code()), code);
    google::rpc::Status wire;
    EXPECT_TRUE(wire.ParseFromString(over.error_details()));
  }
  EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok());
}

TEST(StatusOnTheWire, CutsLongTextsBetweenCharacters) {
  std::string text = "x";
  while (text.size() < 10'000) text += "ä";
  const google::rpc::Status wire = ToProto(InvalidField(text, text));
  EXPECT_LT(wire.ByteSizeLong(), 5000u);
  google::rpc::Status read;
  EXPECT_TRUE(read.ParseFromString(wire.SerializeAsString())) << "still UTF-8";
}

v1::Tensor TensorOf(v1::DataType type, const std::vector<int64_t>& shape, const std::string& data) {
  v1::Tensor tensor;
  tensor.set_data_type(type);
  tensor.mutable_shape()->Add(shape.begin(), shape.end());
  tensor.set_data(data);
  return tensor;
}

template <class T>
std::string BytesOf(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T)};
}

TEST(Tensor, IsPackedInTheTypeOfTheVariable) {
  const v1::Tensor doubles = TensorOf(v1::DATA_TYPE_FLOAT64, {2}, BytesOf<double>({0.5, -2.0}));
  EXPECT_EQ(*Pack(doubles, DataType::kFloat32), BytesOf<float>({0.5F, -2.0F}));
  EXPECT_EQ(*Pack(doubles, DataType::kFloat64), doubles.data());
  const v1::Tensor floats = TensorOf(v1::DATA_TYPE_FLOAT32, {1, 2}, BytesOf<float>({0.5F, 3.0F}));
  EXPECT_THAT(*ReadDoubles(floats), ElementsAre(0.5, 3.0));
  const v1::Tensor scalar = TensorOf(v1::DATA_TYPE_UNSPECIFIED, {}, BytesOf<double>({7.0}));
  EXPECT_THAT(*ReadDoubles(scalar), ElementsAre(7.0));
}

TEST(Tensor, NamesWhatIsWrong) {
  const auto field = [](const v1::Tensor& tensor) {
    return FieldPath(Pack(tensor, DataType::kFloat32).status());
  };
  constexpr double kInf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(field(TensorOf(v1::DATA_TYPE_FLOAT64, {3}, BytesOf<double>({1, 2}))), "data");
  EXPECT_EQ(field(TensorOf(v1::DATA_TYPE_FLOAT64, {-1}, "")), "shape[0]");
  EXPECT_EQ(field(TensorOf(v1::DATA_TYPE_FLOAT64, {INT64_MAX, 4}, "")), "shape");
  EXPECT_EQ(field(TensorOf(v1::DATA_TYPE_FLOAT64, {INT64_MAX / 2}, "")), "data");
  EXPECT_EQ(field(TensorOf(static_cast<v1::DataType>(5), {}, "")), "data_type");
  EXPECT_EQ(field(TensorOf(v1::DATA_TYPE_FLOAT64, {1}, BytesOf<double>({kInf}))), "data");
  EXPECT_EQ(field(TensorOf(v1::DATA_TYPE_FLOAT64, {1}, BytesOf<double>({1e300}))), "data")
      << "does not fit";
}

VariableTable Table() {
  static double value = 0;
  VariableTable table;
  const auto add = [&table](const char* name, Role role, bool computed = false) {
    Variable variable;
    variable.name = name;
    variable.role = role;
    variable.type = DataType::kFloat64;
    variable.data = computed ? nullptr : &value;
    if (computed) variable.compute = [](void*) {};
    return table.Add(std::move(variable));
  };
  add("in.r", Role::kInput);
  const int present = add("out.present", Role::kInput);
  Variable target;
  target.name = "out.target";
  target.role = Role::kInput;
  target.type = DataType::kFloat64;
  target.data = &value;
  target.presence = present;
  table.Add(std::move(target));
  add("out.beta", Role::kInput);
  add("out.r", Role::kSignal);
  add("out.b", Role::kWeight);
  add("in_to_out.W", Role::kWeight);
  add("in_to_out.W.norm", Role::kSignal, true);
  add("in_to_out.W.eta", Role::kParameter);
  add("loss", Role::kSignal);
  return table;
}

std::vector<std::string> Found(const std::vector<std::string>& patterns) {
  const VariableTable table = Table();
  const google::protobuf::RepeatedPtrField<std::string> list(patterns.begin(), patterns.end());
  std::vector<std::string> names;
  const absl::StatusOr<std::vector<int>> found = FindVariables(list, table, "p");
  if (!found.ok()) return {FieldPath(found.status())};
  for (const int index : *found) names.push_back(table[index].name);
  return names;
}

TEST(Globs, NeverMatchWhatMustBeComputedUnlessTheyNameIt) {
  EXPECT_THAT(Found({"*.W"}), ElementsAre("in_to_out.W"));
  EXPECT_THAT(Found({"*.W.norm"}), ElementsAre("in_to_out.W.norm"));
  EXPECT_THAT(Found({"in_to_out.W.norm"}), ElementsAre("in_to_out.W.norm"));
  EXPECT_THAT(Found({"in_to_out.*"}), ElementsAre("in_to_out.W", "in_to_out.W.eta"));
  EXPECT_THAT(Found({"*"}).size(), 9u);
  EXPECT_THAT(Found({"out.?"}), ElementsAre("out.r", "out.b"));
  EXPECT_THAT(Found({"loss", "*.r", "loss"}), ElementsAre("loss", "in.r", "out.r"));
  EXPECT_THAT(Found({"loss", "lost"}), ElementsAre("p[1]"));
  EXPECT_THAT(Found({std::string(300, '*')}), ElementsAre("p[0]"));
  EXPECT_THAT(Found(std::vector<std::string>(2000, "*")), ElementsAre("p"));
}

TEST(Globs, DoNotTakeLongOnMalice) {
  std::string glob;
  for (int i = 0; i < 100; ++i) glob += "*a";
  Variable variable;
  variable.name = std::string(200, 'a') + "b";
  EXPECT_FALSE(Matches(glob, variable));
}

TEST(Ports, AreFoundByTheNameOfTheirPopulation) {
  const VariableTable table = Table();
  EXPECT_EQ(*FindInput("in", table, "x"), table.Find("in.r"));
  EXPECT_EQ(*FindInput("out", table, "x"), table.Find("out.target"));
  EXPECT_EQ(*FindInput("out.beta", table, "x"), table.Find("out.beta"));
  EXPECT_FALSE(FindInput("out.present", table, "x").ok()) << "it follows from the frames";
  EXPECT_FALSE(FindInput("out.r", table, "x").ok());
  EXPECT_THAT(AllInputs(table),
              ElementsAre(table.Find("in.r"), table.Find("out.target"), table.Find("out.beta")));
  EXPECT_THAT(DefaultOutputs(table), ElementsAre(table.Find("out.r")));
}

TEST(ResourceNames, AreReadBackOrRefused) {
  EXPECT_EQ(*IdOf(NameOf("lab-1"), "name"), "lab-1");
  for (const char* name : {"lab-1", "networks/", "networks/-a", "networks/1a", "networks/a-",
                           "networks/a/b", "Networks/a", "networks/\xc3\xa4"}) {
    EXPECT_EQ(FieldPath(IdOf(name, "name").status()), "name") << name;
  }
}

TEST(Plasticity, TakesZeroForTheUsualNumbersOfAdam) {
  v1::Plasticity wire;
  wire.mutable_adam();
  wire.set_learning_rate(0.1);
  const absl::StatusOr<Plasticity> plasticity = FromProto(wire);
  ASSERT_TRUE(plasticity.ok());
  EXPECT_EQ(plasticity->optimizer, Optimizer::kAdam);
  EXPECT_EQ(plasticity->beta1, 0.9);
  EXPECT_EQ(plasticity->beta2, 0.999);
  EXPECT_EQ(plasticity->epsilon, 1e-8);
  EXPECT_TRUE(plasticity->enabled);
  wire.mutable_momentum()->set_momentum(std::nan(""));
  EXPECT_EQ(FieldPath(FromProto(wire).status()), "momentum.momentum");
}

TEST(Initializer, MustSayItsKind) {
  EXPECT_EQ(FieldPath(FromProto(v1::Initializer()).status()), "kind");
  v1::Initializer wire;
  wire.mutable_fan_in();
  EXPECT_EQ(FromProto(wire)->a, 1.0);
  wire.mutable_uniform()->set_high(std::numeric_limits<double>::infinity());
  EXPECT_EQ(FieldPath(FromProto(wire).status()), "uniform.high");
}

TEST(GleSpecOnTheWire, BecomesTheEngines) {
  v1::GleSpec wire;
  v1::GlePopulation* population = wire.add_populations();
  population->set_name("out");
  population->set_role(v1::GlePopulation::ROLE_OUTPUT);
  population->set_size(4);
  population->add_tau_m_ms(2.0);
  population->set_error_mode(v1::GlePopulation::ERROR_MODE_INSTANTANEOUS);
  population->mutable_bias()->mutable_plasticity()->set_disabled(true);
  wire.add_projections()->set_pre("out");
  const absl::StatusOr<GleSpec> spec = FromProto(wire);
  ASSERT_TRUE(spec.ok()) << spec.status();
  const GlePopulation& out = spec->populations[0];
  EXPECT_EQ(out.role, PopulationRole::kOutput);
  EXPECT_EQ(out.beta, 1.0) << "unset: 1";
  EXPECT_FALSE(out.prospective_errors);
  EXPECT_TRUE(out.has_bias);
  EXPECT_FALSE(out.bias_plasticity->enabled);
  EXPECT_FALSE(out.bias_initializer.has_value());
  EXPECT_TRUE(spec->projections[0].name.empty()) << "the engine gives the usual name";
  population->set_beta(0.0);
  EXPECT_EQ(FromProto(wire)->populations[0].beta, 0.0);
}

}  // namespace
}  // namespace prospero::server
