// How networks are changed, copied, reset, started and removed.

#include <atomic>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/support.h"

namespace prospero::server {
namespace {

using grpc::StatusCode;
using Stub = v1::NetworkService::Stub;
using testing::ElementsAre;
using testing::Pair;

TEST(UpdateNetwork, TakesWhatTheMaskNames) {
  TestServer server;
  const v1::Network before = server.Make("a", SmallSpec());
  v1::UpdateNetworkRequest request = UpdateOf("a", {"learning"});
  (*request.mutable_network()->mutable_labels())["team"] = "ignored";
  request.mutable_network()->set_learning(false);
  v1::UpdateNetworkResponse response;
  ASSERT_TRUE(Update(server, request, &response).ok());
  EXPECT_FALSE(response.network().learning());
  EXPECT_TRUE(response.network().labels().empty());
  EXPECT_NE(response.network().etag(), before.etag());
  EXPECT_EQ(response.applied_at().step(), 0);

  request = UpdateOf("a", {"*"});
  (*request.mutable_network()->mutable_labels())["team"] = "a";
  request.mutable_network()->mutable_clock()->set_mode(v1::Clock::MODE_FREE);
  ASSERT_TRUE(Update(server, request, &response).ok());
  EXPECT_TRUE(response.network().learning());
  EXPECT_EQ(response.network().labels().at("team"), "a");
  EXPECT_EQ(response.network().clock().mode(), v1::Clock::MODE_FREE);
  EXPECT_EQ(response.network().state(), v1::Network::STATE_RUNNING);  // As it was.
}

TEST(UpdateNetwork, ChangesParametersAtAStepBoundary) {
  TestServer server;
  server.Make("a", SmallSpec());
  server.Make("b", SmallSpec());
  Drift(server, "a", 10);
  Drift(server, "b", 10);
  v1::UpdateNetworkRequest request = UpdateOf("a", {});
  (*request.mutable_parameters())["hidden_to_out.W"] = Doubles({}, {0.0});
  (*request.mutable_parameters())["hidden_to_out.W.eta"] = Doubles({}, {0.0});
  (*request.mutable_parameters())["out.b"] = Doubles({2}, {0.0, 0.0});
  (*request.mutable_parameters())["out.b.eta"] = Doubles({}, {0.0});
  v1::UpdateNetworkResponse response;
  const grpc::Status status = Update(server, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.applied_at().step(), 10);
  EXPECT_NE(Drift(server, "a", 10), Drift(server, "b", 10));
}

TEST(UpdateNetwork, NamesTheFieldThatIsWrong) {
  TestServer server;
  server.Make("a", SmallSpec());
  const auto bad = StatusCode::INVALID_ARGUMENT;
  EXPECT_TRUE(IsError(Update(server, v1::UpdateNetworkRequest()), bad, "INVALID_FIELD", "network"));
  EXPECT_TRUE(IsError(Update(server, UpdateOf("a", {})), bad, "INVALID_FIELD", "update_mask"));
  EXPECT_TRUE(IsError(Update(server, UpdateOf("a", {"labels", "spec"})), bad, "INVALID_FIELD",
                      "update_mask.paths[1]"));
  EXPECT_TRUE(IsError(Update(server, UpdateOf("nobody", {"labels"})), StatusCode::NOT_FOUND,
                      "NETWORK_NOT_FOUND"));
  const auto set = [&](const std::string& name, const v1::Tensor& tensor) {
    v1::UpdateNetworkRequest request = UpdateOf("a", {});
    (*request.mutable_parameters())[name] = tensor;
    return Update(server, request);
  };
  EXPECT_TRUE(IsError(set("nothing", Doubles({}, {1.0})), bad, "UNKNOWN_VARIABLE",
                      "parameters[\"nothing\"]"));
  EXPECT_TRUE(IsError(set("hidden.u", Doubles({}, {1.0})), bad, "INVALID_FIELD",
                      "parameters[\"hidden.u\"]"));
  EXPECT_TRUE(IsError(set("out.b", Doubles({3}, {1.0, 2.0, 3.0})), bad, "INVALID_FIELD",
                      "parameters[\"out.b\"].shape"));
  EXPECT_TRUE(IsError(set("out.b", Doubles({2}, {1.0})), bad, "INVALID_FIELD",
                      "parameters[\"out.b\"].data"));
  EXPECT_TRUE(IsError(set("out.b", Doubles({2}, {1.0, std::numeric_limits<double>::infinity()})),
                      bad, "INVALID_FIELD", "parameters[\"out.b\"].data"));
  EXPECT_TRUE(IsError(set("out.b.eta", Doubles({}, {-1.0})), bad, "INVALID_FIELD",
                      "parameters[\"out.b.eta\"].data"));
  v1::Tensor strange = Doubles({}, {1.0});
  strange.set_data_type(static_cast<v1::DataType>(12));
  EXPECT_TRUE(
      IsError(set("out.b", strange), bad, "INVALID_FIELD", "parameters[\"out.b\"].data_type"));
}

TEST(UpdateNetwork, OnlyValidatedChecksAllThatItWouldCheck) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::UpdateNetworkRequest request = UpdateOf("a", {});
  request.set_validate_only(true);
  (*request.mutable_parameters())["out.tau_m"] = Doubles({}, {0.0});
  EXPECT_TRUE(IsError(Update(server, request), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD",
                      "parameters[\"out.tau_m\"].data"));
}

TEST(UpdateNetwork, MindsTheEtag) {
  TestServer server;
  const v1::Network network = server.Make("a", SmallSpec());
  v1::UpdateNetworkRequest request = UpdateOf("a", {"labels"});
  request.set_etag(network.etag());
  EXPECT_TRUE(Update(server, request).ok());
  const grpc::Status late = Update(server, request);
  EXPECT_TRUE(IsError(late, StatusCode::ABORTED, "ETAG_MISMATCH"));
  EXPECT_THAT(DetailsOf(late).metadata, ElementsAre(Pair("etag", server.Get("a").etag())));
  v1::DeleteNetworkRequest remove;
  remove.set_name("networks/a");
  remove.set_etag(network.etag());
  v1::DeleteNetworkResponse removed;
  EXPECT_TRUE(IsError(Call(server.networks(), &Stub::DeleteNetwork, remove, &removed),
                      StatusCode::ABORTED, "ETAG_MISMATCH"));
  v1::ResetNetworkRequest reset;
  reset.set_name("networks/a");
  reset.set_etag(network.etag());
  v1::ResetNetworkResponse was_reset;
  EXPECT_TRUE(IsError(Call(server.networks(), &Stub::ResetNetwork, reset, &was_reset),
                      StatusCode::ABORTED, "ETAG_MISMATCH"));
}

TEST(UpdateNetwork, LetsOneOfManyWithTheSameEtagThrough) {
  TestServer server;
  const v1::Network network = server.Make("a", SmallSpec());
  std::atomic<int> through = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      v1::UpdateNetworkRequest request = UpdateOf("a", {"learning"});
      request.set_etag(network.etag());
      const grpc::Status status = Update(server, request);
      if (status.ok()) ++through;
      EXPECT_TRUE(status.ok() || DetailsOf(status).reason == "ETAG_MISMATCH");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(through, 1);
}

TEST(UpdateNetwork, ChangesNothingWhenItShallOnlyValidate) {
  TestServer server;
  const v1::Network before = server.Make("a", SmallSpec());
  v1::UpdateNetworkRequest request = UpdateOf("a", {"learning"});
  request.mutable_network()->set_learning(false);
  request.set_validate_only(true);
  v1::UpdateNetworkResponse response;
  ASSERT_TRUE(Update(server, request, &response).ok());
  EXPECT_EQ(server.Get("a").SerializeAsString(), before.SerializeAsString());
}

TEST(DeleteNetwork, RemovesItAndCanForgiveThatThereIsNone) {
  TestServer server;
  server.Make("a", SmallSpec());
  EXPECT_TRUE(server.Delete("a").ok());
  EXPECT_TRUE(IsError(server.Delete("a"), StatusCode::NOT_FOUND, "NETWORK_NOT_FOUND"));
  v1::DeleteNetworkRequest request;
  request.set_name("networks/a");
  request.set_allow_missing(true);
  v1::DeleteNetworkResponse response;
  EXPECT_TRUE(Call(server.networks(), &Stub::DeleteNetwork, request, &response).ok());
  server.Make("a", SmallSpec());
}

TEST(CloneNetwork, GoesOnBitForBit) {
  TestServer server;
  server.Make("old", SmallSpec());
  Drift(server, "old", 100);
  v1::CloneNetworkRequest request;
  request.set_name("networks/old");
  request.set_network_id("new");
  (*request.mutable_labels())["copy"] = "yes";
  v1::CloneNetworkResponse response;
  const grpc::Status status = Call(server.networks(), &Stub::CloneNetwork, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.network().name(), "networks/new");
  EXPECT_EQ(response.network().cursor().step(), 100);
  EXPECT_EQ(response.network().state(), v1::Network::STATE_RUNNING);
  EXPECT_EQ(response.network().labels().at("copy"), "yes");
  EXPECT_NE(response.network().uid(), server.Get("old").uid());
  EXPECT_EQ(Drift(server, "old", 100), Drift(server, "new", 100));
}

TEST(CloneNetwork, RefusesWhatItCannotCopy) {
  TestServer server;
  server.Make("old", SmallSpec());
  v1::CloneNetworkRequest request;
  v1::CloneNetworkResponse response;
  const auto clone = [&] {
    return Call(server.networks(), &Stub::CloneNetwork, request, &response);
  };
  request.set_name("networks/nobody");
  EXPECT_TRUE(IsError(clone(), StatusCode::NOT_FOUND, "NETWORK_NOT_FOUND"));
  request.set_name("networks/old");
  request.set_network_id("old");
  EXPECT_TRUE(IsError(clone(), StatusCode::ALREADY_EXISTS, "NETWORK_EXISTS"));
  request.set_network_id("-");
  EXPECT_TRUE(IsError(clone(), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "network_id"));
}

TEST(ResetNetwork, PutsPartsBack) {
  TestServer server;
  server.Make("a", SmallSpec());
  const std::string first = Drift(server, "a", 50);
  v1::ResetNetworkRequest request;
  request.set_name("networks/a");
  v1::ResetNetworkResponse response;
  ASSERT_TRUE(Call(server.networks(), &Stub::ResetNetwork, request, &response).ok());
  EXPECT_EQ(response.network().cursor().epoch(), 1);
  EXPECT_EQ(response.network().cursor().step(), 0);
  EXPECT_EQ(Drift(server, "a", 50), first);

  request.add_scopes(v1::RESET_SCOPE_STATE);
  ASSERT_TRUE(Call(server.networks(), &Stub::ResetNetwork, request, &response).ok());
  EXPECT_EQ(response.network().cursor().step(), 50);
  EXPECT_NE(Drift(server, "a", 50), first);

  request.add_scopes(v1::RESET_SCOPE_UNSPECIFIED);
  EXPECT_TRUE(IsError(Call(server.networks(), &Stub::ResetNetwork, request, &response),
                      StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "scopes[1]"));
}

TEST(ResetNetwork, DrawsOtherWeightsFromAnotherSeed) {
  TestServer server;
  server.Make("a", SmallSpec());
  const std::string first = Drift(server, "a", 50);
  v1::ResetNetworkRequest request;
  request.set_name("networks/a");
  request.set_seed(8);
  v1::ResetNetworkResponse response;
  ASSERT_TRUE(Call(server.networks(), &Stub::ResetNetwork, request, &response).ok());
  EXPECT_NE(Drift(server, "a", 50), first);
}

TEST(PauseNetwork, StopsAndStartLetsGoOn) {
  TestServer server;
  const v1::Network made = server.Make("a", SmallSpec());
  v1::StartNetworkRequest start;
  start.set_name("networks/a");
  v1::StartNetworkResponse started;
  ASSERT_TRUE(Call(server.networks(), &Stub::StartNetwork, start, &started).ok());
  EXPECT_EQ(started.network().etag(), made.etag()) << "no change";
  v1::PauseNetworkRequest pause;
  pause.set_name("networks/a");
  v1::PauseNetworkResponse paused;
  ASSERT_TRUE(Call(server.networks(), &Stub::PauseNetwork, pause, &paused).ok());
  EXPECT_EQ(paused.network().state(), v1::Network::STATE_PAUSED);
  EXPECT_NE(paused.network().etag(), made.etag());
  v1::StepRequest step;
  step.set_network("networks/a");
  v1::StepResponse stepped;
  EXPECT_TRUE(IsError(Call(server.simulation(), &v1::SimulationService::Stub::Step, step, &stepped),
                      StatusCode::FAILED_PRECONDITION, "NETWORK_PAUSED"));
  ASSERT_TRUE(Call(server.networks(), &Stub::StartNetwork, start, &started).ok());
  EXPECT_EQ(started.network().state(), v1::Network::STATE_RUNNING);
  EXPECT_TRUE(Call(server.simulation(), &v1::SimulationService::Stub::Step, step, &stepped).ok());
}

TEST(StartNetwork, LetsAFreeNetworkRunByItself) {
  TestServer server;
  server.Make("a", SmallSpec(), v1::Clock::MODE_FREE);
  Start(server, "a");
  while (server.Get("a").cursor().step() < 1000) {
  }
}

}  // namespace
}  // namespace prospero::server
