#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "engine/runtime/clock.h"
#include "engine/runtime/cursor.h"

namespace prospero {

/// Values of one input variable for the steps of a job: one row for each step, or one row
/// that holds for all of them. A row is the variable's whole value, packed.
struct InputBlock {
  int variable = 0;    ///< index in the network's table
  std::string values;  ///< rows * bytes of the variable
};

/// K consecutive steps with their inputs, and what they gave. The one who submits a job
/// owns it; between Submit and done() it belongs to the instance and must not be touched.
/// A job can be submitted again; its buffers keep their capacity.
struct DriveJob {
  // What is asked.
  int64_t steps = 1;
  int64_t output_every = 1;         ///< outputs of every n-th step, the last one among them
  absl::optional<int64_t> at_step;  ///< the step these frames belong to; none: now
  std::vector<InputBlock> inputs;
  std::vector<int> outputs;  ///< indices in the network's table

  // What came of it.
  /// Not OK: refused, and nothing changed; or, after `steps_done` steps, broken off between
  /// two steps. The network diverged (DIVERGED), was paused (NETWORK_PAUSED), reset or restored
  /// (EPOCH_CHANGED) or ended, or the lease was lost (LEASE_LOST) or given back (kCancelled).
  absl::Status status;
  Cursor cursor;  ///< where the network stands now; after kCancelled, where it stood last
  int64_t steps_done = 0;
  std::vector<std::string> results;  ///< one for each output: packed rows, one after the other
  double loss_sum = 0.0;
  int64_t loss_steps = 0;  ///< steps that had a target
  int64_t queued_ns = 0;
  int64_t stepping_ns = 0;

  /// Called once, by the thread that finished the job: perhaps the one inside Submit, before
  /// that returns. It must not block.
  std::function<void(DriveJob&)> done;

  Clock::Time submitted;  ///< set by Submit
};

}  // namespace prospero
