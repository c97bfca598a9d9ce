#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "prospero/client/array.h"

namespace prospero::client {

using Schemas = std::vector<std::shared_ptr<const v1::VariableSchema>>;

inline Schemas ToSchemas(const google::protobuf::RepeatedPtrField<v1::VariableSchema>& schemas) {
  Schemas result;
  for (const auto& schema : schemas) {
    result.push_back(std::make_shared<const v1::VariableSchema>(schema));
  }
  return result;
}

/// The variable of that name, or the port of the population of that name; null when there is none.
inline const std::shared_ptr<const v1::VariableSchema>* FindPort(const Schemas& inputs,
                                                                 absl::string_view port) {
  for (const absl::string_view suffix : {"", ".target", ".r"}) {
    for (const auto& input : inputs) {
      const absl::string_view name = input->name();
      if (absl::StartsWith(name, port) && name.substr(port.size()) == suffix) return &input;
    }
  }
  return nullptr;
}

/// Moves the bytes of `blocks`, one for each schema and in their order, into arrays. INTERNAL
/// when the server did not keep to that.
inline absl::StatusOr<std::vector<Array>> TakeArrays(
    google::protobuf::RepeatedPtrField<v1::Block>& blocks, const Schemas& schemas) {
  if (static_cast<size_t>(blocks.size()) != schemas.size()) {
    return absl::InternalError(absl::StrCat("the server sent ", blocks.size(), " blocks for ",
                                            schemas.size(), " variables"));
  }
  std::vector<Array> arrays;
  arrays.reserve(schemas.size());
  for (auto& block : blocks) {
    const auto& schema = schemas[arrays.size()];
    if (block.uid() != schema->uid()) {
      return absl::InternalError(absl::StrCat("the server sent variable ", block.uid(),
                                              " in the place of '", schema->name(), "'"));
    }
    arrays.emplace_back(schema, std::move(*block.mutable_data()));
  }
  return arrays;
}

}  // namespace prospero::client
