#include "server/convert/variable.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "engine/runtime/packed.h"
#include "server/convert/field.h"
#include "server/convert/tensor.h"

namespace prospero::server {
namespace {

constexpr absl::string_view kTarget = ".target";
constexpr int kMaxPatterns = 1024;
constexpr size_t kMaxPatternLength = 256;

v1::VariableRole ToProto(Role role) {
  switch (role) {
    case Role::kInput:
      return v1::VARIABLE_ROLE_INPUT;
    case Role::kState:
      return v1::VARIABLE_ROLE_STATE;
    case Role::kWeight:
      return v1::VARIABLE_ROLE_WEIGHT;
    case Role::kParameter:
      return v1::VARIABLE_ROLE_PARAMETER;
    case Role::kSignal:
      return v1::VARIABLE_ROLE_SIGNAL;
  }
  return v1::VARIABLE_ROLE_UNSPECIFIED;
}

/// Bounds the work of matching them.
absl::Status CheckPatterns(const google::protobuf::RepeatedPtrField<std::string>& patterns,
                           absl::string_view path) {
  if (patterns.size() > kMaxPatterns) {
    return InvalidField(path, absl::StrCat("must be at most ", kMaxPatterns,
                                           " names or globs, got ", patterns.size()));
  }
  for (int i = 0; i < patterns.size(); ++i) {
    if (patterns[i].size() <= kMaxPatternLength) continue;
    return InvalidField(Element(path, i), absl::StrCat("must have at most ", kMaxPatternLength,
                                                       " bytes, got ", patterns[i].size()));
  }
  return absl::OkStatus();
}

bool IsGlob(absl::string_view pattern) { return pattern.find_first_of("*?") != pattern.npos; }

/// What stands after the last dot.
absl::string_view LastPart(absl::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == name.npos ? name : name.substr(dot + 1);
}

/// Linear in time for one `*`, and never worse than the product of the lengths.
bool GlobMatches(absl::string_view glob, absl::string_view name) {
  size_t g = 0;
  size_t n = 0;
  size_t star = glob.npos;  // the last * seen, and
  size_t after = 0;         // where the run it stands for ends
  while (n < name.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      after = n;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == name[n])) {
      ++g;
      ++n;
    } else if (star != glob.npos) {
      g = star + 1;
      n = ++after;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

absl::Status Unknown(absl::string_view path, absl::string_view what, absl::string_view name) {
  return FieldError(absl::StatusCode::kInvalidArgument, "UNKNOWN_VARIABLE", path,
                    absl::StrCat("there is no ", what, " '", name, "'"));
}

bool IsPresence(int index, const VariableTable& table) {
  return std::any_of(table.begin(), table.end(),
                     [index](const Variable& other) { return other.presence == index; });
}

}  // namespace

int IndexOf(uint32_t uid, const VariableTable& table) {
  return uid == 0 || uid > static_cast<uint32_t>(table.size()) ? -1 : static_cast<int>(uid) - 1;
}

v1::VariableSchema ToProto(const Variable& variable, int index) {
  v1::VariableSchema schema;
  schema.set_uid(UidOf(index));
  schema.set_name(variable.name);
  schema.set_role(ToProto(variable.role));
  schema.set_data_type(ToProto(variable.type));
  schema.mutable_shape()->Add(variable.shape.begin(), variable.shape.end());
  schema.set_unit(variable.unit);
  schema.set_description(variable.description);
  schema.set_computed(variable.computed());
  if (std::isfinite(variable.minimum)) schema.set_minimum(variable.minimum);
  if (std::isfinite(variable.maximum)) schema.set_maximum(variable.maximum);
  return schema;
}

bool Matches(absl::string_view glob, const Variable& variable) {
  if (variable.computed() && LastPart(glob) != LastPart(variable.name)) return false;
  return GlobMatches(glob, variable.name);
}

absl::StatusOr<std::vector<int>> FindVariables(
    const google::protobuf::RepeatedPtrField<std::string>& patterns, const VariableTable& table,
    absl::string_view path) {
  if (absl::Status status = CheckPatterns(patterns, path); !status.ok()) return status;
  std::vector<int> found;
  std::vector<bool> taken(static_cast<size_t>(table.size()), false);
  const auto take = [&found, &taken](int index) {
    if (!taken[static_cast<size_t>(index)]) found.push_back(index);
    taken[static_cast<size_t>(index)] = true;
  };
  for (int i = 0; i < patterns.size(); ++i) {
    const std::string& pattern = patterns[i];
    bool matched = false;
    if (!IsGlob(pattern)) {
      const int index = table.Find(pattern);
      matched = index >= 0;
      if (matched) take(index);
    } else {
      for (int index = 0; index < table.size(); ++index) {
        if (!Matches(pattern, table[index])) continue;
        matched = true;
        take(index);
      }
    }
    if (!matched) return Unknown(Element(path, i), "variable", pattern);
  }
  return found;
}

absl::StatusOr<int> FindInput(absl::string_view name, const VariableTable& table,
                              absl::string_view path) {
  for (const absl::string_view suffix : {"", ".r", ".target"}) {
    const int index = table.Find(absl::StrCat(name, suffix));
    if (index < 0 || table[index].role != Role::kInput || IsPresence(index, table)) continue;
    return index;
  }
  return Unknown(path, "input variable or port", name);
}

std::vector<int> AllInputs(const VariableTable& table) {
  std::vector<bool> presence(static_cast<size_t>(table.size()), false);
  for (const Variable& variable : table) {
    if (variable.presence >= 0) presence[static_cast<size_t>(variable.presence)] = true;
  }
  std::vector<int> inputs;
  for (int i = 0; i < table.size(); ++i) {
    if (table[i].role == Role::kInput && !presence[static_cast<size_t>(i)]) inputs.push_back(i);
  }
  return inputs;
}

std::vector<int> DefaultOutputs(const VariableTable& table) {
  std::vector<int> outputs;
  for (const Variable& variable : table) {
    const absl::string_view name = variable.name;
    if (name.size() <= kTarget.size() || !absl::EndsWith(name, kTarget)) continue;
    const absl::string_view population = name.substr(0, name.size() - kTarget.size());
    const int rates = table.Find(absl::StrCat(population, ".r"));
    if (rates >= 0) outputs.push_back(rates);
  }
  return outputs;
}

absl::StatusOr<Assignment> ToAssignment(absl::string_view name, const v1::Tensor& tensor,
                                        const VariableTable& table, absl::string_view path) {
  const int index = table.Find(name);
  if (index < 0) return Unknown(path, "variable", name);
  const Variable& variable = table[index];
  const bool settable = variable.role == Role::kParameter || variable.role == Role::kInput ||
                        variable.role == Role::kWeight;
  if (!settable) return InvalidField(path, "is not a parameter, an input or a weight");
  const bool scalar = tensor.shape().empty();
  if (!scalar && !std::equal(tensor.shape().begin(), tensor.shape().end(), variable.shape.begin(),
                             variable.shape.end())) {
    const std::vector<int64_t> given(tensor.shape().begin(), tensor.shape().end());
    return InvalidField(absl::StrCat(path, ".shape"),
                        absl::StrCat("must be ", ShapeToString(variable.shape),
                                     " or that of a scalar, got ", ShapeToString(given)));
  }
  absl::StatusOr<std::string> values = Pack(tensor, variable.type);
  if (!values.ok()) return UnderField(values.status(), path);
  absl::Status allowed =
      CheckValues(variable, *values, [path] { return absl::StrCat(path, ".data"); });
  if (!allowed.ok()) return allowed;
  return Assignment{index, *std::move(values)};
}

}  // namespace prospero::server
