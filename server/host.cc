#include "server/host.h"

#include <utility>

#include "absl/time/clock.h"
#include "engine/core/errors.h"

namespace prospero::server {
namespace {

constexpr int kControlThreads = 2;
constexpr int kErrandThreads = 2;

}  // namespace

Host::Host(Limits limits_given, std::vector<ModelKind> kinds_given, int workers, Logger* log_given)
    : limits(limits_given),
      kinds(std::move(kinds_given)),
      start_time(absl::Now()),
      log(log_given),
      memory(limits.max_total_bytes),
      admission(limits.realtime_share * workers),
      scheduler(Scheduler::Make(workers)),
      requests(RequestCache::Options()),
      catalog(limits.max_networks),
      control(kControlThreads),
      errands(kErrandThreads) {}

Host::~Host() { EndAll(Draining()); }

absl::Status Host::CheckOpen() const { return draining ? Draining() : absl::OkStatus(); }

void Host::Drain() {
  draining = true;
  for (const auto& record : catalog.All()) record->instance().Drain();
}

void Host::EndAll(const absl::Status& why) {
  for (const auto& record : catalog.All()) {
    record->instance().End(why);
    record->MarkDeleted();
    catalog.Remove(record->id());
  }
}

absl::Status Draining() {
  return Error(absl::StatusCode::kUnavailable, "DRAINING", "the server shuts down");
}

}  // namespace prospero::server
