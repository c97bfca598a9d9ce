#include "server/subscription_feed.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/convert/field.h"
#include "server/convert/network.h"
#include "server/convert/subscription.h"
#include "server/limits.h"
#include "server/network_calls.h"

namespace prospero::server {
namespace {

constexpr int64_t kDefaultPending = 1024;  ///< samples
constexpr int64_t kDefaultPendingBytes = int64_t{16} << 20;
constexpr int64_t kMaxBatch = 64;         ///< samples in one message
constexpr int64_t kSampleOverhead = 128;  ///< [bytes] about a sample's values

/// Whether an event came to pass before the sample was taken.
bool IsBefore(const Event& event, const ObservedSample& sample) {
  if (event.cursor.epoch != sample.cursor.epoch) return event.cursor.epoch < sample.cursor.epoch;
  return event.cursor.step < sample.cursor.step;
}

}  // namespace

absl::Status SubscriptionFeed::Open(Host& host, const v1::Subscription& subscription,
                                    absl::string_view path, std::function<void()> on_ready) {
  absl::StatusOr<std::shared_ptr<Record>> record =
      FindNetwork(host, subscription.network(), absl::StrCat(path, ".network"));
  if (!record.ok()) return record.status();
  record_ = *std::move(record);
  Instance& instance = record_->instance();
  absl::StatusOr<ObserverSpec> spec = FromProto(subscription, instance.variables());
  if (!spec.ok()) return UnderField(spec.status(), path);
  spec_ = *std::move(spec);
  const absl::StatusOr<absl::Duration> heartbeat =
      NonNegative(subscription.heartbeat(), absl::StrCat(path, ".heartbeat"));
  if (!heartbeat.ok()) return heartbeat.status();
  heartbeat_ = *heartbeat;
  if (absl::Status status = SetCapacity(host, path); !status.ok()) return status;

  absl::StatusOr<std::shared_ptr<Observer>> observer = instance.Observe(spec_, std::move(on_ready));
  if (absl::IsResourceExhausted(observer.status()) &&
      Reason(observer.status()) == "LIMIT_EXCEEDED") {
    return WithMetadata(observer.status(), "limit", "max_subscriptions_per_network");
  }
  if (!observer.ok()) return UnderField(observer.status(), path);
  observer_ = *std::move(observer);
  // The answer comes before whatever is observed.
  *waiting_.emplace_back().mutable_opened() =
      MakeOpened(spec_, instance.variables(), instance.status().cursor, instance.options().dt);
  return absl::OkStatus();
}

absl::Status SubscriptionFeed::SetCapacity(Host& host, absl::string_view path) {
  const Limits& limits = host.limits;
  const int64_t sample = LargestSample(spec_, record_->instance().variables()) + kSampleOverhead;
  if (sample > limits.max_payload_bytes()) {
    return LimitExceeded("max_message_bytes", limits.max_message_bytes, sample,
                         absl::StrCat(path, ".selections"));
  }
  if (spec_.capacity > limits.max_pending_samples) {
    return LimitExceeded("max_pending_samples", limits.max_pending_samples, spec_.capacity,
                         absl::StrCat(path, ".max_pending"));
  }
  if (spec_.capacity == 0) {
    spec_.capacity =
        std::clamp<int64_t>(kDefaultPendingBytes / sample, 1,
                            std::min<int64_t>(kDefaultPending, limits.max_pending_samples));
  }
  batch_ = std::clamp<int64_t>(limits.max_payload_bytes() / sample, 1, kMaxBatch);
  absl::StatusOr<Budget::Reservation> memory = host.memory.Reserve(spec_.capacity * sample);
  if (!memory.ok()) return memory.status();
  memory_ = *std::move(memory);
  return absl::OkStatus();
}

bool SubscriptionFeed::Next(int64_t credit, v1::SubscriptionEvent* event) {
  if (waiting_.empty() && observer_ != nullptr && !draining_) Refill(credit);
  if (waiting_.empty()) return false;
  *event = std::move(waiting_.front());
  waiting_.pop_front();
  return true;
}

void SubscriptionFeed::Refill(int64_t credit) {
  if (observer_->Take(std::min(credit, batch_), &found_)) Queue(found_);
}

void SubscriptionFeed::Queue(Observed& found) {
  if (found.gap.has_value()) *waiting_.emplace_back().mutable_gap() = ToProto(*found.gap);
  auto event = found.events.begin();
  v1::SubscriptionEvent::Samples* samples = nullptr;
  const auto tell = [&] {
    draining_ = draining_ || event->kind == Event::Kind::kDraining;
    *waiting_.emplace_back().mutable_notice() = ToProto(*event++);
    samples = nullptr;
  };
  for (ObservedSample& sample : found.samples) {
    while (event != found.events.end() && IsBefore(*event, sample)) tell();
    if (samples == nullptr) samples = waiting_.emplace_back().mutable_samples();
    *samples->add_samples() = ToProto(std::move(sample), spec_);
  }
  while (event != found.events.end()) tell();
}

absl::Status SubscriptionFeed::end() const {
  if (draining_) return server::Draining();
  return observer_ == nullptr ? absl::OkStatus() : observer_->end();
}

v1::SubscriptionEvent SubscriptionFeed::Heartbeat() const {
  v1::SubscriptionEvent event;
  *event.mutable_heartbeat()->mutable_cursor() = ToProto(record_->instance().status().cursor);
  return event;
}

}  // namespace prospero::server
