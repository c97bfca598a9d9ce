#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/server/support.h"

namespace prospero::server {

/// A Feed stream, as a client sees it.
class Sensor {
 public:
  Sensor(v1::SimulationService::Stub& stub, const v1::FeedOpen& open)
      : context_(Context()), stream_(stub.Feed(context_.get(), &response_)) {
    v1::FeedRequest request;
    *request.mutable_open() = open;
    stream_->Write(request);
  }
  ~Sensor() {
    if (over_) return;
    context_->TryCancel();
    End();
  }
  /// Waits until the feed is open, or has failed.
  void AwaitOpen() { stream_->WaitForInitialMetadata(); }
  bool Push(const v1::FeedFrame& frame) {
    v1::FeedRequest request;
    *request.mutable_frame() = frame;
    return stream_->Write(request);
  }
  bool Push(const std::vector<double>& values) {
    v1::FeedFrame frame;
    frame.set_data(Bytes(values));
    return Push(frame);
  }
  /// Waits for the end.
  grpc::Status End() {
    over_ = true;
    return stream_->Finish();
  }
  grpc::Status HalfClose() {
    stream_->WritesDone();
    return End();
  }
  void Cancel() { context_->TryCancel(); }
  const v1::FeedResponse& response() const { return response_; }

 private:
  std::unique_ptr<grpc::ClientContext> context_;
  v1::FeedResponse response_;
  std::unique_ptr<grpc::ClientWriter<v1::FeedRequest>> stream_;
  bool over_ = false;
};

inline v1::FeedOpen FeedOf(const std::string& id, const std::string& input) {
  v1::FeedOpen open;
  open.set_network("networks/" + id);
  open.set_input(input);
  return open;
}

/// Reads samples and notices of some variables, one sample every `every_steps`.
class Spectator {
 public:
  Spectator(v1::SimulationService::Stub& stub, const std::string& id,
            const std::vector<std::string>& variables, int64_t every_steps)
      : context_(Context()) {
    v1::WatchRequest request;
    v1::Subscription* subscription = request.mutable_subscription();
    subscription->set_network("networks/" + id);
    v1::Selection* selection = subscription->add_selections();
    for (const std::string& variable : variables) selection->add_variables(variable);
    selection->set_every_steps(every_steps);
    stream_ = stub.Watch(context_.get(), request);
    v1::WatchResponse opened;
    EXPECT_TRUE(stream_->Read(&opened) && opened.event().has_opened());
  }
  ~Spectator() {
    context_->TryCancel();
    stream_->Finish();
  }

  /// Waits for the next notice of that kind; samples and other notices go by, and are kept.
  v1::Notice Await(v1::Notice::Kind kind) {
    for (size_t i = 0;; ++i) {
      while (i >= notices_.size()) {
        if (!Read()) return v1::Notice();
      }
      if (notices_[i].kind() != kind) continue;
      const v1::Notice notice = notices_[i];
      notices_.erase(notices_.begin(), notices_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      return notice;
    }
  }
  /// Waits for a sample of later than `step` that is as wished.
  v1::SubscriptionEvent::Sample AwaitSample(
      int64_t step, const std::function<bool(const v1::SubscriptionEvent::Sample&)>& wished) {
    for (size_t i = 0;; ++i) {
      while (i >= samples_.size()) {
        if (!Read()) return v1::SubscriptionEvent::Sample();
      }
      if (samples_[i].cursor().step() > step && wished(samples_[i])) return samples_[i];
    }
  }
  const std::deque<v1::SubscriptionEvent::Sample>& samples() const { return samples_; }

 private:
  bool Read() {
    v1::WatchResponse response;
    if (!stream_->Read(&response)) {
      ADD_FAILURE() << "the stream has ended";
      return false;
    }
    const v1::SubscriptionEvent& event = response.event();
    if (event.has_notice()) notices_.push_back(event.notice());
    for (const auto& sample : event.samples().samples()) samples_.push_back(sample);
    return true;
  }

  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchResponse>> stream_;
  std::deque<v1::Notice> notices_;
  std::deque<v1::SubscriptionEvent::Sample> samples_;
};

/// The values of a block of FLOAT64.
inline std::vector<double> ValuesOf(const v1::Block& block) {
  std::vector<double> values(block.data().size() / sizeof(double));
  std::memcpy(values.data(), block.data().data(), block.data().size());
  return values;
}

}  // namespace prospero::server
