// Calls of NetworkService are kept before they are answered: after a kill all is as they said.

#include <string>

#include "gtest/gtest.h"
#include "tests/server/kept_server.h"

namespace prospero::server {
namespace {

/// What a kill must not change.
std::string Lasting(v1::Network network) {
  network.clear_cursor();
  network.clear_storage();
  network.clear_recovery();
  return network.DebugString();
}

v1::UpdateNetworkResponse Update(KeptServer& server, const v1::UpdateNetworkRequest& request) {
  v1::UpdateNetworkResponse response;
  KeptServer::Succeed(
      Call(server.networks(), &v1::NetworkService::Stub::UpdateNetwork, request, &response));
  return response;
}

v1::ResetNetworkResponse Reset(KeptServer& server, const v1::ResetNetworkRequest& request) {
  v1::ResetNetworkResponse response;
  KeptServer::Succeed(
      Call(server.networks(), &v1::NetworkService::Stub::ResetNetwork, request, &response));
  return response;
}

/// Two unary steps and what they gave.
std::string Step(KeptServer& server, const std::string& id) {
  v1::StepRequest request;
  request.set_network("networks/" + id);
  request.set_steps(2);
  (*request.mutable_inputs())["in"] = Doubles({1, 3}, {0.5, -0.25, 1.0});
  (*request.mutable_inputs())["out"] = Doubles({1, 2}, {0.3, -0.3});
  v1::StepResponse response;
  KeptServer::Succeed(
      Call(server.simulation(), &v1::SimulationService::Stub::Step, request, &response));
  return response.outputs().at("out.r").data();
}

grpc::Status Delete(KeptServer& server, const v1::DeleteNetworkRequest& request) {
  v1::DeleteNetworkResponse response;
  return Call(server.networks(), &v1::NetworkService::Stub::DeleteNetwork, request, &response);
}

int Count(KeptServer& server) {
  v1::ListNetworksResponse response;
  KeptServer::Succeed(Call(server.networks(), &v1::NetworkService::Stub::ListNetworks,
                           v1::ListNetworksRequest(), &response));
  return response.networks_size();
}

TEST(KeptCalls, CreateOutlivesAKill) {
  KeptServer server;
  v1::CreateNetworkRequest request = CreateRequest("a");
  (*request.mutable_network()->mutable_labels())["team"] = "blue";
  request.mutable_network()->mutable_clock()->set_mode(v1::Clock::MODE_REALTIME);
  request.mutable_network()->mutable_clock()->set_speed(0.5);
  request.mutable_network()->set_learning(false);
  v1::Safety* const safety = request.mutable_network()->mutable_safety();
  safety->mutable_driver_timeout()->set_seconds(5);
  safety->set_keep_learning(true);
  server.Make(request);
  const v1::Network made = server.Get("a");
  EXPECT_EQ(made.state(), v1::Network::STATE_PAUSED);
  server.KillAndStart();
  EXPECT_EQ(Lasting(server.Get("a")), Lasting(made));
  EXPECT_TRUE(server.Get("a").has_recovery());
}

TEST(KeptCalls, ANetworkThatWasMadeNotToLearnHasNotLearnedAfterAKill) {
  KeptServer server({"--durability", "sync"});
  v1::CreateNetworkRequest request = CreateRequest("a");
  request.mutable_network()->set_learning(false);
  server.Make(request);
  *request.mutable_network_id() = "twin";
  server.Make(request);
  Step(server, "a");
  server.KillAndStart();
  Step(server, "twin");
  EXPECT_FALSE(server.Get("a").learning());
  EXPECT_EQ(Step(server, "a"), Step(server, "twin"));
}

TEST(KeptCalls, UpdateOutlivesAKill) {
  KeptServer server;
  server.Make("a", v1::DURABILITY_ASYNC);
  v1::UpdateNetworkRequest request =
      UpdateOf("a", {"labels", "clock", "learning", "safety", "durability"});
  v1::Network* const network = request.mutable_network();
  (*network->mutable_labels())["team"] = "red";
  network->mutable_clock()->set_mode(v1::Clock::MODE_FREE);
  network->set_learning(false);
  network->set_durability(v1::DURABILITY_SYNC);
  network->mutable_safety()->mutable_driver_timeout()->set_seconds(60);
  v1::PauseNetworkRequest pause;
  pause.set_name("networks/a");
  v1::PauseNetworkResponse paused;
  KeptServer::Succeed(
      Call(server.networks(), &v1::NetworkService::Stub::PauseNetwork, pause, &paused));
  const v1::Network updated = Update(server, request).network();
  EXPECT_EQ(updated.state(), v1::Network::STATE_PAUSED);
  server.KillAndStart();
  EXPECT_EQ(Lasting(server.Get("a")), Lasting(updated));
}

TEST(KeptCalls, ParametersOutliveAKill) {
  KeptServer server;
  server.Make("a", v1::DURABILITY_ASYNC);
  server.Make("twin", v1::DURABILITY_NONE);
  v1::UpdateNetworkRequest request = UpdateOf("a", {});
  (*request.mutable_parameters())["in_to_hidden.W.eta"] = Doubles({}, {0.125});
  Update(server, request);
  server.KillAndStart();
  request.mutable_network()->set_name("networks/twin");
  Update(server, request);
  Step(server, "a");
  Step(server, "twin");
  EXPECT_EQ(Step(server, "a"), Step(server, "twin"));
}

TEST(KeptCalls, ResetOutlivesAKill) {
  KeptServer server;
  server.Make("a", v1::DURABILITY_ASYNC);
  Step(server, "a");
  v1::ResetNetworkRequest request;
  request.set_name("networks/a");
  request.set_seed(99);
  const v1::Network reset = Reset(server, request).network();
  EXPECT_EQ(reset.cursor().step(), 0);
  server.KillAndStart();
  const v1::Network after = server.Get("a");
  EXPECT_EQ(after.cursor().step(), 0);
  EXPECT_GT(after.cursor().epoch(), reset.cursor().epoch());
  EXPECT_EQ(after.etag(), reset.etag());
  server.Make("twin", v1::DURABILITY_NONE);
  request.set_name("networks/twin");
  Reset(server, request);
  EXPECT_EQ(Step(server, "a"), Step(server, "twin"));
}

TEST(KeptCalls, DeleteOutlivesAKill) {
  KeptServer server;
  server.Make("a", v1::DURABILITY_SYNC);
  server.Make("b", v1::DURABILITY_SYNC);
  Step(server, "a");
  v1::DeleteNetworkRequest request;
  request.set_name("networks/a");
  KeptServer::Succeed(Delete(server, request));
  server.KillAndStart();
  EXPECT_TRUE(IsError(Delete(server, request), grpc::StatusCode::NOT_FOUND, "NETWORK_NOT_FOUND"));
  EXPECT_EQ(Count(server), 1);
}

TEST(KeptCalls, CloneOutlivesAKill) {
  for (const v1::Durability durability : {v1::DURABILITY_NONE, v1::DURABILITY_SYNC}) {
    KeptServer server;
    server.Make("source", durability);
    Step(server, "source");
    v1::CloneNetworkRequest request;
    request.set_name("networks/source");
    request.set_network_id("copy");
    v1::CloneNetworkResponse response;
    KeptServer::Succeed(
        Call(server.networks(), &v1::NetworkService::Stub::CloneNetwork, request, &response));
    EXPECT_EQ(response.network().durability(), durability);
    const std::string next = Step(server, "source");
    server.KillAndStart();
    EXPECT_EQ(server.Get("copy").cursor().step(), 2);
    EXPECT_FALSE(server.Get("copy").recovery().has_loss());
    EXPECT_EQ(Lasting(server.Get("copy")), Lasting(response.network()));
    EXPECT_EQ(Step(server, "copy"), next);
  }
}

TEST(KeptCalls, ARepeatedCallGetsItsFirstAnswerAfterAKill) {
  KeptServer server;
  v1::CreateNetworkRequest create = CreateRequest("a");
  create.set_request_id("one");
  const v1::Network made = server.Make(create);
  v1::ResetNetworkRequest reset;
  reset.set_name("networks/a");
  reset.set_request_id("two");
  const int64_t epoch = Reset(server, reset).network().cursor().epoch();
  v1::UpdateNetworkRequest update = UpdateOf("a", {"learning"});
  update.mutable_network()->set_learning(false);
  update.set_request_id("three");
  const std::string etag = Update(server, update).network().etag();
  server.Make("b", v1::DURABILITY_ASYNC);
  v1::DeleteNetworkRequest remove;
  remove.set_name("networks/b");
  remove.set_request_id("four");
  KeptServer::Succeed(Delete(server, remove));
  for (int life = 0; life < 2; ++life) {
    server.KillAndStart();
    EXPECT_EQ(server.Make(create).DebugString(), made.DebugString());
    EXPECT_EQ(Reset(server, reset).network().cursor().epoch(), epoch);
    EXPECT_EQ(Update(server, update).network().etag(), etag);
    EXPECT_EQ(server.Get("a").etag(), etag);
    KeptServer::Succeed(Delete(server, remove));
    EXPECT_EQ(Count(server), 1);
  }
  update.mutable_network()->set_learning(true);
  v1::UpdateNetworkResponse unused;
  EXPECT_TRUE(
      IsError(Call(server.networks(), &v1::NetworkService::Stub::UpdateNetwork, update, &unused),
              grpc::StatusCode::INVALID_ARGUMENT, "REQUEST_ID_REUSED", "request_id"));
}

}  // namespace
}  // namespace prospero::server
