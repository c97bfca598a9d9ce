#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "prospero/client/array.h"
#include "prospero/client/drive.h"
#include "prospero/client/feed.h"
#include "prospero/client/snapshots.h"
#include "prospero/client/subscription.h"
#include "prospero/v1/network.pb.h"
#include "prospero/v1/network_service.pb.h"
#include "prospero/v1/state_service.pb.h"

namespace prospero::client {

struct Connection;

/// What Update changes; what is not set stays.
struct Changes {
  absl::optional<bool> learning = {};
  absl::optional<v1::Clock> clock = {};    ///< a network that runs goes on running
  absl::optional<v1::Safety> safety = {};  ///< an empty one: nothing is watched any more
  absl::optional<v1::Durability> durability = {};
  absl::optional<v1::SnapshotPolicy> snapshot_policy = {};         ///< an empty one: none are taken
  absl::optional<std::map<std::string, std::string>> labels = {};  ///< replaces all labels
  /// New values of variables of role PARAMETER, INPUT or WEIGHT, by name. A scalar fills the
  /// whole array.
  std::map<std::string, v1::Tensor> parameters = {};
  /// If not empty, must be the network's present etag: else ABORTED, ETAG_MISMATCH.
  std::string etag = {};
};

/// What Reset puts back.
struct ResetOptions {
  std::vector<v1::ResetScope> scopes = {};  ///< empty: all of them
  absl::optional<uint64_t> seed = {};       ///< none: the seed stays
};

/// One call of Step.
struct StepOptions {
  int64_t steps = 1;
  /// By variable or population name; the shape is the variable's, or [steps, the variable's].
  std::map<std::string, v1::Tensor> inputs = {};
  std::vector<std::string> outputs = {};  ///< names or globs; empty: rates of the output ports
  absl::optional<int64_t> at_step = {};   ///< refuse unless the network stands at this step
  int64_t output_every = 1;               ///< [steps]
};

struct StepResult {
  Cursor cursor;                              ///< after the last step
  std::map<std::string, v1::Tensor> outputs;  ///< shape: [returned steps, the variable's]
  absl::optional<double> loss;                ///< mean over the steps that had a target
};

/// A network on a server, by name. It holds no state of its own: it is a name and a connection,
/// cheap to copy, and says nothing about whether the network still exists.
///
/// All calls are thread-safe, wait for their answer at most ClientOptions::call_timeout, and
/// return the server's error: NOT_FOUND when there is no such network, INVALID_ARGUMENT with
/// FieldViolations, and so on (proto/prospero/v1/network_service.proto).
class Network {
 public:
  /// "networks/{network}".
  const std::string& name() const { return name_; }

  /// What it is and where it stands.
  absl::StatusOr<v1::Network> Get() const;
  /// Every variable, in the order of their uids.
  absl::StatusOr<std::vector<v1::VariableSchema>> Schema() const;

  /// Changes what is set, parameters between two steps; returns the step from which it holds.
  absl::StatusOr<Cursor> Update(const Changes& changes) const;
  /// Sets one parameter, such as "hidden_to_output.W.eta".
  absl::StatusOr<Cursor> SetParameter(const std::string& variable, double value) const;
  absl::StatusOr<Cursor> SetLearning(bool learning) const;

  /// Lets the clock advance it, or stops the clock between two steps.
  absl::StatusOr<v1::Network> Start() const;
  absl::StatusOr<v1::Network> Pause() const;
  /// Puts parts of it back to the start; its epoch grows.
  absl::StatusOr<v1::Network> Reset(const ResetOptions& options = {}) const;
  /// Makes a new network that goes on, bit for bit, from the present state. An empty id lets
  /// the server choose.
  absl::StatusOr<Network> Clone(const std::string& id = "",
                                const std::map<std::string, std::string>& labels = {}) const;
  /// Removes it and all that was kept of it. Its streams end with ABORTED, NETWORK_DELETED.
  /// FAILED_PRECONDITION, HAS_SNAPSHOTS, when it has snapshots and this is not forced.
  absl::Status Delete(bool force = false) const;

  // Snapshots: the whole state at one step, in a file on the server. They are named by their ids or
  // their whole names.

  /// Takes one between two steps; it is on disk when this returns.
  absl::StatusOr<v1::Snapshot> CreateSnapshot(const SnapshotOptions& options = {}) const;
  /// All of them, the newest first.
  absl::StatusOr<std::vector<v1::Snapshot>> ListSnapshots() const;
  absl::Status DeleteSnapshot(const std::string& snapshot) const;
  /// Puts the network into that state; its epoch grows. DATA_LOSS, SNAPSHOT_DAMAGED, and no change,
  /// when the file is not what was written.
  absl::StatusOr<v1::Network> Restore(const std::string& snapshot) const;
  /// Copies the file, which is in the format of safetensors, to a path here: all of it or nothing.
  absl::Status Export(const std::string& snapshot, const std::string& path,
                      const ExportOptions& options = {}) const;

  /// Advances it without a stream. FAILED_PRECONDITION, LEASE_HELD while a driver is attached.
  /// Not repeated by itself when the connection breaks: the steps may have been taken.
  absl::StatusOr<StepResult> Step(const StepOptions& options) const;
  /// Takes the driver lease. FAILED_PRECONDITION, LEASE_HELD while another driver has it.
  absl::StatusOr<Drive> Attach(const AttachOptions& options = {}) const;
  /// Opens a feed of one input (a variable, or a population for its port). NOT_FOUND when there
  /// is no such input. What the server refuses, such as an input that another feed has, is told by
  /// the feed's Push or Close.
  absl::StatusOr<Feed> OpenFeed(const std::string& input, const FeedOptions& options = {}) const;
  /// Starts to watch variables.
  absl::StatusOr<Subscription> Subscribe(const Selection& selection,
                                         const SubscribeOptions& options = {}) const;
  absl::StatusOr<Subscription> Subscribe(const std::vector<Selection>& selections,
                                         const SubscribeOptions& options = {}) const;

 private:
  friend class Client;
  Network(std::shared_ptr<Connection> connection, std::string name)
      : connection_(std::move(connection)), name_(std::move(name)) {}

  std::shared_ptr<Connection> connection_;
  std::string name_;
};

}  // namespace prospero::client
