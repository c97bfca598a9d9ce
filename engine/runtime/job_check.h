#pragma once

#include <vector>

#include "absl/status/status.h"
#include "engine/core/variable.h"
#include "engine/runtime/drive.h"
#include "engine/runtime/instance.h"

namespace prospero {

/// What can be said about a job without the network: its numbers, its shapes, its values.
/// `inputs` are the variables that may be written. kInvalidArgument names the field
/// ("steps", "inputs[1].data", "outputs[0]"); kResourceExhausted (LIMIT_EXCEEDED) when the
/// results would be too large.
absl::Status CheckJob(const DriveJob& job, const VariableTable& variables,
                      const std::vector<int>& inputs, const Instance::Options& limits);

/// Rows of results that a job with these numbers has.
int64_t ResultRows(int64_t steps, int64_t output_every);

}  // namespace prospero
