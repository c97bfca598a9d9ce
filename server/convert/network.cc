#include "server/convert/network.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/core/errors.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "server/convert/status.h"
#include "server/convert/tensor.h"
#include "server/limits.h"

namespace prospero::server {
namespace {

constexpr absl::string_view kCollection = "networks/";
constexpr size_t kMaxIdLength = 63;
constexpr size_t kMaxLabelLength = 63;
constexpr size_t kMaxLabels = 64;

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsLowerOrDigit(char c) { return IsLower(c) || (c >= '0' && c <= '9'); }

bool IsId(absl::string_view id) {
  return !id.empty() && id.size() <= kMaxIdLength && IsLower(id.front()) && id.back() != '-' &&
         std::all_of(id.begin(), id.end(), [](char c) { return IsLowerOrDigit(c) || c == '-'; });
}

bool IsLabelKey(absl::string_view key) {
  return !key.empty() && key.size() <= kMaxLabelLength &&
         std::all_of(key.begin(), key.end(),
                     [](char c) { return IsLowerOrDigit(c) || c == '_' || c == '-'; });
}

void DropValues(v1::Initializer* initializer) {
  if (initializer->has_values()) initializer->mutable_values()->clear_data();
}

v1::Network::State ToProto(RunState state) {
  switch (state) {
    case RunState::kRunning:
      return v1::Network::STATE_RUNNING;
    case RunState::kPaused:
      return v1::Network::STATE_PAUSED;
    case RunState::kFailed:
      return v1::Network::STATE_FAILED;
  }
  return v1::Network::STATE_UNSPECIFIED;
}

}  // namespace

std::string NameOf(absl::string_view id) { return absl::StrCat(kCollection, id); }

absl::StatusOr<std::string> IdOf(absl::string_view name, absl::string_view path) {
  absl::string_view id = name;
  if (!absl::ConsumePrefix(&id, kCollection) || !IsId(id)) {
    return InvalidField(path, absl::StrCat("must be \"networks/{network}\", got \"", name, "\""));
  }
  return std::string(id);
}

absl::Status CheckId(absl::string_view id, absl::string_view path) {
  if (IsId(id)) return absl::OkStatus();
  return InvalidField(path, absl::StrCat("must be 1 to ", kMaxIdLength,
                                         " lower-case letters, digits and -, starting with a "
                                         "letter, not ending with -, got \"",
                                         id, "\""));
}

absl::Status CheckLabels(const google::protobuf::Map<std::string, std::string>& labels,
                         absl::string_view path) {
  if (labels.size() > kMaxLabels) {
    return InvalidField(path,
                        absl::StrCat("must be at most ", kMaxLabels, ", got ", labels.size()));
  }
  for (const auto& [key, value] : labels) {
    const std::string at = absl::StrCat(path, "[\"", key, "\"]");
    if (!IsLabelKey(key)) {
      return InvalidField(at, absl::StrCat("must have a key of 1 to ", kMaxLabelLength,
                                           " lower-case letters, digits, _ and -"));
    }
    if (value.size() > kMaxLabelLength) {
      return InvalidField(
          at, absl::StrCat("must have at most ", kMaxLabelLength, " bytes, got ", value.size()));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<NetworkOptions> ToNetworkOptions(const v1::NetworkSpec& spec,
                                                const NetworkLimits& limits) {
  NetworkOptions options;
  options.dt = spec.dt_ms();
  if (!std::isfinite(options.dt) || options.dt <= 0.0) {
    return InvalidField("dt_ms", absl::StrCat("must be finite and > 0, got ", options.dt));
  }
  const absl::StatusOr<DataType> precision = FromProto(spec.precision(), DataType::kFloat32);
  if (!precision.ok()) {
    return InvalidField("precision", absl::StrCat("must be FLOAT32 or FLOAT64, got ",
                                                  static_cast<int>(spec.precision())));
  }
  options.precision = *precision;
  options.seed = spec.seed();
  if (spec.batch_size() < 0) {
    return InvalidField("batch_size", absl::StrCat("must be >= 0, got ", spec.batch_size()));
  }
  if (spec.batch_size() > limits.max_batch_size) {
    return LimitExceeded("max_batch_size", limits.max_batch_size, spec.batch_size(), "batch_size");
  }
  options.batch_size = spec.batch_size() == 0 ? 1 : spec.batch_size();
  return options;
}

absl::StatusOr<Scopes> FromProto(const google::protobuf::RepeatedField<int>& scopes) {
  if (scopes.empty()) return Scopes();
  Scopes chosen;
  chosen.network.state = chosen.network.weights = chosen.network.noise = chosen.step = false;
  for (int i = 0; i < scopes.size(); ++i) {
    switch (scopes[i]) {
      case v1::RESET_SCOPE_STATE:
        chosen.network.state = true;
        break;
      case v1::RESET_SCOPE_WEIGHTS:
        chosen.network.weights = true;
        break;
      case v1::RESET_SCOPE_NOISE:
        chosen.network.noise = true;
        break;
      case v1::RESET_SCOPE_STEP:
        chosen.step = true;
        break;
      default:
        return InvalidField(absl::StrCat("scopes[", i, "]"),
                            absl::StrCat("is unknown: ", scopes[i]));
    }
  }
  return chosen;
}

v1::Cursor ToProto(const Cursor& cursor) {
  v1::Cursor wire;
  wire.set_epoch(cursor.epoch);
  wire.set_step(cursor.step);
  return wire;
}

v1::Footprint ToProto(const Footprint& footprint) {
  v1::Footprint wire;
  wire.set_neurons(footprint.neurons);
  wire.set_weights(footprint.weights);
  wire.set_bytes(footprint.bytes);
  return wire;
}

void Describe(const InstanceStatus& status, v1::Network* network) {
  *network->mutable_clock() = ToProto(status.clock);
  network->set_learning(status.learning);
  network->set_state(ToProto(status.state));
  *network->mutable_cursor() = ToProto(status.cursor);
  network->set_driven(status.driven);
  network->set_unsafe(status.unsafe);
  network->clear_failure();
  if (status.state == RunState::kFailed) *network->mutable_failure() = ToProto(status.failure);
}

void DropGivenValues(google::protobuf::Message* message) {
  if (message->GetDescriptor() == v1::Initializer::descriptor()) {
    return DropValues(google::protobuf::DynamicCastToGenerated<v1::Initializer>(message));
  }
  const google::protobuf::Reflection& reflection = *message->GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(*message, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      DropGivenValues(reflection.MutableMessage(message, field));
      continue;
    }
    const int count = reflection.FieldSize(*message, field);
    for (int i = 0; i < count; ++i) {
      DropGivenValues(reflection.MutableRepeatedMessage(message, field, i));
    }
  }
}

google::protobuf::RepeatedPtrField<v1::Warning> ToProto(const std::vector<Warning>& warnings,
                                                        absl::string_view path) {
  google::protobuf::RepeatedPtrField<v1::Warning> wire;
  for (const Warning& warning : warnings) {
    v1::Warning& added = *wire.Add();
    added.set_reason(warning.reason);
    if (!warning.path.empty()) added.set_field(absl::StrCat(path, ".", warning.path));
    added.set_message(warning.message);
  }
  return wire;
}

}  // namespace prospero::server
