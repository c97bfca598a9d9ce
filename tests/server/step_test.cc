// The unary twin of Drive.

#include <chrono>
#include <functional>
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
using testing::ElementsAre;
using Simulation = v1::SimulationService::Stub;

grpc::Status StepNetwork(TestServer& server, const v1::StepRequest& request,
                         v1::StepResponse* response) {
  return Call(server.simulation(), &Simulation::Step, request, response);
}

TEST(Step, GivesTheSameBitsAsDrive) {
  TestServer server;
  server.Make("a", SmallSpec());
  server.Make("b", SmallSpec());
  TestDriver driver(server.simulation(), "a");
  v1::StepRequest request;
  request.set_network("networks/b");
  request.set_steps(30);
  request.set_output_every(10);
  (*request.mutable_inputs())["in"] = Doubles({30, 1, 3}, Rows(0, 30, InputAt));
  (*request.mutable_inputs())["out"] = Doubles({30, 1, 2}, Rows(0, 30, TargetAt));
  v1::StepResponse response;
  ASSERT_TRUE(StepNetwork(server, request, &response).ok());
  v1::DriveAdvance advance = Lesson(driver, 0, 30);
  advance.set_output_every(10);
  const v1::DriveAdvanced advanced = driver.Advance(advance).advanced();
  EXPECT_THAT(response.outputs().at("out.r").shape(), ElementsAre(3, 1, 2));
  EXPECT_EQ(response.outputs().at("out.r").data(), advanced.outputs(0).data());
  EXPECT_EQ(response.loss(), advanced.loss());
  EXPECT_EQ(response.cursor().step(), 30);
}

TEST(Step, TakesTurnsWithOtherSteps) {
  TestServer server;
  server.Make("a", SmallSpec());
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 10; ++k) {
        v1::StepRequest request;
        request.set_network("networks/a");
        request.set_steps(100);
        request.set_output_every(100);
        v1::StepResponse response;
        const grpc::Status status = StepNetwork(server, request, &response);
        EXPECT_TRUE(status.ok()) << status.error_message();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(server.Get("a").cursor().step(), 8'000);
}

TEST(Step, TellsWhatIsWrong) {
  TestServer server;
  server.Make("a", SmallSpec());
  const auto step = [&](const std::function<void(v1::StepRequest&)>& change) {
    v1::StepRequest request;
    request.set_network("networks/a");
    change(request);
    v1::StepResponse response;
    return StepNetwork(server, request, &response);
  };
  const auto bad = StatusCode::INVALID_ARGUMENT;
  EXPECT_TRUE(IsError(step([](auto& r) { r.set_network("x"); }), bad, "INVALID_FIELD", "network"));
  EXPECT_TRUE(IsError(step([](auto& r) { r.set_network("networks/x"); }), StatusCode::NOT_FOUND,
                      "NETWORK_NOT_FOUND"));
  EXPECT_TRUE(IsError(step([](auto& r) { r.set_steps(-2); }), bad, "INVALID_FIELD", "steps"));
  EXPECT_TRUE(
      IsError(step([](auto& r) { r.add_outputs("x"); }), bad, "UNKNOWN_VARIABLE", "outputs[0]"));
  EXPECT_TRUE(IsError(step([](auto& r) { (*r.mutable_inputs())["x"] = Doubles({}, {1}); }), bad,
                      "UNKNOWN_VARIABLE", "inputs[\"x\"]"));
  EXPECT_TRUE(IsError(step([](auto& r) {
                        (*r.mutable_inputs())["in"] = Doubles({2}, {1, 2});
                      }),
                      bad, "INVALID_FIELD", "inputs[\"in\"].shape"));
  EXPECT_TRUE(IsError(step([](auto& r) {
                        (*r.mutable_inputs())["in"] =
                            Doubles({1, 3}, {1, 2, std::numeric_limits<double>::infinity()});
                      }),
                      bad, "INVALID_FIELD", "inputs[\"in\"].data"));
  EXPECT_TRUE(IsError(step([](auto& r) { r.set_at_step(5); }), StatusCode::OUT_OF_RANGE,
                      "STEP_MISMATCH", "at_step"));
  TestDriver driver(server.simulation(), "a");
  EXPECT_TRUE(IsError(step([](auto&) {}), StatusCode::FAILED_PRECONDITION, "LEASE_HELD"));
}

TEST(Step, StopsWhenTheClientDoesNotWait) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::StepRequest request;
  request.set_network("networks/a");
  request.set_steps(1'000'000);
  request.set_output_every(1'000'000);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(100));
  v1::StepResponse response;
  EXPECT_FALSE(server.simulation().Step(&context, request, &response).ok());
  while (server.Get("a").driven()) {
  }
  TestDriver driver(server.simulation(), "a");
  EXPECT_TRUE(driver.opened());
}

}  // namespace
}  // namespace prospero::server
