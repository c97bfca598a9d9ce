#include "server/record.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/core/errors.h"
#include "server/convert/field.h"
#include "server/convert/network.h"

namespace prospero::server {
namespace {

v1::NetworkSpec WithoutGivenValues(v1::NetworkSpec spec) {
  DropGivenValues(&spec);
  return spec;
}

}  // namespace

Record::Record(Parts parts)
    : parts_(std::move(parts)),
      summary_(WithoutGivenValues(parts_.spec)),
      labels_(parts_.labels),
      safety_(parts_.safety),
      update_time_(parts_.create_time) {}

Labels Record::labels() const {
  MutexLock lock(mu_);
  return labels_;
}

absl::optional<v1::Safety> Record::safety() const {
  MutexLock lock(mu_);
  return safety_;
}

v1::Network Record::Describe() const {
  v1::Network network = Outline();
  *network.mutable_spec() = parts_.spec;
  return network;
}

v1::Network Record::Summarize() const {
  v1::Network network = Outline();
  *network.mutable_spec() = summary_;
  return network;
}

v1::Network Record::Outline() const {
  v1::Network network;
  server::Describe(parts_.instance->status(), &network);
  network.set_name(NameOf(parts_.id));
  network.set_uid(parts_.uid);
  *network.mutable_create_time() = ToProto(parts_.create_time);
  *network.mutable_warnings() = parts_.warnings;
  *network.mutable_footprint() = parts_.footprint;
  MutexLock lock(mu_);
  *network.mutable_labels() = labels_;
  if (safety_.has_value()) *network.mutable_safety() = *safety_;
  network.set_etag(Etag());
  *network.mutable_update_time() = ToProto(update_time_);
  return network;
}

std::string Record::Etag() const { return absl::StrCat(parts_.uid.substr(0, 8), "-", version_); }

absl::Status Record::CheckCurrent(absl::string_view etag) const {
  MutexLock lock(mu_);
  if (deleted_) return NetworkNotFound(parts_.id);
  if (etag.empty() || etag == Etag()) return absl::OkStatus();
  return WithMetadata(Error(absl::StatusCode::kAborted, "ETAG_MISMATCH",
                            absl::StrCat("the network has changed: its etag is \"", Etag(),
                                         "\", got \"", etag, "\"")),
                      "etag", Etag());
}

void Record::SetLabels(const Labels& labels) {
  MutexLock lock(mu_);
  labels_ = labels;
  update_time_ = absl::Now();
  ++version_;
}

void Record::SetSafety(const absl::optional<v1::Safety>& safety) {
  MutexLock lock(mu_);
  safety_ = safety;
  update_time_ = absl::Now();
  ++version_;
}

void Record::Touch() {
  MutexLock lock(mu_);
  update_time_ = absl::Now();
  ++version_;
}

void Record::MarkDeleted() {
  MutexLock lock(mu_);
  deleted_ = true;
}

absl::Status NetworkNotFound(absl::string_view id) {
  return WithMetadata(Error(absl::StatusCode::kNotFound, "NETWORK_NOT_FOUND",
                            absl::StrCat("there is no network \"", NameOf(id), "\"")),
                      "network", NameOf(id));
}

}  // namespace prospero::server
