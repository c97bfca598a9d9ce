#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/network.h"
#include "engine/runtime/instance.h"
#include "prospero/v1/network.pb.h"
#include "server/host.h"

namespace prospero::server {

/// A network that has been checked and whose memory is set aside, but that is not made yet.
struct Blueprint {
  const ModelKind* kind = nullptr;
  v1::NetworkSpec spec;
  NetworkOptions options;
  Footprint footprint;
  ClockSpec clock;
  Labels labels;
  absl::optional<v1::Safety> safety;  ///< checked only when the network is there: see Protect
  v1::Durability durability = v1::DURABILITY_NONE;
  absl::optional<v1::SnapshotPolicy> snapshot_policy;
  Budget::Reservation memory;  ///< of the network and its spec
};

/// Checks a spec. Errors name the field of the spec; kResourceExhausted (LIMIT_EXCEEDED) names
/// the limit.
absl::StatusOr<Blueprint> Draw(Host& host, const v1::NetworkSpec& spec);

/// An id of the server's choice.
std::string ChooseId();

/// Makes the network, with its clock unless that is REALTIME: StartClock asks for it. It takes time
/// and must not run on gRPC's threads. kResourceExhausted (OUT_OF_MEMORY) when the machine has no
/// memory left. Whoever does not publish the record must end its instance.
absl::StatusOr<std::shared_ptr<Record>> Build(Host& host, Blueprint blueprint,
                                              absl::string_view id);

/// As Build, of a network that is brought back, stands still and has no clock or safety yet. `loss`
/// as Instance::Recover; after it `told` says what the record tells of its recovery.
absl::StatusOr<std::shared_ptr<Record>> Rebuild(Host& host, Blueprint blueprint,
                                                const store::StoredNetwork& row,
                                                const Origin& origin,
                                                std::shared_ptr<Keeper> keeper, absl::Status* loss,
                                                const std::function<v1::Recovery()>& told);

/// Lets the network's safety, as its record has it, hold from now on. Errors name the field of
/// `safety`.
void Protect(const Record& record, Instance::Done<Cursor> done);

/// Ends the instance of a record that will not be published, on a thread that may wait.
void Discard(Host& host, const std::shared_ptr<Record>& record);

/// Sets memory aside for what a network must be kept in while it is rehearsed, if setting this
/// clock needs that. kResourceExhausted as Budget::Reserve.
absl::StatusOr<Budget::Reservation> ReserveRehearsal(Host& host, const Record& record,
                                                     const ClockSpec& clock);

/// Gives a network that was just built its clock, and then calls `done`, on any thread. When it is
/// refused, the network is ended.
void StartClock(Host& host, const std::shared_ptr<Record>& record, const ClockSpec& clock,
                std::function<void(const absl::Status&)> done);

/// Lets the network be found from now on.
void Publish(const Host& host, Catalog::Claim& claim, const std::shared_ptr<Record>& record);

}  // namespace prospero::server
