#include "server/network_service.h"

#include "prospero/v1/network_service.grpc.pb.h"
#include "server/convert/network.h"
#include "server/network_calls.h"
#include "server/unary.h"

namespace prospero::server {
namespace {

class NetworkService final : public v1::NetworkService::CallbackService {
 public:
  explicit NetworkService(Host* host) : host_(*host) {}

  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* CreateNetwork(Context* context, const v1::CreateNetworkRequest* request,
                         v1::CreateNetworkResponse* response) override {
    return Answer(host_, LogLevel::kInfo, "CreateNetwork", NameOf(request->network_id()), context,
                  request, response, server::CreateNetwork);
  }
  Reactor* GetNetwork(Context* context, const v1::GetNetworkRequest* request,
                      v1::GetNetworkResponse* response) override {
    return Answer(host_, LogLevel::kDebug, "GetNetwork", request->name(), context, request,
                  response, server::GetNetwork, /*awaits=*/false);
  }
  Reactor* ListNetworks(Context* context, const v1::ListNetworksRequest* request,
                        v1::ListNetworksResponse* response) override {
    return Answer(host_, LogLevel::kDebug, "ListNetworks", "", context, request, response,
                  server::ListNetworks);
  }
  Reactor* UpdateNetwork(Context* context, const v1::UpdateNetworkRequest* request,
                         v1::UpdateNetworkResponse* response) override {
    return Answer(host_, LogLevel::kInfo, "UpdateNetwork", request->network().name(), context,
                  request, response, server::UpdateNetwork);
  }
  Reactor* DeleteNetwork(Context* context, const v1::DeleteNetworkRequest* request,
                         v1::DeleteNetworkResponse* response) override {
    return Answer(host_, LogLevel::kInfo, "DeleteNetwork", request->name(), context, request,
                  response, server::DeleteNetwork);
  }
  Reactor* CloneNetwork(Context* context, const v1::CloneNetworkRequest* request,
                        v1::CloneNetworkResponse* response) override {
    return Answer(host_, LogLevel::kInfo, "CloneNetwork", request->name(), context, request,
                  response, server::CloneNetwork);
  }
  Reactor* ResetNetwork(Context* context, const v1::ResetNetworkRequest* request,
                        v1::ResetNetworkResponse* response) override {
    return Answer(host_, LogLevel::kInfo, "ResetNetwork", request->name(), context, request,
                  response, server::ResetNetwork);
  }
  Reactor* StartNetwork(Context* context, const v1::StartNetworkRequest* request,
                        v1::StartNetworkResponse* response) override {
    return Answer(host_, LogLevel::kInfo, "StartNetwork", request->name(), context, request,
                  response, server::StartNetwork);
  }
  Reactor* PauseNetwork(Context* context, const v1::PauseNetworkRequest* request,
                        v1::PauseNetworkResponse* response) override {
    return Answer(host_, LogLevel::kInfo, "PauseNetwork", request->name(), context, request,
                  response, server::PauseNetwork);
  }
  Reactor* GetNetworkSchema(Context* context, const v1::GetNetworkSchemaRequest* request,
                            v1::GetNetworkSchemaResponse* response) override {
    return Answer(host_, LogLevel::kDebug, "GetNetworkSchema", request->name(), context, request,
                  response, server::GetNetworkSchema);
  }

 private:
  Host& host_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeNetworkService(Host* host) {
  return std::make_unique<NetworkService>(host);
}

}  // namespace prospero::server
