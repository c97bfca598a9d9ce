// Many at once, clients that vanish, and bytes that make no sense.

#include <grpcpp/generic/generic_stub.h>

#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/support.h"

namespace prospero::server {
namespace {

using grpc::StatusCode;

/// Drives a network for `rounds` requests of a few steps, and returns what it said.
std::string Course(v1::SimulationService::Stub& stub, const std::string& id, double input,
                   int rounds) {
  TestDriver driver(stub, id);
  EXPECT_TRUE(driver.opened());
  std::string course;
  for (int round = 0; round < rounds; ++round) {
    v1::DriveAdvance advance;
    advance.set_steps(3);
    AddBlock<double>(&advance, driver.uid("in.r"), {input, 0.5, -0.5});
    AddBlock<double>(&advance, driver.uid("out.target"), {0.25, -input});
    const v1::DriveResponse response = driver.Advance(advance);
    EXPECT_TRUE(response.has_advanced()) << response.ShortDebugString();
    course += response.advanced().outputs(0).data();
  }
  driver.HalfClose();
  EXPECT_TRUE(driver.End().ok());
  return course;
}

TEST(ManyNetworks, DoNotDisturbEachOther) {
  constexpr int kClients = 20;
  constexpr int kNetworksEach = 25;
  TestServer server;
  std::vector<std::map<int, std::string>> courses(kClients);
  std::vector<std::thread> clients;
  for (int client = 0; client < kClients; ++client) {
    clients.emplace_back([&, client] {
      const auto stub = v1::SimulationService::NewStub(server.NewChannel());
      for (int k = 0; k < kNetworksEach; ++k) {
        const std::string id = absl::StrCat("c", client, "-n", k);
        server.Make(id, SmallSpec());
        courses[client][k] = Course(*stub, id, 0.1 * k, 20);
      }
    });
  }
  for (std::thread& client : clients) client.join();
  v1::GetServerInfoResponse info;
  ASSERT_TRUE(Call(server.info(), &v1::ServerService::Stub::GetServerInfo,
                   v1::GetServerInfoRequest(), &info)
                  .ok());
  EXPECT_EQ(info.network_count(), kClients * kNetworksEach);
  for (int client = 1; client < kClients; ++client) EXPECT_EQ(courses[client], courses[0]);
  EXPECT_NE(courses[0][1], courses[0][2]);
}

TEST(ManyClients, VanishAndLeaveNothingBehind) {
  constexpr int kClients = 50;
  TestServer server;
  for (int i = 0; i < kClients; ++i) server.Make(absl::StrCat("n", i), SmallSpec());
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      const std::string id = absl::StrCat("n", i);
      const auto stub = v1::SimulationService::NewStub(server.NewChannel());
      v1::WatchRequest watch;
      watch.mutable_subscription()->set_network("networks/" + id);
      watch.mutable_subscription()->add_selections()->add_variables("*");
      const auto context = Context();
      const auto watcher = stub->Watch(context.get(), watch);
      TestDriver driver(*stub, id);
      ASSERT_TRUE(driver.opened());
      for (int round = 0; round < 5 + i; ++round) {
        v1::DriveAdvance advance;
        advance.set_steps(50);
        driver.Send(advance);
      }
      context->TryCancel();
    });  // and both streams are cut off
  }
  for (std::thread& client : clients) client.join();
  for (int i = 0; i < kClients; ++i) {
    const std::string id = absl::StrCat("n", i);
    while (server.Get(id).driven()) {
    }
    Course(server.simulation(), id, 1.0, 1);
    EXPECT_TRUE(server.Delete(id).ok());
  }
}

/// Turns bits over, cuts, repeats and inserts.
std::string Spoil(std::string bytes, std::mt19937& random) {
  const auto pick = [&random](size_t below) {
    return std::uniform_int_distribution<size_t>(0, below - 1)(random);
  };
  for (size_t i = 0; i <= pick(4); ++i) {
    if (bytes.empty()) return bytes;
    const size_t at = pick(bytes.size());
    switch (pick(4)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << pick(8)));
        break;
      case 1:
        bytes.resize(at);
        break;
      case 2:
        bytes.insert(at, bytes.substr(at, pick(32) + 1));
        break;
      default:
        bytes.insert(at, 1, static_cast<char>(pick(256)));
    }
  }
  return bytes;
}

