#include "engine/runtime/job_check.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "engine/runtime/packed.h"

namespace prospero {
namespace {

absl::Status CheckRange(absl::string_view field, int64_t value, int64_t most) {
  if (value >= 1 && value <= most) return absl::OkStatus();
  return InvalidField(field, absl::StrCat("must be from 1 to ", most, ", got ", value));
}

absl::Status CheckWritable(int index, const VariableTable& variables,
                           const std::vector<int>& allowed, size_t position) {
  if (std::find(allowed.begin(), allowed.end(), index) != allowed.end()) return absl::OkStatus();
  const std::string path = absl::StrCat("inputs[", position, "]");
  if (index < 0 || index >= variables.size()) {
    return InvalidField(path, absl::StrCat("the network has no variable ", index));
  }
  const Variable& variable = variables[index];
  return InvalidField(path, absl::StrCat("'", variable.name, "' is ",
                                         variable.role == Role::kInput
                                             ? "not among the inputs that this driver may write"
                                             : "not an input"));
}

absl::Status CheckInput(const DriveJob& job, size_t position, const VariableTable& variables,
                        const std::vector<int>& allowed) {
  const InputBlock& block = job.inputs[position];
  if (auto status = CheckWritable(block.variable, variables, allowed, position); !status.ok()) {
    return status;
  }
  const Variable& variable = variables[block.variable];
  for (size_t earlier = 0; earlier < position; ++earlier) {
    if (job.inputs[earlier].variable == block.variable) {
      return InvalidField(absl::StrCat("inputs[", position, "]"),
                          absl::StrCat("'", variable.name, "' is given twice"));
    }
  }
  const auto given = static_cast<int64_t>(block.values.size());
  const int64_t row = variable.bytes();
  if (given != row && given != row * job.steps) {
    return InvalidField(absl::StrCat("inputs[", position, "].data"),
                        absl::StrCat("'", variable.name, "' takes 1 row or ", job.steps,
                                     " rows of ", row, " bytes, got ", given, " bytes"));
  }
  return CheckValues(variable, block.values,
                     [position] { return absl::StrCat("inputs[", position, "].data"); });
}

absl::Status CheckOutputs(const DriveJob& job, const VariableTable& variables,
                          int64_t max_job_bytes) {
  int64_t row = 0;
  for (size_t i = 0; i < job.outputs.size(); ++i) {
    const int index = job.outputs[i];
    if (index < 0 || index >= variables.size()) {
      return InvalidField(absl::StrCat("outputs[", i, "]"),
                          absl::StrCat("the network has no variable ", index));
    }
    row += variables[index].bytes();
  }
  const int64_t rows = ResultRows(job.steps, job.output_every);
  if (row == 0 || rows <= max_job_bytes / row) return absl::OkStatus();
  return WithMetadata(
      Error(absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED",
            absl::StrCat("the outputs of ", rows, " steps with ", row,
                         " bytes each must be at most ", max_job_bytes, " bytes together")),
      "limit", "max_job_bytes");
}

}  // namespace

int64_t ResultRows(int64_t steps, int64_t output_every) { return (steps - 1) / output_every + 1; }

absl::Status CheckJob(const DriveJob& job, const VariableTable& variables,
                      const std::vector<int>& inputs, const Instance::Options& limits) {
  if (auto status = CheckRange("steps", job.steps, limits.max_steps_per_job); !status.ok()) {
    return status;
  }
  if (auto status = CheckRange("output_every", job.output_every, INT64_MAX); !status.ok()) {
    return status;
  }
  for (size_t i = 0; i < job.inputs.size(); ++i) {
    if (auto status = CheckInput(job, i, variables, inputs); !status.ok()) return status;
  }
  return CheckOutputs(job, variables, limits.max_job_bytes);
}

}  // namespace prospero
