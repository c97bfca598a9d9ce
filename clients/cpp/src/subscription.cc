#include "prospero/client/subscription.h"

#include <algorithm>
#include <utility>

#include "blocks.h"
#include "connection.h"
#include "position.h"

namespace prospero::client {

/// The stream behind a Subscription. Reads happen only inside calls: there is no thread.
class Subscription::Stream {
 public:
  Stream(std::shared_ptr<Connection> connection, int64_t credit_window)
      : connection_(std::move(connection)), credit_window_(std::max<int64_t>(credit_window, 1)) {}

  ~Stream() {
    if (stream_ == nullptr || !status_.ok()) return;
    context_.TryCancel();
    stream_->Finish();
  }

  absl::Status Open(const v1::Subscription& subscription);
  absl::StatusOr<Event> Next();
  void Cancel() { context_.TryCancel(); }

  Cursor cursor() const { return ToCursor(opened_.cursor()); }
  double dt_ms() const { return opened_.dt_ms(); }
  const Schemas& variables(size_t selection) const { return variables_.at(selection); }
  int64_t lost() const { return lost_; }
  absl::optional<Cursor> position() const { return position_.cursor(); }

 private:
  absl::StatusOr<Sample> TakeSample();
  void GrantCredit(int64_t samples);
  /// Takes the stream's end as the status of all later calls.
  absl::Status End();

  std::shared_ptr<Connection> connection_;
  const int64_t credit_window_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::SubscribeRequest, v1::SubscribeResponse>> stream_;
  absl::Status status_;  ///< not OK: the stream has ended, and this is why

