// What is kept when a server ends, and what its durability makes of it.

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/server/kept_server.h"
#include "tests/server/sensor.h"

namespace prospero::server {
namespace {

/// Drives steps [first, first + count), one frame each; each was acknowledged.
std::string Teach(v1::SimulationService::Stub& stub, const std::string& id, int64_t first,
                  int64_t count) {
  TestDriver driver(stub, id);
  EXPECT_TRUE(driver.opened());
  std::string outputs;
  for (int64_t step = first; step < first + count; ++step) {
    const v1::DriveResponse response = driver.Advance(Lesson(driver, step, 1));
    EXPECT_TRUE(response.has_advanced()) << response.error().status().message();
    outputs += response.advanced().outputs(0).data();
  }
  driver.HalfClose();
  EXPECT_TRUE(driver.End().ok());
  return outputs;
}

/// What the small network says in steps [first, first + count) when nothing disturbs it.
std::string Undisturbed(int64_t first, int64_t count) {
  TestServer server;
  server.Make("a", SmallSpec());
  Teach(server.simulation(), "a", 0, first);
  return Teach(server.simulation(), "a", first, count);
}

class EveryDurability : public testing::TestWithParam<v1::Durability> {};
INSTANTIATE_TEST_SUITE_P(, EveryDurability,
                         testing::Values(v1::DURABILITY_NONE, v1::DURABILITY_ASYNC,
                                         v1::DURABILITY_SYNC),
                         [](const auto& test) { return v1::Durability_Name(test.param); });

TEST_P(EveryDurability, KeepsEverythingOverAShutdown) {
  KeptServer server;
  v1::CreateNetworkRequest request = CreateRequest("a");
  request.mutable_network()->set_durability(GetParam());
  (*request.mutable_network()->mutable_labels())["team"] = "blue";
  server.Make(request);
  Teach(server.simulation(), "a", 0, 30);
  const v1::Network before = server.Get("a");
  server.ShutDown();
  server.Start();
  const v1::Network after = server.Get("a");
  EXPECT_EQ(after.uid(), before.uid());
  EXPECT_EQ(after.etag(), before.etag());
  EXPECT_EQ(after.durability(), GetParam());
  EXPECT_EQ(after.labels().at("team"), "blue");
  EXPECT_EQ(after.state(), v1::Network::STATE_RUNNING);
  EXPECT_EQ(after.cursor().step(), 30);
  EXPECT_EQ(after.cursor().epoch(), before.cursor().epoch());
  EXPECT_FALSE(after.recovery().has_loss());
  EXPECT_EQ(Teach(server.simulation(), "a", 30, 20), Undisturbed(30, 20));
}

TEST(SyncDurability, KeepsEveryFrameThatWasAcknowledgedOverAKill) {
  KeptServer server;
  const v1::Network made = server.Make("a", v1::DURABILITY_SYNC);
  Teach(server.simulation(), "a", 0, 25);
  server.KillAndStart();
  const v1::Network after = server.Get("a");
  EXPECT_EQ(after.cursor().step(), 25);
  EXPECT_EQ(after.cursor().epoch(), made.cursor().epoch() + 1);
  EXPECT_FALSE(after.recovery().has_loss());
  EXPECT_EQ(Teach(server.simulation(), "a", 25, 20), Undisturbed(25, 20));
}

TEST(SyncDurability, KeepsUnarySteps) {
  KeptServer server;
  server.Make("a", v1::DURABILITY_SYNC);
  v1::StepRequest request;
  request.set_network("networks/a");
  request.set_steps(7);
  v1::StepResponse response;
  KeptServer::Succeed(
      Call(server.simulation(), &v1::SimulationService::Stub::Step, request, &response));
  server.KillAndStart();
  EXPECT_EQ(server.Get("a").cursor().step(), 7);
}

TEST(SyncDurability, KeepsFramesOfAFeedThatWasAnswered) {
  KeptServer server;
  v1::CreateNetworkRequest request = CreateRequest("a");
  request.mutable_network()->set_durability(v1::DURABILITY_SYNC);
  request.mutable_network()->mutable_clock()->set_mode(v1::Clock::MODE_REALTIME);
  server.Make(request);
  v1::StartNetworkRequest start;
  start.set_name("networks/a");
  v1::StartNetworkResponse started;
  KeptServer::Succeed(
      Call(server.networks(), &v1::NetworkService::Stub::StartNetwork, start, &started));
  Sensor sensor(server.simulation(), FeedOf("a", "in.r"));
  for (int i = 0; i < 5; ++i) sensor.Push({0.1 * i, 0.0, 1.0});
  KeptServer::Succeed(sensor.HalfClose());
  ASSERT_TRUE(sensor.response().has_last_applied());
  server.KillAndStart();
  const v1::Network after = server.Get("a");
  EXPECT_GT(after.cursor().step(), sensor.response().last_applied().step());
  EXPECT_EQ(after.state(), v1::Network::STATE_RUNNING);
}

TEST(NoDurability, GoesBackToTheCreationOverAKill) {
  KeptServer server;
  const v1::Network made = server.Make("a", v1::DURABILITY_NONE);
  Teach(server.simulation(), "a", 0, 10);
  server.KillAndStart();
  EXPECT_EQ(server.Get("a").uid(), made.uid());
  EXPECT_EQ(server.Get("a").cursor().step(), 0);
  EXPECT_EQ(Teach(server.simulation(), "a", 0, 10), Undisturbed(0, 10));
}

TEST(Durability, IsTheServersUnlessANetworkSays) {
  KeptServer server({"--durability", "sync"});
  v1::CreateNetworkRequest request = CreateRequest("a");
  EXPECT_EQ(server.Make(request).durability(), v1::DURABILITY_SYNC);
  EXPECT_EQ(server.Make("b", v1::DURABILITY_NONE).durability(), v1::DURABILITY_NONE);
  v1::GetServerInfoResponse info;
  KeptServer::Succeed(Call(server.info(), &v1::ServerService::Stub::GetServerInfo,
                           v1::GetServerInfoRequest(), &info));
  EXPECT_FALSE(info.storage().ephemeral());
  EXPECT_FALSE(info.storage().degraded());
  EXPECT_EQ(info.storage().default_durability(), v1::DURABILITY_SYNC);
  EXPECT_EQ(info.storage().group_commit().nanos(), 10'000'000);
  EXPECT_EQ(info.limits().max_snapshots_per_network(), 1000);
}

v1::Durability Change(KeptServer& server, const std::string& id, v1::Durability durability) {
  v1::UpdateNetworkRequest request = UpdateOf(id, {"durability"});
  request.mutable_network()->set_durability(durability);
  v1::UpdateNetworkResponse response;
  KeptServer::Succeed(
      Call(server.networks(), &v1::NetworkService::Stub::UpdateNetwork, request, &response));
  return response.network().durability();
}

TEST(Durability, CanBeRaised) {
  KeptServer server;
  server.Make("a", v1::DURABILITY_NONE);
  Teach(server.simulation(), "a", 0, 10);
  EXPECT_EQ(Change(server, "a", v1::DURABILITY_SYNC), v1::DURABILITY_SYNC);
  Teach(server.simulation(), "a", 10, 10);
  server.KillAndStart();
  EXPECT_EQ(server.Get("a").durability(), v1::DURABILITY_SYNC);
  EXPECT_EQ(server.Get("a").cursor().step(), 20);
  EXPECT_EQ(Teach(server.simulation(), "a", 20, 10), Undisturbed(20, 10));
}

TEST(Durability, CanBeLoweredAndRaisedAgain) {
  KeptServer server;
  server.Make("a", v1::DURABILITY_SYNC);
  Teach(server.simulation(), "a", 0, 10);
  EXPECT_EQ(Change(server, "a", v1::DURABILITY_NONE), v1::DURABILITY_NONE);
  Teach(server.simulation(), "a", 10, 10);
  server.KillAndStart();
  EXPECT_EQ(server.Get("a").durability(), v1::DURABILITY_NONE);
  EXPECT_EQ(server.Get("a").cursor().step(), 10);
  Teach(server.simulation(), "a", 10, 5);
  EXPECT_EQ(Change(server, "a", v1::DURABILITY_ASYNC), v1::DURABILITY_ASYNC);
  EXPECT_EQ(Change(server, "a", v1::DURABILITY_SYNC), v1::DURABILITY_SYNC);
  Teach(server.simulation(), "a", 15, 5);
  server.KillAndStart();
  EXPECT_EQ(server.Get("a").cursor().step(), 20);
  EXPECT_FALSE(server.Get("a").recovery().has_loss());
  EXPECT_EQ(Teach(server.simulation(), "a", 20, 10), Undisturbed(20, 10));
}

TEST(Durability, CanOnlyBeNoneOnAnEphemeralServer) {
  TestServer server;
  v1::CreateNetworkRequest request = CreateRequest("a");
  request.mutable_network()->set_durability(v1::DURABILITY_ASYNC);
  EXPECT_TRUE(IsError(Create(server, request), grpc::StatusCode::FAILED_PRECONDITION,
                      "STORAGE_EPHEMERAL", "network.durability"));
  request.mutable_network()->set_durability(static_cast<v1::Durability>(99));
  EXPECT_TRUE(IsError(Create(server, request), grpc::StatusCode::INVALID_ARGUMENT, "INVALID_FIELD",
                      "network.durability"));
  request.mutable_network()->clear_durability();
  v1::CreateNetworkResponse made;
  EXPECT_TRUE(Create(server, request, &made).ok());
  EXPECT_EQ(made.network().durability(), v1::DURABILITY_NONE);
  EXPECT_EQ(made.network().storage().state(), v1::Storage::STATE_EPHEMERAL);
  v1::UpdateNetworkRequest update = UpdateOf("a", {"durability"});
  update.mutable_network()->set_durability(v1::DURABILITY_SYNC);
  EXPECT_TRUE(IsError(Update(server, update), grpc::StatusCode::FAILED_PRECONDITION,
                      "STORAGE_EPHEMERAL", "network.durability"));
}

}  // namespace
}  // namespace prospero::server
