#include "server/page_token.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/convert/network.h"

namespace prospero::server {
namespace {

/// FNV-1a: the same on every machine and for every process.
uint64_t Fingerprint(absl::string_view text) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

std::string Seal(absl::string_view filter) {
  return absl::StrCat(absl::Hex(Fingerprint(filter), absl::kZeroPad16), "/");
}

}  // namespace

std::string MakePageToken(absl::string_view after, absl::string_view filter) {
  return absl::WebSafeBase64Escape(absl::StrCat(Seal(filter), after));
}

absl::StatusOr<std::string> ReadPageToken(absl::string_view token, absl::string_view filter) {
  if (token.empty()) return std::string();
  std::string plain;
  const std::string seal = Seal(filter);
  if (!absl::WebSafeBase64Unescape(token, &plain) || plain.substr(0, seal.size()) != seal ||
      !CheckId(plain.substr(seal.size()), "").ok()) {
    return InvalidField("page_token", "must be a next_page_token of a list with the same filter");
  }
  return plain.substr(seal.size());
}

}  // namespace prospero::server
