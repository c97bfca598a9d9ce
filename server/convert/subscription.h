#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "engine/core/variable.h"
#include "engine/runtime/observer.h"
#include "prospero/v1/simulation_service.pb.h"

namespace prospero::server {

/// Bytes of the largest sample that a selection of `spec` takes of a network with this table.
int64_t LargestSample(const ObserverSpec& spec, const VariableTable& table);

/// What the subscription selects. Errors name the field of the message: kInvalidArgument for a
/// wrong one, kUnimplemented for a reserved one. `capacity` is `max_pending` as given.
absl::StatusOr<ObserverSpec> FromProto(const v1::Subscription& subscription,
                                       const VariableTable& table);

/// The answer to a subscription.
v1::SubscriptionEvent::Opened MakeOpened(const ObserverSpec& spec, const VariableTable& table,
                                         const Cursor& cursor, double dt);

v1::Notice ToProto(const Event& event);
v1::SubscriptionEvent::Gap ToProto(const Gap& gap);
/// Moves the values. `spec` is what the sample was taken with.
v1::SubscriptionEvent::Sample ToProto(ObservedSample&& sample, const ObserverSpec& spec);

}  // namespace prospero::server
