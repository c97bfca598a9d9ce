#include "server/convert/status.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "engine/core/errors.h"
#include "google/rpc/error_details.pb.h"

namespace prospero::server {
namespace {

constexpr size_t kMaxMessage = 1024;  // [bytes]
constexpr size_t kMaxMetadata = 256;  // [bytes], of one value
constexpr int kMaxMetadataPairs = 16;

/// The first bytes of a text, never cut inside a UTF-8 character.
std::string Clip(absl::string_view text, size_t size) {
  if (text.size() <= size) return std::string(text);
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
  return std::string(text.substr(0, size)) + "...";
}

std::string ReasonOf(const absl::Status& status) {
  std::string reason = Reason(status);
  return reason.empty() ? absl::StatusCodeToString(status.code()) : reason;
}

}  // namespace

google::rpc::Status ToProto(const absl::Status& status) {
  google::rpc::Status wire;
  wire.set_code(static_cast<int>(status.code()));
  if (status.ok()) return wire;
  wire.set_message(Clip(status.message(), kMaxMessage));

  google::rpc::ErrorInfo info;
  info.set_reason(ReasonOf(status));
  info.set_domain("prospero");
  VisitMetadata(status, [&info](absl::string_view key, absl::string_view value) {
    if (info.metadata_size() < kMaxMetadataPairs) {
      (*info.mutable_metadata())[std::string(key)] = Clip(value, kMaxMetadata);
    }
  });
  wire.add_details()->PackFrom(info);

  if (const std::string path = FieldPath(status); !path.empty()) {
    google::rpc::BadRequest bad_request;
    auto* violation = bad_request.add_field_violations();
    violation->set_field(Clip(path, kMaxMetadata));
    absl::string_view what = wire.message();
    absl::ConsumePrefix(&what, absl::StrCat(path, ": "));
    violation->set_description(std::string(what));
    wire.add_details()->PackFrom(bad_request);
  }
  return wire;
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const google::rpc::Status wire = ToProto(status);
  return {static_cast<grpc::StatusCode>(wire.code()), wire.message(), wire.SerializeAsString()};
}

}  // namespace prospero::server
