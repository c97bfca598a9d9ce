#include "server/subscription_feed.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "engine/runtime/recorder.h"
#include "server/convert/field.h"
#include "server/convert/network.h"
#include "server/convert/sample_wire.h"
#include "server/convert/subscription.h"
#include "server/limits.h"
#include "server/network_calls.h"

namespace prospero::server {
namespace {

constexpr int64_t kDefaultPending = 1024;  ///< samples
constexpr int64_t kDefaultRetained = int64_t{16} << 20;
constexpr int64_t kMaxBatch = 64;  ///< samples in one message
constexpr int64_t kMaxBatchBytes = int64_t{256} << 10;
constexpr int64_t kSampleOverhead = 128;  ///< [bytes] about a sample's values

/// The samples [begin, end) of these.
Samples Part(const Samples& samples, size_t begin, size_t end) {
  Samples part;
  size_t first = 0;
  for (const SampleRun& run : samples.runs()) {
    const size_t from = std::max(begin, first);
    const size_t to = std::min(end, first + run.size());
    if (from < to) part.Add({run.chunk, run.begin + from - first, run.begin + to - first});
    first += run.size();
  }
  return part;
}

bool IsAboutObservers(const absl::Status& status) {
  bool found = false;
  VisitMetadata(status, [&found](absl::string_view key, absl::string_view value) {
    found = found || (key == "limit" && value == "max_observers");
  });
  return found;
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
  if (absl::Status status = SetBounds(host, path); !status.ok()) return status;

  absl::StatusOr<std::shared_ptr<Observer>> observer = instance.Observe(spec_, std::move(on_ready));
  if (IsAboutObservers(observer.status())) {
    return WithMetadata(observer.status(), "limit", "max_subscriptions_per_network");
  }
  if (!observer.ok()) return UnderField(observer.status(), path);
  observer_ = *std::move(observer);
  return absl::OkStatus();
}

absl::Status SubscriptionFeed::SetBounds(Host& host, absl::string_view path) {
  const Limits& limits = host.limits;
  std::vector<int64_t> samples = SampleBytes(spec_, record_->instance().variables());
  for (int64_t& sample : samples) sample += kSampleOverhead;
  const int64_t largest = *std::max_element(samples.begin(), samples.end());
  const int64_t together = std::accumulate(samples.begin(), samples.end(), int64_t{0});
  if (largest > limits.max_payload_bytes()) {
    return LimitExceeded("max_message_bytes", limits.max_message_bytes, largest,
                         absl::StrCat(path, ".selections"));
  }
  if (spec_.capacity > limits.max_pending_samples) {
    return LimitExceeded("max_pending_samples", limits.max_pending_samples, spec_.capacity,
                         absl::StrCat(path, ".max_pending"));
  }
  if (spec_.capacity == 0) {
    spec_.capacity = std::min<int64_t>(kDefaultPending, limits.max_pending_samples);
  }
  if (spec_.retained_bytes > limits.max_retained_bytes) {
    return LimitExceeded("max_retained_bytes", limits.max_retained_bytes, spec_.retained_bytes,
                         absl::StrCat(path, ".retained_bytes"));
  }
  if (spec_.retained_bytes == 0) {
    spec_.retained_bytes = std::min(kDefaultRetained, limits.max_retained_bytes);
  }
  batch_bytes_ = std::min(kMaxBatchBytes, limits.max_payload_bytes());
  // A message on its way keeps the chunks that its samples lie in.
  const int64_t chunk = std::max(largest, std::min(Recorder::kMaxChunkBytes, 256 * together));
  const int64_t message = std::max(largest, std::min(batch_bytes_, kMaxBatch * largest));
  const bool present = spec_.start == ObserverSpec::Start::kSnapshot;
  absl::StatusOr<Budget::Reservation> memory =
      host.memory.Reserve(message + 2 * chunk + (present ? together : 0));
  if (!memory.ok()) return memory.status();
  memory_ = *std::move(memory);
  return absl::OkStatus();
}

bool SubscriptionFeed::Next(int64_t credit, grpc::ByteBuffer* message, int64_t* samples) {
  *samples = 0;
  if (waiting_.empty() && observer_ != nullptr && !draining_) {
    if (observer_->Take(std::min(credit, kMaxBatch), batch_bytes_, &found_)) {
      Queue();
    } else {
      end_ = found_.end;
    }
  }
  if (waiting_.empty()) {
    if (draining_) end_ = server::Draining();
    return false;
  }
  if (auto* const some = absl::get_if<Samples>(&waiting_.front())) {
    *samples = static_cast<int64_t>(some->size());
    *message = ToWire(*some, ++sequence_);
  } else {
    *message = ToWire(absl::get<v1::SubscriptionEvent>(std::move(waiting_.front())), ++sequence_);
  }
  waiting_.pop_front();
  return true;
}

v1::SubscriptionEvent& SubscriptionFeed::QueueEvent() {
  return absl::get<v1::SubscriptionEvent>(waiting_.emplace_back(v1::SubscriptionEvent()));
}

void SubscriptionFeed::Queue() {
  if (found_.opened.has_value()) {
    opened_ = true;
    const Instance& instance = record_->instance();
    *QueueEvent().mutable_opened() =
        MakeOpened(spec_, instance.variables(), *found_.opened, instance.options().dt);
  }
  if (found_.gap.has_value()) *QueueEvent().mutable_gap() = ToProto(*found_.gap);
  size_t begin = 0;
  const auto queue_until = [&](size_t end) {
    if (begin < end) waiting_.emplace_back(Part(found_.samples, begin, end));
    begin = end;
  };
  for (const Observed::Told& told : found_.events) {
    queue_until(told.after);
    draining_ = draining_ || told.event.kind == Event::Kind::kDraining;
    *QueueEvent().mutable_notice() = ToProto(told.event);
  }
  queue_until(found_.samples.size());
  found_.samples.Clear();  // Chunks are kept for messages only.
}

bool SubscriptionFeed::Heartbeat(grpc::ByteBuffer* message) {
  if (!opened_) return false;
  v1::SubscriptionEvent event;
  event.mutable_heartbeat();
  if (found_.progress.has_value()) {
    *event.mutable_heartbeat()->mutable_cursor() = ToProto(*found_.progress);
  }
  *message = ToWire(std::move(event), ++sequence_);
  return true;
}

}  // namespace prospero::server
