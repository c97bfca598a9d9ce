#include "engine/core/errors.h"

#include <map>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace prospero {
namespace {

constexpr absl::string_view kFieldUrl = "prospero/field";
constexpr absl::string_view kReasonUrl = "prospero/reason";
constexpr absl::string_view kMetadataUrl = "prospero/metadata/";

std::string Payload(const absl::Status& status, absl::string_view url) {
  const absl::optional<absl::Cord> payload = status.GetPayload(url);
  return payload.has_value() ? std::string(*payload) : std::string();
}

std::string FieldMessage(absl::string_view path, absl::string_view message) {
  return absl::StrCat(path, ": ", message);
}

}  // namespace

absl::Status InvalidField(absl::string_view path, absl::string_view message) {
  return FieldError(absl::StatusCode::kInvalidArgument, "INVALID_FIELD", path, message);
}

absl::Status FieldError(absl::StatusCode code, absl::string_view reason, absl::string_view path,
                        absl::string_view message) {
  absl::Status status(code, FieldMessage(path, message));
  status.SetPayload(kFieldUrl, absl::Cord(path));
  status.SetPayload(kReasonUrl, absl::Cord(reason));
  return status;
}

absl::Status Error(absl::StatusCode code, absl::string_view reason, absl::string_view message) {
  absl::Status status(code, message);
  status.SetPayload(kReasonUrl, absl::Cord(reason));
  return status;
}

absl::Status WithMetadata(absl::Status status, absl::string_view key, absl::string_view value) {
  status.SetPayload(absl::StrCat(kMetadataUrl, key), absl::Cord(value));
  return status;
}

absl::Status UnderField(absl::Status status, absl::string_view prefix) {
  const std::string old_path = FieldPath(status);
  if (old_path.empty()) return status;
  const std::string path = absl::StrCat(prefix, old_path[0] == '[' ? "" : ".", old_path);
  absl::string_view message = status.message();
  absl::ConsumePrefix(&message, FieldMessage(old_path, ""));
  absl::Status moved(status.code(), FieldMessage(path, message));
  status.ForEachPayload([&moved](absl::string_view url, const absl::Cord& payload) {
    moved.SetPayload(url, payload);
  });
  moved.SetPayload(kFieldUrl, absl::Cord(path));
  return moved;
}

std::string FieldPath(const absl::Status& status) { return Payload(status, kFieldUrl); }

std::string Reason(const absl::Status& status) { return Payload(status, kReasonUrl); }

void VisitMetadata(
    const absl::Status& status,
    const std::function<void(absl::string_view key, absl::string_view value)>& visit) {
  std::map<std::string, std::string> metadata;
  status.ForEachPayload([&metadata](absl::string_view url, const absl::Cord& payload) {
    if (absl::ConsumePrefix(&url, kMetadataUrl)) metadata[std::string(url)] = std::string(payload);
  });
  for (const auto& [key, value] : metadata) visit(key, value);
}

}  // namespace prospero
