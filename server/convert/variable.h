#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/variable.h"
#include "engine/runtime/instance.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "prospero/v1/tensor.pb.h"

namespace prospero::server {

/// The uid of the variable with this index in its table; never 0.
constexpr uint32_t UidOf(int index) { return static_cast<uint32_t>(index) + 1; }

/// -1 when the table has no such variable.
int IndexOf(uint32_t uid, const VariableTable& table);

v1::VariableSchema ToProto(const Variable& variable, int index);

/// Whether the glob (`*` any run, `?` any character) names the variable. A glob matches a
/// computed variable only if its last part (after the last dot) is that of the variable,
/// without wildcards.
bool Matches(absl::string_view glob, const Variable& variable);

/// The variables that `patterns` (names or globs) stand for, in that order, each one once.
/// kInvalidArgument (UNKNOWN_VARIABLE), naming "<path>[i]", for a pattern that matches none.
absl::StatusOr<std::vector<int>> FindVariables(
    const google::protobuf::RepeatedPtrField<std::string>& patterns, const VariableTable& table,
    absl::string_view path);

/// The input variable of that name; the name of a population stands for its port,
/// `<population>.r` or else `<population>.target`. kInvalidArgument (UNKNOWN_VARIABLE), naming
/// `path`, when there is none.
absl::StatusOr<int> FindInput(absl::string_view name, const VariableTable& table,
                              absl::string_view path);

/// Every variable a driver may write: all inputs but those that only say whether another one
/// is present, which follow from the frames.
std::vector<int> AllInputs(const VariableTable& table);

/// The rates of the output populations: `<p>.r` of every p that has a `<p>.target`.
std::vector<int> DefaultOutputs(const VariableTable& table);

/// The new value of a variable of role parameter, input or weight. A scalar fills the whole
/// array. Errors name `path`, or the tensor's field under it.
absl::StatusOr<Assignment> ToAssignment(absl::string_view name, const v1::Tensor& tensor,
                                        const VariableTable& table, absl::string_view path);

}  // namespace prospero::server
