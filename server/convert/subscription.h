#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/variable.h"
#include "engine/runtime/observer.h"
#include "prospero/v1/simulation_service.pb.h"

namespace prospero::server {

/// Bytes of the values that one sample of each selection carries.
std::vector<int64_t> SampleBytes(const ObserverSpec& spec, const VariableTable& table);

/// What the subscription asks for. Errors name the field of the message. `capacity` and
/// `retained_bytes` are as given: 0 is not yet what it stands for.
absl::StatusOr<ObserverSpec> FromProto(const v1::Subscription& subscription,
                                       const VariableTable& table);

/// The answer to a subscription.
v1::SubscriptionEvent::Opened MakeOpened(const ObserverSpec& spec, const VariableTable& table,
                                         const Observed::Opened& opened, double dt);

v1::Notice ToProto(const Event& event);
v1::SubscriptionEvent::Gap ToProto(const Gap& gap);

}  // namespace prospero::server
