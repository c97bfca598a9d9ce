#include "server/convert/drive.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/convert/field.h"
#include "server/convert/network.h"
#include "server/convert/status.h"
#include "server/convert/tensor.h"
#include "server/convert/variable.h"
#include "server/limits.h"

namespace prospero::server {
namespace {

bool Contains(const std::vector<int>& variables, int index) {
  return std::find(variables.begin(), variables.end(), index) != variables.end();
}

/// kInvalidArgument, naming `path`, unless `given` bytes are one row or one for each step.
absl::Status CheckRows(int64_t given, int64_t steps, const Variable& variable,
                       absl::string_view path) {
  const int64_t row = variable.bytes();
  if (given == row || (given % row == 0 && given / row == steps)) return absl::OkStatus();
  return InvalidField(path, absl::StrCat("must have ", row, " bytes, or ", row, " for each of the ",
                                         steps, " steps, got ", given));
}

absl::Status CheckBlock(const v1::Block& block, const Ports& ports, const VariableTable& table,
                        int64_t steps, absl::string_view path) {
  const int index = IndexOf(block.uid(), table);
  if (index < 0) {
    return FieldError(absl::StatusCode::kInvalidArgument, "UNKNOWN_VARIABLE",
                      absl::StrCat(path, ".uid"),
                      absl::StrCat("there is no variable with uid ", block.uid()));
  }
  if (!Contains(ports.inputs, index)) {
    return InvalidField(absl::StrCat(path, ".uid"),
                        absl::StrCat("'", table[index].name, "' is not an attached input"));
  }
  return CheckRows(static_cast<int64_t>(block.data().size()), steps, table[index],
                   absl::StrCat(path, ".data"));
}

/// Whether the answer will fit into a message.
absl::Status CheckAnswer(const Pace& pace, const std::vector<int>& outputs,
                         const VariableTable& table, const Limits& limits) {
  int64_t row = 0;
  for (const int index : outputs) row += table[index].bytes();
  const int64_t rows = (pace.steps - 1) / pace.output_every + 1;
  if (row == 0 || rows <= limits.max_payload_bytes() / row) return absl::OkStatus();
  return LimitExceeded("max_message_bytes", limits.max_message_bytes,
                       row > std::numeric_limits<int64_t>::max() / rows
                           ? std::numeric_limits<int64_t>::max()
                           : rows * row);
}

void SetPace(const Pace& pace, DriveJob* job) {
  job->steps = pace.steps;
  job->output_every = pace.output_every;
  job->at_step = pace.at_step;
}

/// The rows of a tensor given for one variable.
absl::StatusOr<std::string> RowsOf(const v1::Tensor& tensor, int64_t steps,
                                   const Variable& variable) {
  std::vector<int64_t> rows = {steps};
  rows.insert(rows.end(), variable.shape.begin(), variable.shape.end());
  const std::vector<int64_t> given(tensor.shape().begin(), tensor.shape().end());
  if (given != variable.shape && given != rows) {
    return InvalidField("shape", absl::StrCat("must be ", ShapeToString(variable.shape), " or ",
                                              ShapeToString(rows), ", got ", ShapeToString(given)));
  }
  return Pack(tensor, variable.type);
}

absl::Status FillInputs(const v1::StepRequest& request, const VariableTable& table, DriveJob* job) {
  job->inputs.clear();
  for (const auto& [name, tensor] : request.inputs()) {
    const std::string path = absl::StrCat("inputs[\"", name, "\"]");
    const absl::StatusOr<int> index = FindInput(name, table, path);
    if (!index.ok()) return index.status();
    for (const InputBlock& other : job->inputs) {
      if (other.variable == *index) return InvalidField(path, "is given twice");
    }
    absl::StatusOr<std::string> values = RowsOf(tensor, job->steps, table[*index]);
    if (!values.ok()) return UnderField(values.status(), path);
    job->inputs.push_back(InputBlock{*index, *std::move(values)});
  }
  return absl::OkStatus();
}

/// Number of rows that the job returned.
int64_t ReturnedRows(const DriveJob& job) {
  return (job.steps_done + job.output_every - 1) / job.output_every;
}

}  // namespace

absl::StatusOr<Ports> ResolvePorts(const v1::DriveAttach& attach, const VariableTable& table) {
  Ports ports;
  if (attach.inputs_size() > table.size()) {
    return InvalidField(
        "inputs", absl::StrCat("must be at most ", table.size(), ", got ", attach.inputs_size()));
  }
  for (int i = 0; i < attach.inputs_size(); ++i) {
    const std::string path = Element("inputs", i);
    const absl::StatusOr<int> index = FindInput(attach.inputs(i), table, path);
    if (!index.ok()) return index.status();
    if (Contains(ports.inputs, *index)) return InvalidField(path, "is given twice");
    ports.inputs.push_back(*index);
  }
  if (attach.inputs().empty()) ports.inputs = AllInputs(table);
  absl::StatusOr<std::vector<int>> outputs = FindVariables(attach.outputs(), table, "outputs");
  if (!outputs.ok()) return outputs.status();
  ports.outputs = attach.outputs().empty() ? DefaultOutputs(table) : *std::move(outputs);
  return ports;
}

absl::StatusOr<Pace> ToPace(int64_t steps, int64_t output_every, absl::optional<int64_t> at_step,
                            int64_t max_steps) {
  if (steps < 0) return InvalidField("steps", absl::StrCat("must be >= 0, got ", steps));
  if (steps > max_steps) {
    return LimitExceeded("max_steps_per_advance", max_steps, steps, "steps");
  }
  if (output_every < 0) {
    return InvalidField("output_every", absl::StrCat("must be >= 0, got ", output_every));
  }
  if (at_step.has_value() && *at_step < 0) {
    return InvalidField("at_step", absl::StrCat("must be >= 0, got ", *at_step));
  }
  return Pace{std::max<int64_t>(steps, 1), std::max<int64_t>(output_every, 1), at_step};
}

absl::Status FillJob(v1::DriveAdvance* advance, const Ports& ports, const VariableTable& table,
                     const Limits& limits, DriveJob* job) {
  const absl::StatusOr<Pace> pace =
      ToPace(advance->steps(), advance->output_every(),
             advance->has_at_step() ? absl::optional<int64_t>(advance->at_step()) : absl::nullopt,
             limits.max_steps_per_advance);
  if (!pace.ok()) return pace.status();
  if (advance->inputs_size() > static_cast<int>(ports.inputs.size())) {
    return InvalidField("inputs", absl::StrCat("must be at most ", ports.inputs.size(),
                                               " blocks, got ", advance->inputs_size()));
  }
  for (int i = 0; i < advance->inputs_size(); ++i) {
    const std::string path = Element("inputs", i);
    absl::Status status = CheckBlock(advance->inputs(i), ports, table, pace->steps, path);
    if (!status.ok()) return status;
    for (int j = 0; j < i; ++j) {
      if (advance->inputs(i).uid() != advance->inputs(j).uid()) continue;
      return InvalidField(absl::StrCat(path, ".uid"), "is given twice");
    }
  }
  absl::Status fits = CheckAnswer(*pace, ports.outputs, table, limits);
  if (!fits.ok()) return fits;
  SetPace(*pace, job);
  job->outputs = ports.outputs;
  job->inputs.resize(static_cast<size_t>(advance->inputs_size()));
  for (int i = 0; i < advance->inputs_size(); ++i) {
    InputBlock& input = job->inputs[static_cast<size_t>(i)];
    input.variable = IndexOf(advance->inputs(i).uid(), table);
    input.values.swap(*advance->mutable_inputs(i)->mutable_data());
  }
  return absl::OkStatus();
}

void FillResponse(uint64_t tag, DriveJob* job, v1::DriveResponse* response) {
  if (!job->status.ok()) {
    v1::DriveError* error = response->mutable_error();
    error->set_tag(tag);
    *error->mutable_cursor() = ToProto(job->cursor);
    *error->mutable_status() = ToProto(job->status);
    return;
  }
  v1::DriveAdvanced* advanced = response->mutable_advanced();
  advanced->set_tag(tag);
  advanced->mutable_cursor()->set_epoch(job->cursor.epoch);
  advanced->mutable_cursor()->set_step(job->cursor.step);
  advanced->set_steps(job->steps_done);
  while (advanced->outputs_size() < static_cast<int>(job->outputs.size())) advanced->add_outputs();
  for (size_t i = 0; i < job->outputs.size(); ++i) {
    v1::Block* block = advanced->mutable_outputs(static_cast<int>(i));
    block->set_uid(UidOf(job->outputs[i]));
    block->mutable_data()->swap(job->results[i]);
  }
  advanced->clear_loss();
  if (job->loss_steps > 0) {
    advanced->set_loss(job->loss_sum / static_cast<double>(job->loss_steps));
  }
  advanced->set_queued_ns(job->queued_ns);
  advanced->set_stepping_ns(job->stepping_ns);
}

absl::Status FillJob(const v1::StepRequest& request, const VariableTable& table,
                     const Limits& limits, DriveJob* job) {
  const absl::StatusOr<Pace> pace =
      ToPace(request.steps(), request.output_every(),
             request.has_at_step() ? absl::optional<int64_t>(request.at_step()) : absl::nullopt,
             limits.max_steps_per_advance);
  if (!pace.ok()) return pace.status();
  SetPace(*pace, job);
  if (absl::Status status = FillInputs(request, table, job); !status.ok()) return status;
  absl::StatusOr<std::vector<int>> outputs = FindVariables(request.outputs(), table, "outputs");
  if (!outputs.ok()) return outputs.status();
  job->outputs = request.outputs().empty() ? DefaultOutputs(table) : *std::move(outputs);
  return CheckAnswer(*pace, job->outputs, table, limits);
}

void FillResponse(const VariableTable& table, DriveJob* job, v1::StepResponse* response) {
  *response->mutable_cursor() = ToProto(job->cursor);
  for (size_t i = 0; i < job->outputs.size(); ++i) {
    const Variable& variable = table[job->outputs[i]];
    std::vector<int64_t> shape = {ReturnedRows(*job)};
    shape.insert(shape.end(), variable.shape.begin(), variable.shape.end());
    (*response->mutable_outputs())[variable.name] =
        MakeTensor(variable.type, std::move(shape), std::move(job->results[i]));
  }
  if (job->loss_steps > 0) response->set_loss(job->loss_sum / static_cast<double>(job->loss_steps));
}

}  // namespace prospero::server
