#include "server/convert/snapshot.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/convert/field.h"
#include "server/convert/network.h"

namespace prospero::server {
namespace {

constexpr absl::string_view kCollection = "/snapshots/";
constexpr size_t kMaxDescription = 1024;  // [bytes]
constexpr int32_t kDefaultKeep = 10;

}  // namespace

std::string SnapshotName(absl::string_view network, absl::string_view snapshot) {
  return absl::StrCat(NameOf(network), kCollection, snapshot);
}

absl::StatusOr<SnapshotIds> SnapshotIdsOf(absl::string_view name, absl::string_view path) {
  const size_t at = name.find(kCollection);
  if (at != absl::string_view::npos) {
    const absl::StatusOr<std::string> network = IdOf(name.substr(0, at), path);
    const absl::string_view snapshot = name.substr(at + kCollection.size());
    if (network.ok() && CheckId(snapshot, path).ok()) {
      return SnapshotIds{*network, std::string(snapshot)};
    }
  }
  return InvalidField(path, absl::StrCat("must be \"networks/{network}/snapshots/{snapshot}\", "
                                         "got \"",
                                         name, "\""));
}

absl::string_view NetworkPart(absl::string_view snapshot_name) {
  return snapshot_name.substr(0, snapshot_name.find(kCollection));
}

absl::Status CheckDescription(absl::string_view description, absl::string_view path) {
  if (description.size() <= kMaxDescription) return absl::OkStatus();
  return InvalidField(path, absl::StrCat("must have at most ", kMaxDescription, " bytes, got ",
                                         description.size()));
}

absl::StatusOr<absl::Duration> ReadTtl(const google::protobuf::Duration& ttl,
                                       absl::string_view path) {
  constexpr absl::Duration kMaxTtl = absl::Hours(100 * 366 * 24);
  const absl::StatusOr<absl::Duration> time = NonNegative(ttl, path);
  if (!time.ok()) return time.status();
  if (*time > absl::ZeroDuration() && *time <= kMaxTtl) return *time;
  return InvalidField(path, absl::StrCat("must be > 0 and at most a hundred years, got ",
                                         absl::FormatDuration(*time)));
}

absl::StatusOr<absl::optional<SnapshotRhythm>> FromProto(const v1::SnapshotPolicy& policy,
                                                         int32_t max_keep) {
  constexpr absl::Duration kLeast = absl::Seconds(1);
  constexpr absl::Duration kMost = absl::Hours(365 * 24);
  if (policy.keep() < 0 || policy.keep() > max_keep) {
    return InvalidField("keep",
                        absl::StrCat("must be from 0 to ", max_keep, ", got ", policy.keep()));
  }
  if (!policy.has_every()) return absl::optional<SnapshotRhythm>();
  const absl::StatusOr<absl::Duration> every = NonNegative(policy.every(), "every");
  if (!every.ok()) return every.status();
  if (*every < kLeast || *every > kMost) {
    return InvalidField(
        "every", absl::StrCat("must be from 1 s to 365 days, got ", absl::FormatDuration(*every)));
  }
  SnapshotRhythm rhythm;
  rhythm.every = *every;
  rhythm.keep = policy.keep() == 0 ? std::min(kDefaultKeep, max_keep) : policy.keep();
  return absl::optional<SnapshotRhythm>(rhythm);
}

}  // namespace prospero::server
