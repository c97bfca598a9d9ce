#include "server/host.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "engine/core/errors.h"
#include "server/convert/sample_wire.h"

namespace prospero::server {
namespace {

constexpr int kControlThreads = 2;
constexpr int kErrandThreads = 2;

/// Between two looks at recordings that nobody reads.
absl::Duration SweepPeriod(absl::Duration retention) {
  return std::clamp(retention / 4, absl::Milliseconds(100), absl::Seconds(10));
}

}  // namespace

Host::Host(Limits limits_given, std::vector<ModelKind> kinds_given, int workers,
           absl::Duration retention_given, Logger* log_given)
    : limits(limits_given),
      kinds(std::move(kinds_given)),
      retention(retention_given),
      start_time(absl::Now()),
      log(log_given),
      memory(limits.max_total_bytes),
      admission(limits.realtime_share * workers),
      scheduler(Scheduler::Make(workers)),
      requests(RequestCache::Options()),
      catalog(limits.max_networks),
      control(kControlThreads),
      errands(kErrandThreads),
      sweeper(SweepPeriod(retention), [this] {
        for (const auto& record : catalog.All()) record->instance().DropExpired();
      }) {}

Host::~Host() { EndAll(Draining()); }

RecordingOptions Host::Recording() {
  RecordingOptions options;
  options.make_encoder = WireEncoder();
  options.defer = [this](std::function<void()> job) { errands.Post(std::move(job)); };
  options.memory = &memory;
  options.retention = absl::ToChronoNanoseconds(retention);
  return options;
}

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
