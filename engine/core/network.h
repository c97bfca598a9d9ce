#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/core/team.h"
#include "engine/core/variable.h"

namespace prospero {

/// One integration step. Time is counted, not summed.
struct Step {
  int64_t index = 0;                                            ///< steps completed before this one
  double dt = 0.0;                                              ///< [ms]
  Team* team = nullptr;                                         ///< who helps; null: nobody
  double t() const { return static_cast<double>(index) * dt; }  ///< [ms], at its start
};

/// What every kind of network is made with.
struct NetworkOptions {
  double dt = 0.1;  ///< [ms]
  DataType precision = DataType::kFloat32;
  uint64_t seed = 0;
  int64_t batch_size = 1;
};

/// Bounds of one network, checked before its memory is spent.
struct NetworkLimits {
  int64_t max_neurons = 10'000'000;
  int64_t max_weights = 1'000'000'000;
  int64_t max_bytes = int64_t{16} << 30;
  int64_t max_batch_size = 4096;
  int64_t max_populations = 1024;
  int64_t max_projections = 4096;
};

/// What does not depend on the kind of network. kInvalidArgument names the field ("dt_ms",
/// "batch_size"); kResourceExhausted as CheckLimit.
absl::Status Check(const NetworkOptions& options, const NetworkLimits& limits);

/// Ok unless `value` > `limit`; else kResourceExhausted with reason LIMIT_EXCEEDED, a message
/// with both, and the metadata `limit`: its name in GetServerInfo ("max_neurons"), `max` and
/// `wanted`.
absl::Status CheckLimit(absl::string_view name, int64_t value, int64_t limit);

/// What a network will need.
struct Footprint {
  int64_t neurons = 0;  ///< of one trial of a batch, inputs too
  int64_t weights = 0;  ///< a weight that synapses share counts once
  int64_t bytes = 0;    ///< of all its arrays
};

/// Something that is allowed and will hardly do what is wished.
struct Warning {
  std::string reason;   ///< stable, UPPER_SNAKE
  std::string path;     ///< of the field, as in InvalidField; may be empty
  std::string message;  ///< for humans
};

/// Parts of a network that can be put back to the start.
struct ResetScopes {
  bool state = true;    ///< potentials, rates, errors, inputs
  bool weights = true;  ///< weights, biases, learned time constants, the optimizers' memory
  bool noise = true;    ///< noise is keyed by the new seed
};

/// A dynamical system that learns while it runs: a table of variables and a step.
/// Used by one thread at a time.
class Network {
 public:
  Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  virtual ~Network() = default;

  /// Puts the named parts back. Same seed, same values, bit for bit. A network that has
  /// just been made is as after Reset(options.seed, {}).
  virtual void Reset(uint64_t seed, ResetScopes scopes) = 0;

  /// Moves the network from step.t() to step.t() + dt.
  /// Never allocates, locks, logs or throws.
  virtual void Advance(const Step& step) noexcept = 0;

  /// False once a step has left the finite range; the network must not be advanced
  /// further until it is reset or restored.
  bool finite() const { return finite_; }
  /// To be called after values were put back from outside (a snapshot): they are finite, or are
  /// not.
  void AssumeFinite(bool finite = true) { finite_ = finite; }

  /// Every network has the parameter `learning` (1 or 0, a scalar: all its plasticity) and
  /// the signal `loss` (a scalar, of the last step, over all ports that had a target).
  const VariableTable& variables() const { return variables_; }

  /// Adds a signal of whoever hosts the network (the lag of its clock), who also owns the values.
  /// To be called before anybody reads the table. Returns its index.
  int Adopt(Variable signal) { return variables_.Add(std::move(signal)); }

  /// What was found when the network was made.
  const std::vector<Warning>& warnings() const { return warnings_; }

 protected:
  VariableTable variables_;
  std::vector<Warning> warnings_;
  bool finite_ = true;
};

/// The first saved variable that holds a value that is not finite: weights and parameters
/// before states, each in table order. -1 when there is none.
int FindNonFinite(const VariableTable& variables);

}  // namespace prospero
