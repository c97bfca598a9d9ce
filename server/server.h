#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/durability/storage_options.h"
#include "server/limits.h"
#include "server/log.h"
#include "server/model_kind.h"

namespace prospero::server {

/// A running prosperod, without the process around it. Made, drained and destroyed by one
/// thread.
class Server {
 public:
  struct Options {
    std::string listen = "127.0.0.1:50551";  ///< "host:port", port 0: any; or "unix:path"
    bool allow_insecure = false;             ///< to be reached from other machines
    int workers = 0;                         ///< threads that step networks; 0: the cores
    /// For how long a subscription's samples are retained when its last reader has left.
    absl::Duration subscription_retention = absl::Seconds(60);
    StorageOptions storage;
    Limits limits;
    std::vector<ModelKind> kinds;
    Logger* log = nullptr;  ///< must outlive the server
  };

  /// kInvalidArgument for wrong options; kFailedPrecondition for an address that others can
  /// reach, unless allowed; kUnavailable when the address cannot be had.
  static absl::StatusOr<std::unique_ptr<Server>> Start(Options options);

  /// As Drain(0).
  ~Server();

  /// As a client may use it: "127.0.0.1:41234", "unix:path".
  const std::string& address() const;
  /// 0 for a unix socket.
  int port() const;

  /// Shuts down: lets nobody in, tells drivers and observers, lets the requests in flight
  /// finish, then takes a checkpoint of every network and ends it. What is not through after
  /// `timeout` is cut off, and the answer is false; the checkpoints get as long again. Waits.
  bool Drain(absl::Duration timeout);

 private:
  class Body;
  explicit Server(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace prospero::server
