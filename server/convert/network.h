#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/network.h"
#include "engine/runtime/instance.h"
#include "google/protobuf/message.h"
#include "prospero/v1/network.pb.h"
#include "prospero/v1/network_service.pb.h"

namespace prospero::server {

/// "networks/{id}".
std::string NameOf(absl::string_view id);

/// The id of a resource name. kInvalidArgument, naming `path`, when it is not one.
absl::StatusOr<std::string> IdOf(absl::string_view name, absl::string_view path);

/// kInvalidArgument, naming `path`, unless the id is as CreateNetworkRequest.network_id says.
absl::Status CheckId(absl::string_view id, absl::string_view path);

/// kInvalidArgument, naming `path`, unless the labels are as Network.labels says.
absl::Status CheckLabels(const google::protobuf::Map<std::string, std::string>& labels,
                         absl::string_view path);

/// What every kind of network is made with. Errors name the field of the spec.
absl::StatusOr<NetworkOptions> ToNetworkOptions(const v1::NetworkSpec& spec,
                                                const NetworkLimits& limits);

/// Errors name the field of the clock.
absl::StatusOr<ClockSpec> FromProto(const v1::Clock& clock);
v1::Clock ToProto(const ClockSpec& clock);

/// What ResetNetworkRequest.scopes stands for; all of them when it is empty.
struct Scopes {
  ResetScopes network;
  bool step = true;
};
/// kInvalidArgument, naming "scopes[i]", for one that is unknown.
absl::StatusOr<Scopes> FromProto(const google::protobuf::RepeatedField<int>& scopes);

v1::Cursor ToProto(const Cursor& cursor);
v1::Footprint ToProto(const Footprint& footprint);

/// What an instance says of itself, into the fields of its resource.
void Describe(const InstanceStatus& status, v1::Network* network);

/// What was found when a network was made; `path` leads to where the warnings' paths start
/// ("spec.gle").
google::protobuf::RepeatedPtrField<v1::Warning> ToProto(const std::vector<Warning>& warnings,
                                                        absl::string_view path);

/// Takes the values out of every given initializer, whatever the message.
void DropGivenValues(google::protobuf::Message* message);

}  // namespace prospero::server
