#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/variable.h"
#include "engine/runtime/drive.h"
#include "prospero/v1/simulation_service.pb.h"
#include "server/limits.h"

namespace prospero::server {

/// The variables that one driver writes and reads.
struct Ports {
  std::vector<int> inputs;
  std::vector<int> outputs;
};

/// Errors name the field of the message.
absl::StatusOr<Ports> ResolvePorts(const v1::DriveAttach& attach, const VariableTable& table);

/// The numbers that an advance and a step have in common. Errors name their fields.
/// kResourceExhausted (LIMIT_EXCEEDED) for too many steps.
struct Pace {
  int64_t steps = 1;
  int64_t output_every = 1;
  absl::optional<int64_t> at_step;
};
absl::StatusOr<Pace> ToPace(int64_t steps, int64_t output_every, absl::optional<int64_t> at_step,
                            int64_t max_steps);

/// Makes `job` ask for what `advance` asks for. Exchanges the bytes of the blocks with the
/// job's, so that neither allocates for long. Errors name the field of the message, or the
/// limit that the answer would break; then the job must not be submitted.
absl::Status FillJob(v1::DriveAdvance* advance, const Ports& ports, const VariableTable& table,
                     const Limits& limits, DriveJob* job);

/// Answers the advance that the job stands for: `advanced` when it was done, else `error`.
/// Exchanges the bytes of the results with the response's.
void FillResponse(uint64_t tag, DriveJob* job, v1::DriveResponse* response);

/// As FillJob, for the unary twin. Ports are resolved here.
absl::Status FillJob(const v1::StepRequest& request, const VariableTable& table,
                     const Limits& limits, DriveJob* job);

/// Moves the results of a job that was done.
void FillResponse(const VariableTable& table, DriveJob* job, v1::StepResponse* response);

}  // namespace prospero::server
