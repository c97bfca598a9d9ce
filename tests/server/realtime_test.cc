// Networks that wall time advances. What is asserted are counts and orders, never how long
// something took.

#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/support.h"

namespace prospero::server {
namespace {

using grpc::StatusCode;

v1::Clock RealtimeClock(double speed = 1.0) {
  v1::Clock clock;
  clock.set_mode(v1::Clock::MODE_REALTIME);
  clock.set_speed(speed);
  clock.set_overrun(v1::Clock::OVERRUN_CATCH_UP);
  clock.mutable_max_catch_up()->set_seconds(60);
  return clock;
}

v1::Clock ClockOf(v1::Clock::Mode mode) {
  v1::Clock clock;
  clock.set_mode(mode);
  return clock;
}

grpc::Status SetClock(TestServer& server, const std::string& id, const v1::Clock& clock,
                      v1::UpdateNetworkResponse* response = nullptr, bool validate_only = false) {
  v1::UpdateNetworkRequest request = UpdateOf(id, {"clock"});
  *request.mutable_network()->mutable_clock() = clock;
  request.set_validate_only(validate_only);
  return Update(server, request, response);
}

/// Waits until the network has made that many steps.
void Await(TestServer& server, const std::string& id, int64_t step) {
  while (server.Get(id).cursor().step() < step) std::this_thread::yield();
}

TEST(Realtime, ANetworkAdvancesWithoutADriverAndNeverAheadOfItsTime) {
  TestServer server;
  v1::CreateNetworkRequest request = CreateRequest("a");
  *request.mutable_network()->mutable_clock() = RealtimeClock();
  v1::CreateNetworkResponse made;
  const grpc::Status status = Create(server, request, &made);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(made.network().state(), v1::Network::STATE_PAUSED);
  EXPECT_EQ(made.network().clock().mode(), v1::Clock::MODE_REALTIME);
  EXPECT_EQ(made.network().clock().speed(), 1.0);
  EXPECT_EQ(made.network().clock().max_catch_up().seconds(), 60);
  EXPECT_EQ(made.network().cursor().step(), 0);  // It was rehearsed.
  const auto begin = std::chrono::steady_clock::now();
  Start(server, "a");
  Await(server, "a", 500);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(50));
  const auto schema = server.Schema("a");
  for (const char* name : {"clock.lag", "clock.overruns", "clock.skipped", "clock.speed"}) {
    ASSERT_EQ(schema.count(name), 1U) << name;
    EXPECT_EQ(schema.at(name).role(), v1::VARIABLE_ROLE_SIGNAL);
  }
}

TEST(Realtime, TheClockIsOneFieldOfOneCallWhileADriverStays) {
  TestServer server;
  server.Make("a", SmallSpec());
  TestDriver driver(server.simulation(), "a");
  ASSERT_TRUE(driver.opened());
  const auto drive = [&driver](int64_t steps) {
    v1::DriveAdvance advance;
    advance.set_steps(steps);
    const v1::DriveResponse response = driver.Advance(advance);
    EXPECT_TRUE(response.has_advanced()) << response.DebugString();
    return response.advanced().cursor().step();
  };
  EXPECT_EQ(drive(3), 3);
  for (const v1::Clock& clock : {RealtimeClock(), ClockOf(v1::Clock::MODE_FREE)}) {
    v1::UpdateNetworkResponse response;
    ASSERT_TRUE(SetClock(server, "a", clock, &response).ok());
    EXPECT_EQ(response.network().clock().mode(), clock.mode());
    EXPECT_EQ(response.network().state(), v1::Network::STATE_RUNNING);
    const int64_t before = drive(2);
    Await(server, "a", before + 10);  // It goes on by itself.
    EXPECT_GE(drive(2), before + 12);
  }
  v1::UpdateNetworkResponse response;
  ASSERT_TRUE(SetClock(server, "a", ClockOf(v1::Clock::MODE_LOCKSTEP), &response).ok());
  EXPECT_EQ(drive(5), response.applied_at().step() + 5);
}

TEST(Realtime, WhatDoesNotFitIsRefusedWithTheFiguresAndChangesNothing) {
  TestServer server([](Server::Options& options) { options.limits.realtime_share = 1e-9; });
  server.Make("a", SmallSpec());
  v1::UpdateNetworkRequest request = UpdateOf("a", {"clock", "labels"});
  *request.mutable_network()->mutable_clock() = RealtimeClock();
  (*request.mutable_network()->mutable_labels())["team"] = "a";
  (*request.mutable_parameters())["hidden_to_out.W"] = Doubles({}, {0.0});
  for (const bool validate_only : {true, false}) {
    request.set_validate_only(validate_only);
    const grpc::Status status = Update(server, request);
    EXPECT_TRUE(IsError(status, StatusCode::RESOURCE_EXHAUSTED, "REALTIME_OVERLOAD"));
    auto figures = DetailsOf(status).metadata;
    EXPECT_GE(std::stoll(figures.at("step_cost_ns")), 1);
    EXPECT_EQ(std::stod(figures.at("rate_hz")), 10'000.0);
    EXPECT_GT(std::stod(figures.at("wanted")), std::stod(figures.at("max")));
    EXPECT_EQ(std::stod(figures.at("taken")), 0.0);
  }
  const v1::Network network = server.Get("a");
  EXPECT_EQ(network.clock().mode(), v1::Clock::MODE_LOCKSTEP);
  EXPECT_TRUE(network.labels().empty());
  server.Make("b", SmallSpec());
  EXPECT_EQ(Drift(server, "a", 10), Drift(server, "b", 10));

  v1::CreateNetworkRequest create = CreateRequest("c");
  *create.mutable_network()->mutable_clock() = RealtimeClock();
  EXPECT_TRUE(IsError(Create(server, create), StatusCode::RESOURCE_EXHAUSTED, "REALTIME_OVERLOAD"));
  create.mutable_network()->clear_clock();
  EXPECT_TRUE(Create(server, create).ok());  // The name was given back.
}

TEST(Realtime, AClockThatIsGivenUpGivesItsShareBack) {
  TestServer server;
  v1::GetServerInfoResponse info;
  ASSERT_TRUE(Call(server.info(), &v1::ServerService::Stub::GetServerInfo,
                   v1::GetServerInfoRequest(), &info)
                  .ok());
  EXPECT_EQ(info.limits().max_realtime_cores(), 1.6);  // Two workers.
  server.Make("a", SmallSpec());
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(SetClock(server, "a", RealtimeClock()).ok());
    ASSERT_TRUE(SetClock(server, "a", ClockOf(v1::Clock::MODE_LOCKSTEP)).ok());
  }
  ASSERT_TRUE(SetClock(server, "a", RealtimeClock(0.5)).ok());
  v1::CloneNetworkRequest clone;
  clone.set_name("networks/a");
  clone.set_network_id("b");
  v1::CloneNetworkResponse cloned;
  const grpc::Status status =
      Call(server.networks(), &v1::NetworkService::Stub::CloneNetwork, clone, &cloned);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(cloned.network().clock().mode(), v1::Clock::MODE_REALTIME);
  EXPECT_EQ(cloned.network().clock().speed(), 0.5);
  EXPECT_EQ(cloned.network().state(), v1::Network::STATE_PAUSED);
}

TEST(Realtime, NamesTheFieldOfAClockThatIsWrong) {
  TestServer server;
  server.Make("a", SmallSpec());
  const auto expect = [&](const std::function<void(v1::Clock&)>& change, const std::string& field) {
    v1::Clock clock = RealtimeClock();
    change(clock);
    EXPECT_TRUE(IsError(SetClock(server, "a", clock), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD",
                        "network.clock." + field));
  };
  expect([](v1::Clock& clock) { clock.set_speed(1e7); }, "speed");
  expect([](v1::Clock& clock) { clock.set_overrun(static_cast<v1::Clock::Overrun>(9)); },
         "overrun");
  expect([](v1::Clock& clock) { clock.mutable_tolerance()->set_seconds(11); }, "tolerance");
  expect([](v1::Clock& clock) { clock.mutable_tolerance()->set_nanos(-1); }, "tolerance");
  expect([](v1::Clock& clock) { clock.mutable_max_catch_up()->set_seconds(61); }, "max_catch_up");
}

}  // namespace
}  // namespace prospero::server
