#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "prospero/v1/network_service.grpc.pb.h"
#include "prospero/v1/server_service.grpc.pb.h"
#include "prospero/v1/simulation_service.grpc.pb.h"

namespace prospero {

/// A server that says what a test wants, for answers that the real one gives only by chance or
/// by mistake. Set the functions before anything calls.
class ScriptedServer : v1::ServerService::Service,
                       v1::NetworkService::Service,
                       v1::SimulationService::Service {
 public:
  using DriveStream = grpc::ServerReaderWriter<v1::DriveResponse, v1::DriveRequest>;
  using FeedStream = grpc::ServerReader<v1::FeedRequest>;
  using SubscribeStream = grpc::ServerReaderWriter<v1::SubscribeResponse, v1::SubscribeRequest>;

  ScriptedServer() {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(static_cast<v1::ServerService::Service*>(this));
    builder.RegisterService(static_cast<v1::NetworkService::Service*>(this));
    builder.RegisterService(static_cast<v1::SimulationService::Service*>(this));
    server_ = builder.BuildAndStart();
    address_ = absl::StrCat("127.0.0.1:", port);
  }
  ~ScriptedServer() { server_->Shutdown(std::chrono::system_clock::now()); }

  const std::string& address() const { return address_; }

  std::string api_version = "prospero.v1";
  std::function<grpc::Status(const v1::CreateNetworkRequest&, v1::CreateNetworkResponse&)> create;
  std::function<grpc::Status(DriveStream&)> drive;
  std::function<grpc::Status(SubscribeStream&)> subscribe;
  std::function<grpc::Status(FeedStream&, v1::FeedResponse&)> feed;
  v1::Network network;                     ///< the clock of every network
  v1::GetNetworkSchemaResponse variables;  ///< of every network

 private:
  grpc::Status GetServerInfo(grpc::ServerContext* /*context*/,
                             const v1::GetServerInfoRequest* /*request*/,
                             v1::GetServerInfoResponse* response) override {
    response->set_api_version(api_version);
    return grpc::Status::OK;
  }
  grpc::Status GetNetwork(grpc::ServerContext* /*context*/, const v1::GetNetworkRequest* request,
                          v1::GetNetworkResponse* response) override {
    *response->mutable_network() = network;
    response->mutable_network()->set_name(request->name());
    return grpc::Status::OK;
  }
  grpc::Status GetNetworkSchema(grpc::ServerContext* /*context*/,
                                const v1::GetNetworkSchemaRequest* /*request*/,
                                v1::GetNetworkSchemaResponse* response) override {
    *response = variables;
    return grpc::Status::OK;
  }
  grpc::Status CreateNetwork(grpc::ServerContext* /*context*/,
                             const v1::CreateNetworkRequest* request,
                             v1::CreateNetworkResponse* response) override {
    return create(*request, *response);
  }
  grpc::Status Drive(grpc::ServerContext* /*context*/, DriveStream* stream) override {
    return drive(*stream);
  }
  grpc::Status Feed(grpc::ServerContext* /*context*/, FeedStream* stream,
                    v1::FeedResponse* response) override {
    return feed(*stream, *response);
  }
  grpc::Status Subscribe(grpc::ServerContext* /*context*/, SubscribeStream* stream) override {
    return subscribe(*stream);
  }

  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace prospero