TEST(BytesThatMakeNoSense, AreRefusedAndHarmNothing) {
  TestServer server([](Server::Options& options) {
    options.limits.network.max_neurons = 1000;
    options.limits.network.max_weights = 10'000;
    options.limits.network.max_batch_size = 4;
    options.limits.max_steps_per_advance = 1000;
  });
  server.Make("a", SmallSpec());
  v1::CreateNetworkRequest create;
  *create.mutable_network()->mutable_spec() = SmallSpec();
  v1::UpdateNetworkRequest update;
  update.mutable_network()->set_name("networks/a");
  update.mutable_update_mask()->add_paths("*");
  (*update.mutable_parameters())["out.b"] = Doubles({2}, {0.1, 0.2});
  v1::StepRequest step;
  step.set_network("networks/a");
  step.set_steps(3);
  (*step.mutable_inputs())["in"] = Doubles({1, 3}, {1, 2, 3});
  const std::vector<std::pair<std::string, std::string>> calls = {
      {"/prospero.v1.NetworkService/CreateNetwork", create.SerializeAsString()},
      {"/prospero.v1.NetworkService/UpdateNetwork", update.SerializeAsString()},
      {"/prospero.v1.SimulationService/Step", step.SerializeAsString()}};
  std::mt19937 random(1);
  for (int round = 0; round < 600; ++round) {
    const auto& [method, bytes] = calls[static_cast<size_t>(round) % calls.size()];
    const grpc::Status status = CallRaw(server.channel(), method, Spoil(bytes, random));
    EXPECT_NE(status.error_code(), StatusCode::UNAVAILABLE) << status.error_message();
    EXPECT_NE(status.error_code(), StatusCode::UNKNOWN) << status.error_message();
    EXPECT_NE(status.error_code(), StatusCode::DEADLINE_EXCEEDED) << status.error_message();
  }
  EXPECT_FALSE(CallRaw(server.channel(), calls[0].first, "\x0a\xff").ok());
  server.Make("sound", SmallSpec());
  EXPECT_FALSE(Course(server.simulation(), "sound", 1.0, 1).empty());
}

TEST(BytesThatMakeNoSense, EndADriveStreamAndFreeTheLease) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::DriveRequest attach;
  *attach.mutable_attach() = AttachTo("a");
  std::mt19937 random(2);
  grpc::GenericStub stub(server.channel());
  for (int round = 0; round < 100; ++round) {
    const auto context = Context();
    grpc::CompletionQueue queue;
    const auto wait = [&queue] {
      void* tag = nullptr;
      bool ok = false;
      queue.Next(&tag, &ok);
      return ok;
    };
    const auto stream =
        stub.PrepareCall(context.get(), "/prospero.v1.SimulationService/Drive", &queue);
    stream->StartCall(nullptr);
    wait();
    for (const std::string& bytes :
         {attach.SerializeAsString(), Spoil(attach.SerializeAsString(), random)}) {
      grpc::Slice slice(bytes);
      stream->Write(grpc::ByteBuffer(&slice, 1), nullptr);
      if (!wait()) break;
    }
    context->TryCancel();
    grpc::Status status;
    stream->Finish(&status, nullptr);
    wait();
  }
  while (server.Get("a").driven()) {
  }
  EXPECT_FALSE(Course(server.simulation(), "a", 1.0, 1).empty());
}

TEST(Step, IgnoresFieldsFromTheFuture) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::StepRequest step;
  step.set_network("networks/a");
  step.GetReflection()->MutableUnknownFields(&step)->AddVarint(777, 1);
  v1::StepResponse response;
  EXPECT_TRUE(Call(server.simulation(), &v1::SimulationService::Stub::Step, step, &response).ok());
}

}  // namespace
}  // namespace prospero::server
