#include "connection.h"

#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace prospero::client {
namespace {

// Every method of NetworkService, and what is named of StateService, may be repeated: it changes
// nothing, says what shall be, or carries a request id.
constexpr char kServiceConfig[] = R"({
  "methodConfig": [{
    "name": [
      {"service": "prospero.v1.NetworkService"},
      {"service": "prospero.v1.StateService", "method": "CreateSnapshot"},
      {"service": "prospero.v1.StateService", "method": "DeleteSnapshot"},
      {"service": "prospero.v1.StateService", "method": "ListSnapshots"},
      {"service": "prospero.v1.StateService", "method": "RestoreSnapshot"}
    ],
    "retryPolicy": {
      "maxAttempts": 4, "initialBackoff": "0.1s", "maxBackoff": "2s", "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }]
})";

}  // namespace

Connection::Connection(std::shared_ptr<grpc::Channel> open_channel,
                       const std::shared_ptr<grpc::Channel>& live_channel, absl::Duration timeout)
    : channel(std::move(open_channel)),
      networks(v1::NetworkService::NewStub(channel)),
      simulations(v1::SimulationService::NewStub(channel)),
      live(v1::SimulationService::NewStub(live_channel)),
      server(v1::ServerService::NewStub(channel)),
      state(v1::StateService::NewStub(channel)),
      call_timeout(timeout) {}

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& target, ChannelUse use) {
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(kServiceConfig);
  arguments.SetMaxReceiveMessageSize(-1);  // the server bounds what it sends
  // Clients in one process must not share a connection unless they are copies of each other.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A line that was cut without a word is noticed within half a minute.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5'000);
  if (use == ChannelUse::kLive) {
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 65'536);
  }
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

std::string NewRequestId() {
  std::random_device random;
  const auto bits = [&random](uint32_t mask) { return random() & mask; };
  return absl::StrFormat("%08x-%04x-4%03x-%04x-%08x%04x", bits(0xffffffff), bits(0xffff),
                         bits(0xfff), 0x8000 | bits(0x3fff), bits(0xffffffff), bits(0xffff));
}

std::string NetworkName(absl::string_view id) {
  return absl::StartsWith(id, "networks/") ? std::string(id) : absl::StrCat("networks/", id);
}

}  // namespace prospero::client
