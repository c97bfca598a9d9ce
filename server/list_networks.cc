#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/convert/network.h"
#include "server/list_filter.h"
#include "server/network_calls.h"
#include "server/page_token.h"

namespace prospero::server {
namespace {

constexpr int32_t kDefaultPage = 50;
constexpr int32_t kMaxPage = 1000;
constexpr size_t kBatch = 256;  ///< records looked at under one lock of the catalog

/// The first `count` networks after an id that the filter accepts.
std::vector<Catalog::Listed> Select(const Catalog& catalog, const ListFilter& filter,
                                    std::string after, size_t count) {
  std::vector<Catalog::Listed> selected;
  while (selected.size() < count) {
    const std::vector<Catalog::Listed> batch = catalog.After(after, kBatch);
    for (const Catalog::Listed& listed : batch) {
      if (selected.size() < count && filter.Accepts(listed.Outline())) selected.push_back(listed);
    }
    if (batch.size() < kBatch) break;
    after = batch.back().id;
  }
  return selected;
}

absl::StatusOr<v1::ListNetworksResponse> List(const Host& host,
                                              const v1::ListNetworksRequest& request) {
  if (request.page_size() < 0) {
    return InvalidField("page_size", absl::StrCat("must be >= 0, got ", request.page_size()));
  }
  const absl::StatusOr<ListFilter> filter = ListFilter::Parse(request.filter());
  if (!filter.ok()) return filter.status();
  const absl::StatusOr<std::string> after = ReadPageToken(request.page_token(), request.filter());
  if (!after.ok()) return after.status();
  const auto wanted = static_cast<size_t>(
      request.page_size() == 0 ? kDefaultPage : std::min(request.page_size(), kMaxPage));

  v1::ListNetworksResponse response;
  const auto room = static_cast<size_t>(host.limits.max_message_bytes / 2);
  size_t bytes = 0;
  for (const auto& selected : Select(host.catalog, *filter, *after, wanted + 1)) {
    const auto listed = static_cast<size_t>(response.networks_size());
    if (listed == wanted || (listed > 0 && bytes > room)) {
      const absl::StatusOr<std::string> last =
          IdOf(response.networks(response.networks_size() - 1).name(), "");
      response.set_next_page_token(MakePageToken(*last, request.filter()));
      break;
    }
    v1::Network* network = response.add_networks();
    *network = selected.Summarize();
    bytes += network->ByteSizeLong();
  }
  return response;
}

}  // namespace

void ListNetworks(Host& host, const v1::ListNetworksRequest& request,
                  Reply<v1::ListNetworksResponse> reply) {
  reply(List(host, request));
}

}  // namespace prospero::server