  v1::SubscriptionEvent::Opened opened_;
  std::vector<Schemas> variables_;  ///< of each selection
  v1::SubscriptionEvent::Samples samples_;
  int next_sample_ = 0;  ///< index into samples_
  int64_t taken_ = 0;    ///< samples whose credit was not yet granted again
  int64_t lost_ = 0;
  Position position_;
};

absl::Status Subscription::Stream::Open(const v1::Subscription& subscription) {
  stream_ = connection_->live->Subscribe(&context_);
  v1::SubscribeRequest request;
  *request.mutable_subscription() = subscription;
  v1::SubscribeResponse response;
  if (!stream_->Write(request)) return End();
  GrantCredit(credit_window_);
  if (!stream_->Read(&response)) return End();
  if (!response.event().has_opened()) {
    return absl::InternalError("the server did not answer the subscription first");
  }
  opened_ = std::move(*response.mutable_event()->mutable_opened());
  position_ = Position(subscription, cursor());
  for (const auto& selected : opened_.selections()) {
    variables_.push_back(ToSchemas(selected.variables()));
  }
  return absl::OkStatus();
}

absl::StatusOr<Event> Subscription::Stream::Next() {
  if (!status_.ok()) return status_;
  if (next_sample_ < samples_.samples_size()) return TakeSample();
  v1::SubscribeResponse response;
  while (stream_->Read(&response)) {
    v1::SubscriptionEvent& event = *response.mutable_event();
    switch (event.event_case()) {
      case v1::SubscriptionEvent::kSamples:
        samples_.Swap(event.mutable_samples());
        next_sample_ = 0;
        if (samples_.samples_size() > 0) return TakeSample();
        break;
      case v1::SubscriptionEvent::kGap: {
        const auto& gap = event.gap();
        lost_ += gap.count();
        position_.Reach(ToCursor(gap.last()));
        return Gap{gap.reason(), ToCursor(gap.first()), ToCursor(gap.last()), gap.count()};
      }
      case v1::SubscriptionEvent::kNotice:
        return std::move(*event.mutable_notice());
      case v1::SubscriptionEvent::kHeartbeat:
        position_.Reach(ToCursor(event.heartbeat().cursor()));
        return Heartbeat{ToCursor(event.heartbeat().cursor())};
      default:  // an event that a later version of the server may send
        break;
    }
  }
  return End();
}

absl::StatusOr<Sample> Subscription::Stream::TakeSample() {
  auto& message = *samples_.mutable_samples(next_sample_++);
  if (++taken_ >= (credit_window_ + 1) / 2) GrantCredit(std::exchange(taken_, 0));
  if (message.selection() >= variables_.size()) {
    return absl::InternalError("the server sent a sample of an unknown selection");
  }
  position_.Take(ToCursor(message.cursor()));
  auto values = TakeArrays(*message.mutable_values(), variables_[message.selection()]);
  if (!values.ok()) return values.status();
  return Sample{message.selection(), ToCursor(message.cursor()), *std::move(values)};
}

void Subscription::Stream::GrantCredit(int64_t samples) {
  v1::SubscribeRequest request;
  request.set_credit(samples);
  stream_->Write(request);  // when this fails the stream has ended, and the next read says why
}

absl::Status Subscription::Stream::End() {
  status_ = ToStatus(stream_->Finish());
  if (status_.ok()) status_ = absl::UnavailableError("the server ended the stream");
  return status_;
}

namespace {

v1::Selection ToProto(const Selection& selection) {
  v1::Selection message;
  message.mutable_variables()->Add(selection.variables.begin(), selection.variables.end());
  message.set_every_steps(selection.every_steps);
  message.set_max_rate_hz(selection.max_rate_hz);
  message.set_aggregation(selection.aggregation);
  if (selection.slice_start != 0 || selection.slice_count != 0 || selection.slice_stride != 1) {
    message.mutable_slice()->set_start(selection.slice_start);
    message.mutable_slice()->set_count(selection.slice_count);
    message.mutable_slice()->set_stride(selection.slice_stride);
  }
  if (selection.on_change.has_value()) {
    message.mutable_on_change()->set_threshold(*selection.on_change);
  }
  return message;
}

}  // namespace

Subscription::Subscription(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
Subscription::Subscription(Subscription&&) noexcept = default;
Subscription& Subscription::operator=(Subscription&&) noexcept = default;
Subscription::~Subscription() = default;

absl::StatusOr<Subscription> Subscription::Open(std::shared_ptr<Connection> connection,
                                                const std::string& network,
                                                const std::vector<Selection>& selections,
                                                const SubscribeOptions& options) {
  v1::Subscription subscription;
  subscription.set_network(network);
  for (const Selection& selection : selections) {
    *subscription.add_selections() = ToProto(selection);
  }
  subscription.set_start(options.start_with_snapshot ? v1::Subscription::START_SNAPSHOT
                                                     : v1::Subscription::START_NOW);
  if (options.start_behind.has_value()) {
    subscription.set_start(v1::Subscription::START_CURSOR);
    subscription.mutable_cursor()->set_epoch(options.start_behind->epoch);
    subscription.mutable_cursor()->set_step(options.start_behind->step);
  }
  subscription.set_delivery(options.delivery);
  subscription.set_retained_bytes(options.retained_bytes);
  subscription.set_max_pending(options.max_pending);
  *subscription.mutable_heartbeat() = client::ToProto(options.heartbeat);
  auto stream = std::make_unique<Stream>(std::move(connection), options.credit_window);
  if (auto status = stream->Open(subscription); !status.ok()) return status;
  return Subscription(std::move(stream));
}

Cursor Subscription::cursor() const { return stream_->cursor(); }
double Subscription::dt_ms() const { return stream_->dt_ms(); }
const Schemas& Subscription::variables(size_t selection) const {
  return stream_->variables(selection);
}
int64_t Subscription::lost() const { return stream_->lost(); }
absl::optional<Cursor> Subscription::position() const { return stream_->position(); }
void Subscription::Cancel() { stream_->Cancel(); }
absl::StatusOr<Event> Subscription::Next() { return stream_->Next(); }

absl::StatusOr<Sample> Subscription::NextSample() {
  for (;;) {
    auto event = Next();
    if (!event.ok()) return event.status();
    if (auto* sample = std::get_if<Sample>(&*event)) return std::move(*sample);
  }
}

}  // namespace prospero::client
