#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "prospero/client/array.h"
#include "prospero/client/clock.h"
#include "prospero/client/drive.h"
#include "prospero/client/error.h"
#include "prospero/client/feed.h"
#include "prospero/client/gle.h"
#include "prospero/client/latent_equilibrium.h"
#include "prospero/client/microcircuit.h"
#include "prospero/client/network.h"
#include "prospero/client/safety.h"
#include "prospero/client/snapshots.h"
#include "prospero/client/subscription.h"
#include "prospero/v1/network.pb.h"
#include "prospero/v1/server_service.pb.h"

namespace prospero::client {

struct Connection;

struct ClientOptions {
  absl::Duration connect_timeout = absl::Seconds(10);  ///< for Connect
  absl::Duration call_timeout = absl::Seconds(30);     ///< for every call that is not a stream
};

/// How CreateNetwork makes a network; the defaults are the server's.
struct CreateOptions {
  std::string id = {};  ///< lower-case letters, digits and -; empty: the server chooses
  std::map<std::string, std::string> labels = {};
  v1::Clock clock = Lockstep();            ///< only a lockstep network starts running
  absl::optional<bool> learning = {};      ///< none: on
  absl::optional<v1::Safety> safety = {};  ///< of inputs and drivers that stop; none: nothing
  /// What is kept of it when its server is killed; UNSPECIFIED: the server's default.
  v1::Durability durability = v1::DURABILITY_UNSPECIFIED;
  absl::optional<v1::SnapshotPolicy> snapshot_policy = {};  ///< none: none are taken by themselves
  bool validate_only = false;                               ///< checks everything and makes nothing
};

/// A connection to a server.
///
/// Cheap to copy; all copies, and the networks and streams that come from them, share one
/// HTTP/2 connection, and observers one with a small window, which live as long as the last of
/// them. All calls are thread-safe.
/// Calls of the control plane that fail with UNAVAILABLE are repeated up to three times within
/// their timeout; each carries a request id, so none takes effect twice.
class Client {
 public:
  /// `target` is "host:port" or "unix:path". UNAVAILABLE when nothing answers in time,
  /// FAILED_PRECONDITION when the server does not speak prospero.v1.
  static absl::StatusOr<Client> Connect(const std::string& target,
                                        const ClientOptions& options = {});

  /// Version, limits and kinds of networks.
  absl::StatusOr<v1::GetServerInfoResponse> ServerInfo() const;

  /// Makes a network; gle::Chain and gle::SpecBuilder write specs. ALREADY_EXISTS when the id
  /// is taken; INVALID_ARGUMENT with FieldViolations for a bad spec; RESOURCE_EXHAUSTED beyond
  /// a limit. With validate_only the network that is returned does not exist.
  absl::StatusOr<Network> CreateNetwork(const v1::NetworkSpec& spec,
                                        const CreateOptions& options = {}) const;
  /// Checks all that CreateNetwork checks, makes nothing, and tells what the network would take.
  absl::StatusOr<v1::Footprint> Validate(const v1::NetworkSpec& spec) const;
  /// A network that exists, by id or by name ("networks/{network}"). NOT_FOUND otherwise.
  absl::StatusOr<Network> GetNetwork(const std::string& id) const;
  /// All networks that pass the filter (`state = RUNNING AND labels.team = "a"`), by name.
  absl::StatusOr<std::vector<v1::Network>> ListNetworks(const std::string& filter = "") const;
  /// Removes a network, by id or by name.
  absl::Status DeleteNetwork(const std::string& id, bool allow_missing = false) const;

 private:
  explicit Client(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  std::shared_ptr<Connection> connection_;
};

}  // namespace prospero::client
