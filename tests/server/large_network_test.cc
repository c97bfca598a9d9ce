// A network of 10^8 weights through the API, from the question what it will take to its end.

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/server/support.h"

namespace prospero::server {
namespace {

constexpr int64_t kInputs = 9'900, kHidden = 10'000, kOutputs = 100;
constexpr int64_t kWeights = kHidden * (kInputs + kOutputs);

v1::CreateNetworkRequest LargeRequest() {
  v1::CreateNetworkRequest request = CreateRequest("large");
  v1::NetworkSpec* spec = request.mutable_network()->mutable_spec();
  spec->set_precision(v1::DATA_TYPE_FLOAT32);
  spec->mutable_gle()->mutable_populations(0)->set_size(kInputs);
  spec->mutable_gle()->mutable_populations(1)->set_size(kHidden);
  spec->mutable_gle()->mutable_populations(2)->set_size(kOutputs);
  return request;
}

v1::Tensor Row(int64_t size, float value) {
  v1::Tensor tensor;
  tensor.set_data_type(v1::DATA_TYPE_FLOAT32);
  tensor.add_shape(1);
  tensor.add_shape(size);
  tensor.set_data(Bytes(std::vector<float>(static_cast<size_t>(size), value)));
  return tensor;
}

/// The norm of the first matrix after so many steps with an input and a target.
double NormAfter(TestServer& server, int64_t steps) {
  v1::StepRequest request;
  request.set_network("networks/large");
  request.set_steps(steps);
  request.set_output_every(steps);
  (*request.mutable_inputs())["in"] = Row(kInputs, 0.1F);
  (*request.mutable_inputs())["out"] = Row(kOutputs, 1.0F);
  request.add_outputs("in_to_hidden.W.norm");
  v1::StepResponse response;
  const grpc::Status status =
      Call(server.simulation(), &v1::SimulationService::Stub::Step, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  const v1::Tensor& norm = response.outputs().at("in_to_hidden.W.norm");
  return norm.data_type() == v1::DATA_TYPE_FLOAT64 ? Values<double>(norm.data()).at(0)
                                                   : Values<float>(norm.data()).at(0);
}

TEST(LargeNetwork, IsToldMadeSteppedReadAndRemoved) {
  TestServer server;
  v1::CreateNetworkRequest request = LargeRequest();
  request.set_validate_only(true);
  v1::CreateNetworkResponse told;
  ASSERT_TRUE(Create(server, request, &told).ok());
  EXPECT_EQ(told.network().footprint().weights(), kWeights);
  EXPECT_LT(told.network().footprint().bytes(), kWeights * 4 * 6 / 5);

  request.set_validate_only(false);
  v1::CreateNetworkResponse made;
  ASSERT_TRUE(Create(server, request, &made).ok());
  EXPECT_EQ(made.network().footprint().bytes(), told.network().footprint().bytes());

  // First weights are uniform on +-1/sqrt(kInputs): the norm is sqrt(kHidden / 3), and its
  // standard deviation 0.003.
  EXPECT_NEAR(NormAfter(server, 1), std::sqrt(kHidden / 3.0), 0.03);
  const double before = NormAfter(server, 1);
  EXPECT_NE(NormAfter(server, 5), before) << "it learns";
  EXPECT_EQ(server.Get("large").cursor().step(), 7);
  ASSERT_TRUE(server.Delete("large").ok());
}

// The second one would not fit beside the first.
TEST(LargeNetwork, IsRefusedBesideAnotherBeforeMemoryIsSpent) {
  TestServer server([](auto& options) { options.limits.max_total_bytes = 600'000'000; });
  ASSERT_TRUE(Create(server, LargeRequest()).ok());
  v1::CreateNetworkRequest second = LargeRequest();
  second.set_network_id("second");
  const grpc::Status refused = Create(server, second);
  EXPECT_TRUE(IsError(refused, grpc::StatusCode::RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED"));
  const auto metadata = DetailsOf(refused).metadata;
  EXPECT_EQ(metadata.at("limit"), "max_total_bytes");
  EXPECT_GT(std::stoll(metadata.at("wanted")), kWeights * 4);
  EXPECT_GT(std::stoll(metadata.at("taken")), kWeights * 4);
  EXPECT_EQ(metadata.at("max"), "600000000");
}

}  // namespace
}  // namespace prospero::server
