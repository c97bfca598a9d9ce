// prosperod as a process: configuration, logs, health, the way it ends.

#include <grpcpp/generic/generic_stub.h>
#include <signal.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/clients/server_process.h"
#include "tests/server/support.h"

namespace prospero::server {
namespace {

using testing::HasSubstr;

struct Output {
  int code = 0;
  std::string text;
};

/// Runs a command of the shell to its end.
Output Shell(const std::string& command) {
  Output output;
  FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer;
  while (const size_t count = fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.text.append(buffer.data(), count);
  }
  const int status = pclose(pipe);
  output.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return output;
}

Output Prosperod(const std::string& arguments) {
  return Shell(std::string(PROSPEROD_PATH) + " " + arguments);
}

class Folder {
 public:
  Folder() : path_(testing::TempDir() + "/prospero-XXXXXX") { EXPECT_TRUE(mkdtemp(path_.data())); }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
    return path_ + "/" + name;
  }
  std::string Read(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(path_ + "/" + name).rdbuf();
    return text.str();
  }
  std::string At(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::shared_ptr<grpc::Channel> Channel(const ServerProcess& server) {
  return grpc::CreateChannel(server.address(), grpc::InsecureChannelCredentials());
}

v1::GetServerInfoResponse Info(const ServerProcess& server) {
  const auto stub = v1::ServerService::NewStub(Channel(server));
  v1::GetServerInfoResponse info;
  const grpc::Status status =
      Call(*stub, &v1::ServerService::Stub::GetServerInfo, v1::GetServerInfoRequest(), &info);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return info;
}

TEST(Prosperod, ExplainsEveryFlag) {
  const Output help = Prosperod("--help");
  EXPECT_EQ(help.code, 0);
  for (const char* flag : {"--listen",
                           "--port-file",
                           "--allow-insecure",
                           "--workers",
                           "--config",
                           "--log-format",
                           "--log-level",
                           "--log-file",
                           "--drain-timeout",
                           "--max-networks",
                           "--max-neurons",
                           "--max-weights",
                           "--max-message-bytes",
                           "--data-dir",
                           "--ephemeral",
                           "--durability",
                           "--group-commit",
                           "--max-snapshots",
                           "--recovery-threads",
                           "PROSPERO_DRAIN_TIMEOUT"}) {
    EXPECT_THAT(help.text, HasSubstr(flag));
  }
  EXPECT_EQ(Prosperod("--version").text, "prosperod 0.1.0\n");
}

TEST(Prosperod, RefusesFlagsThatItDoesNotKnow) {
  EXPECT_NE(Prosperod("--lisen 127.0.0.1:0").code, 0);
  EXPECT_NE(Prosperod("--workers -1").code, 0);
  EXPECT_NE(Prosperod("--log-level loud").code, 0);
  Folder folder;
  EXPECT_NE(Prosperod("--config " + folder.Write("a.toml", "lisen = \"127.0.0.1:0\"\n")).code, 0);
  EXPECT_NE(Prosperod("--config " + folder.At("missing.toml")).code, 0);
}

TEST(Prosperod, RefusesToKeepThingsAndNotTo) {
  Folder folder;
  const std::string data_dir = "--data-dir " + folder.At("data");
  const std::string file = folder.Write("a.toml", "ephemeral = true\n");
  for (const std::string& arguments :
       {"--ephemeral " + data_dir, std::string("--ephemeral --durability sync"),
        data_dir + " --config " + file, std::string("--durability always"),
        std::string("--data-dir ''"), std::string("--group-commit 1001")}) {
    EXPECT_NE(Prosperod(arguments).code, 0) << arguments;
  }
  EXPECT_THAT(Prosperod("--ephemeral " + data_dir).text, HasSubstr("--ephemeral"));
  EXPECT_FALSE(std::filesystem::exists(folder.At("data")));
}

TEST(Prosperod, IsEphemeralThoughTheEnvironmentNamesADirectory) {
  Folder folder;
  setenv("PROSPERO_DATA_DIR", folder.At("data").c_str(), 1);
  const ServerProcess server({"--ephemeral"});
  unsetenv("PROSPERO_DATA_DIR");
  EXPECT_FALSE(std::filesystem::exists(folder.At("data")));
}

TEST(Prosperod, ListensWhereOthersCanReachItOnlyWhenTold) {
  const Output refused = Prosperod("--listen 0.0.0.0:0");
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.text, HasSubstr("--allow-insecure"));
  EXPECT_EQ(Prosperod("--listen nonsense").code, 1);
}

TEST(Prosperod, TakesTheFlagBeforeTheEnvironmentBeforeTheFile) {
  Folder folder;
  const std::string file =
      folder.Write("prospero.toml", "max-networks = 5\nmax-neurons = 50\nworkers = 1\n");
  setenv("PROSPERO_CONFIG", file.c_str(), 1);
  setenv("PROSPERO_MAX_NEURONS", "60", 1);
  setenv("PROSPERO_WORKERS", "2", 1);
  const ServerProcess server({"--workers", "3"});
  unsetenv("PROSPERO_CONFIG");
  unsetenv("PROSPERO_MAX_NEURONS");
  unsetenv("PROSPERO_WORKERS");
  const v1::GetServerInfoResponse info = Info(server);
  EXPECT_EQ(info.limits().max_networks(), 5);
  EXPECT_EQ(info.limits().max_neurons(), 60);
  EXPECT_EQ(info.workers(), 3);
}

TEST(Prosperod, SaysWhatItIs) {
  const ServerProcess server;
  const v1::GetServerInfoResponse info = Info(server);
  EXPECT_EQ(info.product(), "prosperod");
  EXPECT_EQ(info.version(), "0.1.0");
  EXPECT_EQ(info.api_version(), "prospero.v1");
  std::vector<std::string> kinds;
  for (const auto& kind : info.model_kinds()) kinds.push_back(kind.name());
  EXPECT_THAT(kinds, testing::ElementsAre("gle", "latent_equilibrium", "microcircuit"));
  EXPECT_GT(info.limits().max_total_bytes(), 0);
  EXPECT_GT(info.start_time().seconds(), 0);
}

TEST(Prosperod, AnswersHealthChecks) {
  const ServerProcess server;
  const std::string serving = {'\x08', '\x01'};  // HealthCheckResponse.status = SERVING
  for (const std::string service :
       {"", "prospero.v1.NetworkService", "prospero.v1.SimulationService"}) {
    std::string request;
    if (!service.empty()) {
      request = std::string{'\x0a', static_cast<char>(service.size())} + service;
    }
    std::string response;
    const grpc::Status status =
        CallRaw(Channel(server), "/grpc.health.v1.Health/Check", request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response, serving) << service;
  }
}

/// What reflection answers to a request for the names of all services.
std::string ListServices(const ServerProcess& server, grpc::Status* status) {
  grpc::GenericStub stub(Channel(server));
  const auto context = Context();
  grpc::CompletionQueue queue;
  const auto wait = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return ok;
  };
  const auto stream = stub.PrepareCall(
      context.get(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  stream->StartCall(nullptr);
  wait();
  const grpc::Slice all(std::string("\x3a\x01*"));  // list_services = "*"
  stream->WriteLast(grpc::ByteBuffer(&all, 1), grpc::WriteOptions(), nullptr);
  wait();
  grpc::ByteBuffer bytes;
  stream->Read(&bytes, nullptr);
  const bool answered = wait();
  stream->Finish(status, nullptr);
  wait();
  std::string response;
  std::vector<grpc::Slice> slices;
  if (!answered || !bytes.Dump(&slices).ok()) return response;
  for (const grpc::Slice& part : slices) response.append(part.begin(), part.end());
  return response;
}

TEST(Prosperod, ListsItsServicesByReflection) {
  grpc::Status status;
  EXPECT_THAT(ListServices(ServerProcess(), &status),
              testing::AllOf(HasSubstr("prospero.v1.NetworkService"),
                             HasSubstr("prospero.v1.SimulationService"),
                             HasSubstr("prospero.v1.ServerService")));
}

TEST(Prosperod, ListensOnAUnixSocket) {
  Folder folder;
  const ServerProcess server({"--listen", "unix:" + folder.At("socket")});
  const auto channel =
      grpc::CreateChannel("unix:" + folder.At("socket"), grpc::InsecureChannelCredentials());
  const auto stub = v1::ServerService::NewStub(channel);
  v1::GetServerInfoResponse info;
  EXPECT_TRUE(
      Call(*stub, &v1::ServerService::Stub::GetServerInfo, v1::GetServerInfoRequest(), &info).ok());
}

TEST(Prosperod, WritesOneJsonLineForEachCallWithTheTraceOfTheClient) {
  Folder folder;
  {
    ServerProcess server(
        {"--log-format", "json", "--log-level", "debug", "--log-file", folder.At("log")});
    const auto stub = v1::NetworkService::NewStub(Channel(server));
    for (const auto& [key, value] :
         {std::pair("x-trace-id", "trace \"one\""),
          std::pair("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")}) {
      const auto context = Context();
      context->AddMetadata(key, value);
      v1::GetNetworkRequest request;
      request.set_name("networks/nobody");
      v1::GetNetworkResponse response;
      EXPECT_FALSE(stub->GetNetwork(context.get(), request, &response).ok());
    }
    EXPECT_EQ(server.End(SIGTERM), 0);
  }
  std::vector<nlohmann::json> calls;
  std::istringstream lines(folder.Read("log"));
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json entry = nlohmann::json::parse(line);
    if (entry["message"] == "call") calls.push_back(entry);
  }
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0]["method"], "GetNetwork");
  EXPECT_EQ(calls[0]["network"], "networks/nobody");
  EXPECT_EQ(calls[0]["code"], "NOT_FOUND");
  EXPECT_EQ(calls[0]["reason"], "NETWORK_NOT_FOUND");
  EXPECT_EQ(calls[0]["trace"], "trace \"one\"");
  EXPECT_GE(calls[0]["duration_ms"].get<double>(), 0.0);
  EXPECT_EQ(calls[1]["trace"], "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST(Prosperod, WritesPlainTextThatNobodyCanForge) {
  Folder folder;
  {
    ServerProcess server({"--log-level", "debug", "--log-file", folder.At("log")});
    const auto stub = v1::NetworkService::NewStub(Channel(server));
    const auto context = Context();
    v1::GetNetworkRequest request;
    request.set_name("networks/a\n2026-01-01 info forged");
    v1::GetNetworkResponse response;
    EXPECT_FALSE(stub->GetNetwork(context.get(), request, &response).ok());
    EXPECT_EQ(server.End(SIGINT), 0);
  }
  EXPECT_THAT(folder.Read("log"), HasSubstr("network=\"networks/a\\n2026-01-01 info forged\""));
}

TEST(Prosperod, DrainsOnSigterm) {
  ServerProcess server;
  const std::shared_ptr<grpc::Channel> channel = Channel(server);
  const auto networks = v1::NetworkService::NewStub(channel);
  const auto simulation = v1::SimulationService::NewStub(channel);
  v1::CreateNetworkRequest create;
  create.set_network_id("a");
  *create.mutable_network()->mutable_spec() = SmallSpec();
  v1::CreateNetworkResponse created;
  ASSERT_TRUE(Call(*networks, &v1::NetworkService::Stub::CreateNetwork, create, &created).ok());
  TestDriver driver(*simulation, "a");
  ASSERT_TRUE(driver.opened());
  int code = -1;
  std::thread stop([&] { code = server.End(SIGTERM); });
  EXPECT_TRUE(IsError(driver.End(), grpc::StatusCode::UNAVAILABLE, "DRAINING"));
  ASSERT_FALSE(driver.notices().empty());
  EXPECT_EQ(driver.notices()[0].kind(), v1::Notice::KIND_DRAINING);
  stop.join();
  EXPECT_EQ(code, 0);
}

TEST(Prosperod, CutsOffWhatDoesNotEndInTime) {
  ServerProcess server({"--drain-timeout", "0.1"});
  const std::shared_ptr<grpc::Channel> channel = Channel(server);
  const auto networks = v1::NetworkService::NewStub(channel);
  const auto simulation = v1::SimulationService::NewStub(channel);
  v1::CreateNetworkRequest create;
  create.set_network_id("a");
  *create.mutable_network()->mutable_spec() = SmallSpec();
  create.mutable_network()->mutable_spec()->mutable_gle()->mutable_populations(1)->set_size(2000);
  create.mutable_network()->mutable_spec()->mutable_gle()->mutable_populations(0)->set_size(2000);
  v1::CreateNetworkResponse created;
  ASSERT_TRUE(Call(*networks, &v1::NetworkService::Stub::CreateNetwork, create, &created).ok());
  TestDriver driver(*simulation, "a");
  ASSERT_TRUE(driver.opened());
  v1::DriveAdvance lengthy;
  lengthy.set_steps(1'000'000);
  lengthy.set_output_every(1'000'000);
  driver.Send(lengthy);
  EXPECT_EQ(server.End(SIGTERM), 3);
  EXPECT_FALSE(driver.End().ok());
}

TEST(Prosperod, RefusesAPortThatIsTaken) {
  const ServerProcess server;
  const Output second = Prosperod("--ephemeral --listen " + server.address());
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.text, HasSubstr("cannot listen"));
}

}  // namespace
}  // namespace prospero::server
