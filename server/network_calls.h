#pragma once

#include "prospero/v1/network_service.pb.h"
#include "server/host.h"
#include "server/request_cache.h"

namespace prospero::server {

// The calls of v1::NetworkService, as its comments say, without gRPC. Each replies once, on
// any thread; until then the request must live.

void CreateNetwork(Host& host, const v1::CreateNetworkRequest& request,
                   Reply<v1::CreateNetworkResponse> reply);
void GetNetwork(Host& host, const v1::GetNetworkRequest& request,
                Reply<v1::GetNetworkResponse> reply);
void ListNetworks(Host& host, const v1::ListNetworksRequest& request,
                  Reply<v1::ListNetworksResponse> reply);
void UpdateNetwork(Host& host, const v1::UpdateNetworkRequest& request,
                   Reply<v1::UpdateNetworkResponse> reply);
void DeleteNetwork(Host& host, const v1::DeleteNetworkRequest& request,
                   Reply<v1::DeleteNetworkResponse> reply);
void CloneNetwork(Host& host, const v1::CloneNetworkRequest& request,
                  Reply<v1::CloneNetworkResponse> reply);
void ResetNetwork(Host& host, const v1::ResetNetworkRequest& request,
                  Reply<v1::ResetNetworkResponse> reply);
void StartNetwork(Host& host, const v1::StartNetworkRequest& request,
                  Reply<v1::StartNetworkResponse> reply);
void PauseNetwork(Host& host, const v1::PauseNetworkRequest& request,
                  Reply<v1::PauseNetworkResponse> reply);
void GetNetworkSchema(Host& host, const v1::GetNetworkSchemaRequest& request,
                      Reply<v1::GetNetworkSchemaResponse> reply);

/// The network of a resource name. kInvalidArgument, naming `path`; kNotFound.
absl::StatusOr<std::shared_ptr<Record>> FindNetwork(const Host& host, absl::string_view name,
                                                    absl::string_view path);

/// To be asked in the turn of a call that changes the network: CheckCurrent of the record;
/// kUnavailable (STORAGE_DEGRADED) while the disk refuses what would be changed.
absl::Status CheckChange(const Record& record, absl::string_view etag);

}  // namespace prospero::server
