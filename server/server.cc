#include "server/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/core/errors.h"
#include "server/durability/shutdown.h"
#include "server/host.h"
#include "server/listen_address.h"
#include "server/network_service.h"
#include "server/server_service.h"
#include "server/simulation_service.h"
#include "server/state_service.h"
#include "server/store/sqlite_store.h"

namespace prospero::server {
namespace {

/// Time for connections to close when no call is open: an idle client may not look at its own.
constexpr absl::Duration kFarewell = absl::Seconds(1);
constexpr int kMaxMetadata = 64 << 10;          // [bytes] of one call
constexpr int kMaxStreamsPerConnection = 4096;  // 500 networks with several streams each

absl::StatusOr<ListenAddress> CheckAddress(const Server::Options& options) {
  absl::StatusOr<ListenAddress> address = ParseListenAddress(options.listen);
  if (!address.ok() || address->only_local || options.allow_insecure) return address;
  return Error(absl::StatusCode::kFailedPrecondition, "INSECURE_ADDRESS",
               absl::StrCat("'", options.listen,
                            "' can be reached from other machines and there are no credentials; "
                            "listen on 127.0.0.1, or allow it with --allow-insecure"));
}

int Workers(int wanted) {
  return wanted > 0 ? wanted : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// Opens the store.
absl::StatusOr<Host::Options> ToHostOptions(Server::Options options) {
  absl::StatusOr<std::unique_ptr<Store>> store =
      OpenStore({.directory = options.storage.data_dir, .ephemeral = options.storage.ephemeral});
  if (!store.ok()) return store.status();
  if (options.storage.ephemeral) {
    options.log->Write(LogLevel::kInfo, "nothing is kept", {});
  } else {
    options.log->Write(LogLevel::kInfo, "networks are kept",
                       {{"data_dir", options.storage.data_dir},
                        {"durability", v1::Durability_Name(options.storage.durability)}});
  }
  for (const std::string& finding : (*store)->findings()) {
    options.log->Write(LogLevel::kError, "damaged", {{"what", finding}});
  }
  Host::Options host;
  host.limits = options.limits;
  host.kinds = std::move(options.kinds);
  host.workers = Workers(options.workers);
  host.retention = options.subscription_retention;
  host.log = options.log;
  host.storage = std::move(options.storage);
  host.store = *std::move(store);
  return host;
}

std::vector<std::unique_ptr<grpc::Service>> MakeServices(Host* host) {
  std::vector<std::unique_ptr<grpc::Service>> services;
  services.push_back(MakeNetworkService(host));
  services.push_back(MakeSimulationService(host));
  services.push_back(MakeStateService(host));
  services.push_back(MakeServerService(host));
  return services;
}

/// Dead connections are noticed after 30 s, and clients may ask every 10 s.
void SetConnectionRules(grpc::ServerBuilder* builder, const Limits& limits) {
  builder->SetMaxReceiveMessageSize(static_cast<int>(limits.max_message_bytes));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  builder->AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadata);
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

}  // namespace

class Server::Body {
 public:
  explicit Body(Host::Options options)
      : host_(std::move(options)), services_(MakeServices(&host_)) {}

  /// From now on calls wait for the networks that the store has, and those that are repeated get
  /// their answers.
  absl::Status Remember() {
    absl::StatusOr<std::vector<store::StoredAnswer>> answers = host_.store->Answers();
    if (!answers.ok()) return answers.status();
    host_.requests.Remember(*std::move(answers), absl::Now());
    return host_.recovery.Expect();
  }

  absl::Status Listen(const std::string& listen, const ListenAddress& address) {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    SetConnectionRules(&builder, host_.limits);
    builder.AddListeningPort(listen, grpc::InsecureServerCredentials(), &port_);
    for (const auto& service : services_) builder.RegisterService(service.get());
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) {
      return Error(absl::StatusCode::kUnavailable, "ADDRESS_UNAVAILABLE",
                   absl::StrCat("cannot listen on '", listen, "'"));
    }
    grpc::HealthCheckServiceInterface* const health = server_->GetHealthCheckService();
    for (const char* service : {"prospero.v1.NetworkService", "prospero.v1.SimulationService",
                                "prospero.v1.StateService", "prospero.v1.ServerService"}) {
      health->SetServingStatus(service, true);
    }
    host_.recovery.Begin([health](const std::string& network, bool there) {
      health->SetServingStatus(network, there);
    });
    if (address.is_unix()) port_ = 0;
    address_ =
        address.is_unix() ? listen : absl::StrCat(listen.substr(0, listen.rfind(':')), ":", port_);
    return absl::OkStatus();
  }

  bool Drain(absl::Duration timeout) {
    if (server_ == nullptr) return true;
    const absl::Time deadline = absl::Now() + timeout;
    server_->GetHealthCheckService()->SetServingStatus(false);
    host_.Drain();
    const bool complete = host_.calls.AwaitNone(deadline);
    server_->Shutdown(absl::ToChronoTime(complete ? absl::Now() + kFarewell : absl::Now()));
    host_.recovery.Join();  // It speaks to the health service.
    KeepAll(timeout);
    host_.EndAll(Draining());
    // Behind its OnDone a call lives on in alarms that were called off and have not been told yet.
    host_.calls.AwaitNone(absl::InfiniteFuture());
    server_.reset();
    return complete;
  }

  const std::string& address() const { return address_; }
  int port() const { return port_; }

 private:
  void KeepAll(absl::Duration timeout) {
    if (timeout <= absl::ZeroDuration()) return;
    if (server::KeepAll(host_, absl::Now() + timeout)) return;
    host_.log->Write(LogLevel::kWarning, "not every network has a checkpoint of its end", {});
  }

  Host host_;
  const std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  int port_ = 0;
};

Server::Server(std::unique_ptr<Body> body) : body_(std::move(body)) {}

Server::~Server() { body_->Drain(absl::ZeroDuration()); }

absl::StatusOr<std::unique_ptr<Server>> Server::Start(Options options) {
  const absl::StatusOr<ListenAddress> address = CheckAddress(options);
  if (!address.ok()) return address.status();
  const std::string listen = options.listen;
  absl::StatusOr<Host::Options> host = ToHostOptions(std::move(options));
  if (!host.ok()) return host.status();
  auto body = std::make_unique<Body>(*std::move(host));
  if (absl::Status status = body->Remember(); !status.ok()) return status;
  if (absl::Status status = body->Listen(listen, *address); !status.ok()) {
    return status;
  }
  return std::unique_ptr<Server>(new Server(std::move(body)));
}

const std::string& Server::address() const { return body_->address(); }
int Server::port() const { return body_->port(); }
bool Server::Drain(absl::Duration timeout) { return body_->Drain(timeout); }

}  // namespace prospero::server
