#include "server/convert/safety.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/convert/field_reader.h"
#include "server/convert/tensor.h"
#include "server/convert/variable.h"

namespace prospero::server {
namespace {

Fallback ReadFallback(v1::Safety::Fallback fallback, FieldReader& read) {
  return read.OneOf<Fallback>(fallback, "fallback",
                              {{v1::Safety::FALLBACK_UNSPECIFIED, Fallback::kHold},
                               {v1::Safety::FALLBACK_HOLD, Fallback::kHold},
                               {v1::Safety::FALLBACK_ZERO, Fallback::kZero},
                               {v1::Safety::FALLBACK_FAIL_SAFE, Fallback::kFailSafe}});
}

/// A shape without its first dimension, the batch.
std::vector<int64_t> OfOneTrial(const std::vector<int64_t>& shape) {
  return shape.empty() ? shape : std::vector<int64_t>(shape.begin() + 1, shape.end());
}

/// The values of `fail_safe`, which is there exactly with FAIL_SAFE.
template <class Part>
absl::StatusOr<std::string> ReadFailSafe(const Part& part, Fallback fallback,
                                         const Variable& variable) {
  constexpr absl::string_view kField = "fail_safe";
  if (fallback != Fallback::kFailSafe) {
    if (!part.has_fail_safe()) return std::string();
    return InvalidField(kField, "must not be set, unless the fallback is FAIL_SAFE");
  }
  if (!part.has_fail_safe()) return InvalidField(kField, "must be set with FAIL_SAFE");
  const v1::Tensor& tensor = part.fail_safe();
  const std::vector<int64_t> given(tensor.shape().begin(), tensor.shape().end());
  const std::vector<int64_t> trial = OfOneTrial(variable.shape);
  if (!given.empty() && given != variable.shape && given != trial) {
    return InvalidField(
        absl::StrCat(kField, ".shape"),
        absl::StrCat("must be ", ShapeToString(variable.shape), ", ", ShapeToString(trial),
                     " for all trials, or that of a scalar, got ", ShapeToString(given)));
  }
  absl::StatusOr<std::string> values = Pack(tensor, variable.type);
  if (!values.ok()) return UnderField(values.status(), kField);
  if (given.empty() || given == variable.shape) return values;
  std::string all;
  for (int64_t i = 0; i < variable.shape.front(); ++i) all += *values;
  return all;
}

absl::StatusOr<SafetySpec::Input> FromProto(const v1::Safety::Input& wire,
                                            const VariableTable& table) {
  FieldReader read;
  SafetySpec::Input input;
  input.input = read.Take(FindInput(wire.input(), table, "input"));
  read.Refuse(!wire.has_timeout(), "timeout", "must be set");
  const auto timeout = read.Take(NonNegative(wire.timeout(), "timeout"));
  input.timeout = absl::ToChronoNanoseconds(timeout);
  input.fallback = ReadFallback(wire.fallback(), read);
  if (!read.status().ok()) return read.status();
  input.fail_safe = read.Take(ReadFailSafe(wire, input.fallback, table[input.input]));
  if (!read.status().ok()) return read.status();
  return input;
}

absl::StatusOr<SafetySpec::Output> FromProto(const v1::Safety::Output& wire,
                                             const VariableTable& table) {
  constexpr absl::string_view kSuffix = ".command";
  FieldReader read;
  SafetySpec::Output output;
  output.command =
      table.Find(absl::EndsWith(wire.output(), kSuffix) ? wire.output()
                                                        : absl::StrCat(wire.output(), kSuffix));
  if (output.command < 0) {
    return FieldError(absl::StatusCode::kInvalidArgument, "UNKNOWN_VARIABLE", "output",
                      absl::StrCat("there is no output population '", wire.output(), "'"));
  }
  output.fallback = ReadFallback(wire.fallback(), read);
  if (!read.status().ok()) return read.status();
  output.fail_safe = read.Take(ReadFailSafe(wire, output.fallback, table[output.command]));
  if (!read.status().ok()) return read.status();
  return output;
}

}  // namespace

absl::StatusOr<SafetySpec> FromProto(const v1::Safety& safety, const VariableTable& table) {
  SafetySpec spec;
  // More cannot all be different: refused before any is read.
  if (std::max(safety.inputs_size(), safety.outputs_size()) > table.size()) {
    return InvalidField(safety.inputs_size() > table.size() ? "inputs" : "outputs",
                        absl::StrCat("must be at most ", table.size()));
  }
  for (int i = 0; i < safety.inputs_size(); ++i) {
    auto input = FromProto(safety.inputs(i), table);
    if (!input.ok()) return UnderField(input.status(), Element("inputs", i));
    spec.inputs.push_back(*std::move(input));
  }
  for (int i = 0; i < safety.outputs_size(); ++i) {
    auto output = FromProto(safety.outputs(i), table);
    if (!output.ok()) return UnderField(output.status(), Element("outputs", i));
    spec.outputs.push_back(*std::move(output));
  }
  spec.keep_learning = safety.keep_learning();
  if (safety.has_driver_timeout()) {
    const auto timeout = NonNegative(safety.driver_timeout(), "driver_timeout");
    if (!timeout.ok()) return timeout.status();
    spec.driver_timeout = absl::ToChronoNanoseconds(*timeout);
  }
  if (absl::Status status = CheckSafety(spec, table); !status.ok()) return status;
  return spec;
}

}  // namespace prospero::server
