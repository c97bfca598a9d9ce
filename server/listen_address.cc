#include "server/listen_address.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/core/errors.h"

namespace prospero::server {
namespace {

bool IsLoopback(absl::string_view host) {
  return host == "localhost" || host == "::1" || absl::StartsWith(host, "127.");
}

absl::Status Wrong(absl::string_view text) {
  return InvalidField("listen",
                      absl::StrCat("must be \"host:port\" or \"unix:path\", got \"", text, "\""));
}

}  // namespace

absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text) {
  ListenAddress address;
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "unix:")) {
    if (rest.empty()) return Wrong(text);
    address.only_local = true;
    return address;
  }
  const size_t colon = rest.rfind(':');
  if (colon == rest.npos) return Wrong(text);
  absl::string_view host = rest.substr(0, colon);
  const bool bracketed = absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
  uint32_t port = 0;
  if (host.empty() || (!bracketed && host.find(':') != host.npos) ||
      !absl::SimpleAtoi(rest.substr(colon + 1), &port) || port > 65535) {
    return Wrong(text);
  }
  address.host = std::string(host);
  address.port = std::string(rest.substr(colon + 1));
  address.only_local = IsLoopback(host);
  return address;
}

}  // namespace prospero::server
