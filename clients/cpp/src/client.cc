#include "prospero/client/client.h"

#include "absl/strings/str_cat.h"
#include "connection.h"

namespace prospero::client {

absl::StatusOr<Client> Client::Connect(const std::string& target, const ClientOptions& options) {
  const auto channel = OpenChannel(target, ChannelUse::kControl);
  if (!channel->WaitForConnected(absl::ToChronoTime(absl::Now() + options.connect_timeout))) {
    return absl::UnavailableError(absl::StrCat("no server answers at '", target, "' within ",
                                               absl::FormatDuration(options.connect_timeout)));
  }
  const Client client(std::make_shared<Connection>(channel, OpenChannel(target, ChannelUse::kLive),
                                                   options.call_timeout));
  const auto info = client.ServerInfo();
  if (!info.ok()) return info.status();
  if (info->api_version() != "prospero.v1") {
    return absl::FailedPreconditionError(absl::StrCat("the server at '", target, "' speaks '",
                                                      info->api_version(),
                                                      "', this client 'prospero.v1'"));
  }
  return client;
}

absl::StatusOr<v1::GetServerInfoResponse> Client::ServerInfo() const {
  return Call(*connection_, *connection_->server, &v1::ServerService::Stub::GetServerInfo, {});
}

absl::StatusOr<Network> Client::CreateNetwork(const v1::NetworkSpec& spec,
                                              const CreateOptions& options) const {
  v1::CreateNetworkRequest request;
  request.set_network_id(options.id);
  request.set_request_id(NewRequestId());
  request.set_validate_only(options.validate_only);
  auto& network = *request.mutable_network();
  *network.mutable_spec() = spec;
  network.mutable_labels()->insert(options.labels.begin(), options.labels.end());
  *network.mutable_clock() = options.clock;
  if (options.learning.has_value()) network.set_learning(*options.learning);
  if (options.safety.has_value()) *network.mutable_safety() = *options.safety;
  network.set_durability(options.durability);
  if (options.snapshot_policy.has_value()) {
    *network.mutable_snapshot_policy() = *options.snapshot_policy;
  }
  const auto response =
      Call(*connection_, *connection_->networks, &v1::NetworkService::Stub::CreateNetwork, request);
  if (!response.ok()) return response.status();
  return Network(connection_, response->network().name());
}

absl::StatusOr<v1::Footprint> Client::Validate(const v1::NetworkSpec& spec) const {
  v1::CreateNetworkRequest request;
  request.set_validate_only(true);
  *request.mutable_network()->mutable_spec() = spec;
  const auto response =
      Call(*connection_, *connection_->networks, &v1::NetworkService::Stub::CreateNetwork, request);
  if (!response.ok()) return response.status();
  return response->network().footprint();
}

absl::StatusOr<Network> Client::GetNetwork(const std::string& id) const {
  Network network(connection_, NetworkName(id));
  const auto found = network.Get();
  if (!found.ok()) return found.status();
  return network;
}

absl::StatusOr<std::vector<v1::Network>> Client::ListNetworks(const std::string& filter) const {
  std::vector<v1::Network> result;
  v1::ListNetworksRequest request;
  request.set_filter(filter);
  do {
    auto page = Call(*connection_, *connection_->networks, &v1::NetworkService::Stub::ListNetworks,
                     request);
    if (!page.ok()) return page.status();
    for (auto& network : *page->mutable_networks()) result.push_back(std::move(network));
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return result;
}

absl::Status Client::DeleteNetwork(const std::string& id, bool allow_missing) const {
  v1::DeleteNetworkRequest request;
  request.set_name(NetworkName(id));
  request.set_request_id(NewRequestId());
  request.set_allow_missing(allow_missing);
  return Call(*connection_, *connection_->networks, &v1::NetworkService::Stub::DeleteNetwork,
              request)
      .status();
}

}  // namespace prospero::client
