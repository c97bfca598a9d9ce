// How drivers come, go, lose their lease and are told.

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/support.h"

namespace prospero::server {
namespace {

using grpc::StatusCode;
using testing::Contains;
using testing::ElementsAre;
using testing::Key;
using Networks = v1::NetworkService::Stub;

TEST(Drive, EndsWhenTheMessagesComeInTheWrongOrder) {
  TestServer server;
  server.Make("a", SmallSpec());
  {
    TestDriver driver(server.simulation(), "a");
    v1::DriveRequest again;
    *again.mutable_attach() = AttachTo("a");
    driver.SendRaw(again);
    EXPECT_TRUE(IsError(driver.End(), StatusCode::INVALID_ARGUMENT, "BAD_SEQUENCE"));
  }
  {
    TestDriver driver(server.simulation(), "a");
    ASSERT_TRUE(driver.opened()) << "the lease is free again";
    driver.SendRaw({});
    EXPECT_TRUE(IsError(driver.End(), StatusCode::INVALID_ARGUMENT, "BAD_SEQUENCE"));
  }
  const auto context = Context();
  const auto stream = server.simulation().Drive(context.get());
  v1::DriveRequest early;
  early.mutable_advance()->set_steps(1);
  stream->Write(early);
  v1::DriveResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(IsError(stream->Finish(), StatusCode::INVALID_ARGUMENT, "BAD_SEQUENCE"));
}

TEST(Drive, LetsOneDriverInAndTheNextWhenItHasLeft) {
  TestServer server;
  server.Make("a", SmallSpec());
  for (int i = 0; i < 50; ++i) {
    TestDriver driver(server.simulation(), "a");
    ASSERT_TRUE(driver.opened()) << "round " << i;
    TestDriver second(server.simulation(), "a");
    EXPECT_TRUE(IsError(second.End(), StatusCode::FAILED_PRECONDITION, "LEASE_HELD"));
    EXPECT_TRUE(driver.Advance({}).has_advanced());
    driver.HalfClose();
    EXPECT_TRUE(driver.End().ok());
  }
  EXPECT_EQ(server.Get("a").cursor().step(), 50);
  EXPECT_FALSE(server.Get("a").driven());
}

TEST(Drive, LosesTheLeaseToOneWhoPreempts) {
  TestServer server;
  server.Make("a", SmallSpec());
  TestDriver first(server.simulation(), "a");
  ASSERT_TRUE(first.Advance({}).has_advanced());
  v1::DriveAttach attach = AttachTo("a");
  attach.set_preempt(true);
  TestDriver second(server.simulation(), attach);
  ASSERT_TRUE(second.opened());
  EXPECT_TRUE(second.Advance({}).has_advanced());
  EXPECT_TRUE(IsError(first.End(), StatusCode::ABORTED, "LEASE_LOST"));
  ASSERT_FALSE(first.notices().empty());
  EXPECT_EQ(first.notices().back().kind(), v1::Notice::KIND_LEASE_LOST);
  EXPECT_TRUE(second.Advance({}).has_advanced());
}

TEST(Drive, FreesTheLeaseOfAClientThatVanishes) {
  TestServer server;
  server.Make("a", SmallSpec());
  for (int i = 0; i < 10; ++i) {
    {
      TestDriver driver(server.simulation(), "a");
      ASSERT_TRUE(driver.opened());
      v1::DriveAdvance lengthy;
      lengthy.set_steps(1'000'000);
      lengthy.set_output_every(1'000'000);
      driver.Send(lengthy);
      driver.Cancel();
    }
    while (server.Get("a").driven()) {
    }
  }
}

TEST(Drive, EndsWhenTheHeartStops) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::DriveAttach attach = AttachTo("a");
  attach.mutable_heartbeat()->set_nanos(300'000'000);
  TestDriver driver(server.simulation(), attach);
  ASSERT_TRUE(driver.Advance({}).has_advanced());
  EXPECT_TRUE(IsError(driver.End(), StatusCode::DEADLINE_EXCEEDED, "HEARTBEAT_MISSED"));
  TestDriver next(server.simulation(), "a");
  EXPECT_TRUE(next.opened());
}

TEST(Drive, DoesNotBlameTheClientForALongAdvance) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::DriveAttach attach = AttachTo("a");
  attach.mutable_heartbeat()->set_nanos(300'000'000);
  TestDriver driver(server.simulation(), attach);
  v1::DriveAdvance lengthy;  // A second or so.
  lengthy.set_steps(400'000);
  lengthy.set_output_every(400'000);
  EXPECT_TRUE(driver.Advance(lengthy).has_advanced());
}

TEST(Drive, IsToldOfPauseStartAndReset) {
  TestServer server;
  server.Make("a", SmallSpec());
  TestDriver driver(server.simulation(), "a");
  v1::PauseNetworkRequest pause;
  pause.set_name("networks/a");
  v1::PauseNetworkResponse paused;
  ASSERT_TRUE(Call(server.networks(), &Networks::PauseNetwork, pause, &paused).ok());
  EXPECT_TRUE(IsError(driver.Advance({}).error().status(), StatusCode::FAILED_PRECONDITION,
                      "NETWORK_PAUSED"));
  Start(server, "a");
  v1::ResetNetworkRequest reset;
  reset.set_name("networks/a");
  v1::ResetNetworkResponse was_reset;
  ASSERT_TRUE(Call(server.networks(), &Networks::ResetNetwork, reset, &was_reset).ok());
  const v1::DriveResponse response = driver.Advance({});
  EXPECT_EQ(response.advanced().cursor().epoch(), 1);
  driver.HalfClose();
  EXPECT_TRUE(driver.End().ok());
  std::vector<v1::Notice::Kind> kinds;
  for (const v1::Notice& notice : driver.notices()) kinds.push_back(notice.kind());
  EXPECT_THAT(kinds, ElementsAre(v1::Notice::KIND_PAUSED, v1::Notice::KIND_STARTED,
                                 v1::Notice::KIND_EPOCH_CHANGED));
}

TEST(Drive, TellsWhereTheNetworkDiverged) {
  TestServer server;
  server.Make("a", ExplosiveSpec());
  TestDriver driver(server.simulation(), "a");
  v1::DriveAdvance advance;
  advance.set_steps(10'000);
  advance.set_output_every(10'000);
  AddBlock<double>(&advance, driver.uid("in.r"), {1, 1, 1});
  AddBlock<double>(&advance, driver.uid("out.target"), {1, 1});
  const v1::DriveResponse response = driver.Advance(advance);
  ASSERT_TRUE(response.has_error());
  EXPECT_EQ(DetailsOf(response.error().status()).reason, "DIVERGED");
  EXPECT_THAT(DetailsOf(response.error().status()).metadata, Contains(Key("step")));
  EXPECT_THAT(DetailsOf(response.error().status()).metadata, Contains(Key("variable")));
  EXPECT_TRUE(IsError(driver.Advance({}).error().status(), StatusCode::FAILED_PRECONDITION,
                      "NETWORK_FAILED"));

  const v1::Network failed = server.Get("a");
  EXPECT_EQ(failed.state(), v1::Network::STATE_FAILED);
  EXPECT_EQ(DetailsOf(failed.failure()).reason, "DIVERGED");
  v1::CloneNetworkRequest clone;
  clone.set_name("networks/a");
  v1::CloneNetworkResponse cloned;
  EXPECT_TRUE(IsError(Call(server.networks(), &Networks::CloneNetwork, clone, &cloned),
                      StatusCode::FAILED_PRECONDITION, "NETWORK_FAILED"));

  v1::ResetNetworkRequest reset;
  reset.set_name("networks/a");
  v1::ResetNetworkResponse was_reset;
  ASSERT_TRUE(Call(server.networks(), &Networks::ResetNetwork, reset, &was_reset).ok());
  EXPECT_EQ(was_reset.network().state(), v1::Network::STATE_RUNNING);
  EXPECT_TRUE(driver.Advance({}).has_advanced());
}

TEST(Drive, EndsWithItsNetwork) {
  TestServer server;
  server.Make("a", SmallSpec());
  TestDriver driver(server.simulation(), "a");
  ASSERT_TRUE(driver.Advance({}).has_advanced());
  ASSERT_TRUE(server.Delete("a").ok());
  EXPECT_TRUE(IsError(driver.End(), StatusCode::ABORTED, "NETWORK_DELETED"));
}

TEST(Drive, FinishesWhatIsInFlightBeforeTheServerGoes) {
  TestServer server;
  server.Make("a", SmallSpec());
  TestDriver driver(server.simulation(), "a");
  v1::DriveAdvance lengthy;
  lengthy.set_steps(20'000);
  lengthy.set_output_every(20'000);
  ASSERT_TRUE(driver.Advance({}).has_advanced());
  driver.Send(lengthy);
  while (server.Get("a").cursor().step() < 2) {
  }
  std::thread drain([&] { EXPECT_TRUE(server.server().Drain(absl::Seconds(60))); });
  EXPECT_EQ(driver.Receive().advanced().steps(), 20'000);
  EXPECT_TRUE(IsError(driver.End(), StatusCode::UNAVAILABLE, "DRAINING"));
  EXPECT_EQ(driver.notices().back().kind(), v1::Notice::KIND_DRAINING);
  drain.join();
}

}  // namespace
}  // namespace prospero::server
