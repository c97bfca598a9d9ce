#include "prospero/client/error.h"

#include "absl/strings/cord.h"
#include "google/rpc/error_details.pb.h"

namespace prospero::client {
namespace {

/// The payload of that type, empty when there is none.
template <class Message>
Message Detail(const absl::Status& status) {
  Message message;
  const auto payload = status.GetPayload("type.googleapis.com/" + message.GetTypeName());
  if (!payload.has_value() || !message.ParseFromString(std::string(*payload))) message.Clear();
  return message;
}

}  // namespace

std::string Reason(const absl::Status& status) {
  return Detail<google::rpc::ErrorInfo>(status).reason();
}

std::map<std::string, std::string> Metadata(const absl::Status& status) {
  const auto info = Detail<google::rpc::ErrorInfo>(status);
  return {info.metadata().begin(), info.metadata().end()};
}

std::vector<FieldViolation> FieldViolations(const absl::Status& status) {
  std::vector<FieldViolation> result;
  const auto bad_request = Detail<google::rpc::BadRequest>(status);
  for (const auto& violation : bad_request.field_violations()) {
    result.push_back({violation.field(), violation.description()});
  }
  return result;
}

}  // namespace prospero::client
