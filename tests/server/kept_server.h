#pragma once

#include <signal.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/clients/server_process.h"
#include "tests/server/support.h"

namespace prospero::server {

/// A prosperod with a data directory of its own that can be ended and started again.
class KeptServer {
 public:
  explicit KeptServer(const std::vector<std::string>& flags = {})
      : folder_(testing::TempDir() + "/kept-XXXXXX"), flags_(flags) {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    Start();
  }
  ~KeptServer() {
    process_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  void Start() {
    std::vector<std::string> flags = {"--data-dir", data_dir(), "--log-level", "error"};
    flags.insert(flags.end(), flags_.begin(), flags_.end());
    process_ = std::make_unique<ServerProcess>(flags);
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto channel = grpc::CreateCustomChannel(process_->address(),
                                                   grpc::InsecureChannelCredentials(), arguments);
    networks_ = v1::NetworkService::NewStub(channel);
    simulation_ = v1::SimulationService::NewStub(channel);
    info_ = v1::ServerService::NewStub(channel);
  }
  /// Without a warning.
  void Kill() { EXPECT_EQ(process_->End(SIGKILL), -SIGKILL); }
  void ShutDown() { EXPECT_EQ(process_->End(SIGTERM), 0); }
  void KillAndStart() {
    Kill();
    Start();
  }

  std::string data_dir() const { return folder_ + "/data"; }
  v1::NetworkService::Stub& networks() { return *networks_; }
  v1::SimulationService::Stub& simulation() { return *simulation_; }
  v1::ServerService::Stub& info() { return *info_; }

  /// The test fails if it fails.
  v1::Network Make(const v1::CreateNetworkRequest& request) {
    v1::CreateNetworkResponse response;
    Succeed(Call(networks(), &v1::NetworkService::Stub::CreateNetwork, request, &response));
    return response.network();
  }
  v1::Network Make(const std::string& id, v1::Durability durability) {
    v1::CreateNetworkRequest request = CreateRequest(id);
    request.mutable_network()->set_durability(durability);
    return Make(request);
  }
  /// Once the network is there.
  v1::Network Get(const std::string& id) {
    v1::GetNetworkSchemaRequest schema;
    schema.set_name("networks/" + id);
    v1::GetNetworkSchemaResponse unused;
    Succeed(Call(networks(), &v1::NetworkService::Stub::GetNetworkSchema, schema, &unused));
    v1::GetNetworkRequest request;
    request.set_name("networks/" + id);
    v1::GetNetworkResponse response;
    Succeed(Call(networks(), &v1::NetworkService::Stub::GetNetwork, request, &response));
    return response.network();
  }
  static void Succeed(const grpc::Status& status) {
    EXPECT_TRUE(status.ok()) << status.error_message();
  }

 private:
  std::string folder_;
  const std::vector<std::string> flags_;
  std::unique_ptr<ServerProcess> process_;
  std::unique_ptr<v1::NetworkService::Stub> networks_;
  std::unique_ptr<v1::SimulationService::Stub> simulation_;
  std::unique_ptr<v1::ServerService::Stub> info_;
};

}  // namespace prospero::server
