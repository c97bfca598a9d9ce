#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/server/support.h"

namespace prospero::server {

/// A subscription to some variables of networks/<id>.
inline v1::Subscription To(const std::string& id, const std::vector<std::string>& variables,
                           int64_t every_steps = 0) {
  v1::Subscription subscription;
  subscription.set_network("networks/" + id);
  v1::Selection* selection = subscription.add_selections();
  for (const std::string& variable : variables) selection->add_variables(variable);
  selection->set_every_steps(every_steps);
  return subscription;
}

/// A Watch stream; the first event is read.
class Watcher {
 public:
  Watcher(TestServer& server, const v1::Subscription& subscription)
      : Watcher(server.simulation(), subscription) {}
  Watcher(v1::SimulationService::Stub& stub, const v1::Subscription& subscription)
      : context_(Context()) {
    v1::WatchRequest request;
    *request.mutable_subscription() = subscription;
    stream_ = stub.Watch(context_.get(), request);
    opened_ = Next().opened();
  }
  ~Watcher() {
    if (over_) return;
    context_->TryCancel();
    End();
  }
  /// Empty at the end.
  v1::SubscriptionEvent Next() {
    v1::WatchResponse response;
    if (!stream_->Read(&response)) return v1::SubscriptionEvent();
    EXPECT_EQ(response.event().sequence(), ++sequence_);
    return response.event();
  }
  /// The next sample; other events are kept aside.
  v1::SubscriptionEvent::Sample NextSample() {
    while (samples_.empty()) {
      const v1::SubscriptionEvent event = Next();
      if (event.event_case() == v1::SubscriptionEvent::EVENT_NOT_SET)
        return v1::SubscriptionEvent::Sample();
      if (!event.has_samples()) others_.push_back(event);
      for (const v1::SubscriptionEvent::Sample& sample : event.samples().samples())
        samples_.push_back(sample);
    }
    v1::SubscriptionEvent::Sample sample = samples_.front();
    samples_.erase(samples_.begin());
    return sample;
  }
  grpc::Status End() {
    over_ = true;
    for (v1::SubscriptionEvent event = Next();
         event.event_case() != v1::SubscriptionEvent::EVENT_NOT_SET; event = Next()) {
      others_.push_back(event);
    }
    return stream_->Finish();
  }
  const v1::SubscriptionEvent::Opened& opened() const { return opened_; }
  const std::vector<v1::SubscriptionEvent>& others() const { return others_; }

 private:
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchResponse>> stream_;
  v1::SubscriptionEvent::Opened opened_;
  std::vector<v1::SubscriptionEvent::Sample> samples_;
  std::vector<v1::SubscriptionEvent> others_;
  uint64_t sequence_ = 0;
  bool over_ = false;
};

/// A Subscribe stream.
class Subscriber {
 public:
  Subscriber(TestServer& server, const v1::Subscription& subscription)
      : context_(Context()), stream_(server.simulation().Subscribe(context_.get())) {
    v1::SubscribeRequest request;
    *request.mutable_subscription() = subscription;
    stream_->Write(request);
  }
  ~Subscriber() {
    if (over_) return;
    context_->TryCancel();
    End();
  }
  bool Credit(int64_t credit) {
    v1::SubscribeRequest request;
    request.set_credit(credit);
    return stream_->Write(request);
  }
  void Send(const v1::SubscribeRequest& request) { stream_->Write(request); }
  void HalfClose() { stream_->WritesDone(); }
  v1::SubscriptionEvent Next() {
    v1::SubscribeResponse response;
    return stream_->Read(&response) ? response.event() : v1::SubscriptionEvent();
  }
  grpc::Status End() {
    over_ = true;
    while (Next().event_case() != v1::SubscriptionEvent::EVENT_NOT_SET) {
    }
    return stream_->Finish();
  }

 private:
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::SubscribeRequest, v1::SubscribeResponse>> stream_;
  bool over_ = false;
};

inline v1::DriveAdvance Steps(int64_t steps, int64_t output_every = 1) {
  v1::DriveAdvance advance;
  advance.set_steps(steps);
  advance.set_output_every(output_every);
  return advance;
}

}  // namespace prospero::server
