// Observers: Subscribe with credits, and Watch.

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/support.h"

namespace prospero::server {
namespace {

using grpc::StatusCode;
using testing::Contains;
using testing::ElementsAre;
using testing::Pair;
using Event = v1::SubscriptionEvent;
using Networks = v1::NetworkService::Stub;

v1::Subscription To(const std::string& id, const std::vector<std::string>& variables,
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
  Watcher(TestServer& server, const v1::Subscription& subscription) : context_(Context()) {
    v1::WatchRequest request;
    *request.mutable_subscription() = subscription;
    stream_ = server.simulation().Watch(context_.get(), request);
    opened_ = Next().opened();
  }
  ~Watcher() {
    if (over_) return;
    context_->TryCancel();
    End();
  }
  /// Empty at the end.
  Event Next() {
    v1::WatchResponse response;
    if (!stream_->Read(&response)) return Event();
    EXPECT_EQ(response.event().sequence(), ++sequence_);
    return response.event();
  }
  /// The next sample; other events are kept aside.
  Event::Sample NextSample() {
    while (samples_.empty()) {
      const Event event = Next();
      if (event.event_case() == Event::EVENT_NOT_SET) return Event::Sample();
      if (!event.has_samples()) others_.push_back(event);
      for (const Event::Sample& sample : event.samples().samples()) samples_.push_back(sample);
    }
    Event::Sample sample = samples_.front();
    samples_.erase(samples_.begin());
    return sample;
  }
  grpc::Status End() {
    over_ = true;
    for (Event event = Next(); event.event_case() != Event::EVENT_NOT_SET; event = Next()) {
      others_.push_back(event);
    }
    return stream_->Finish();
  }
  const Event::Opened& opened() const { return opened_; }
  const std::vector<Event>& others() const { return others_; }

 private:
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchResponse>> stream_;
  Event::Opened opened_;
  std::vector<Event::Sample> samples_;
  std::vector<Event> others_;
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
  void Credit(int64_t credit) {
    v1::SubscribeRequest request;
    request.set_credit(credit);
    stream_->Write(request);
  }
  void Send(const v1::SubscribeRequest& request) { stream_->Write(request); }
  void HalfClose() { stream_->WritesDone(); }
  Event Next() {
    v1::SubscribeResponse response;
    return stream_->Read(&response) ? response.event() : Event();
  }
  grpc::Status End() {
    over_ = true;
    while (Next().event_case() != Event::EVENT_NOT_SET) {
    }
    return stream_->Finish();
  }

 private:
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::SubscribeRequest, v1::SubscribeResponse>> stream_;
  bool over_ = false;
};

v1::DriveAdvance Steps(int64_t steps, int64_t output_every = 1) {
  v1::DriveAdvance advance;
  advance.set_steps(steps);
  advance.set_output_every(output_every);
  return advance;
}

v1::DriveAdvance Lesson(const TestDriver& driver, int64_t steps) {
  v1::DriveAdvance advance = Steps(steps);
  AddBlock<double>(&advance, driver.uid("in.r"), {1.0, -0.5, 0.25});
  AddBlock<double>(&advance, driver.uid("out.target"), {0.5, -0.5});
  return advance;
}

TEST(Watch, SeesWhatTheDriverSees) {
  TestServer server;
  server.Make("a", SmallSpec());
  Watcher watcher(server, To("a", {"out.r", "loss"}));
  EXPECT_EQ(watcher.opened().dt_ms(), 0.1);
  ASSERT_EQ(watcher.opened().selections(0).variables_size(), 2);
  EXPECT_EQ(watcher.opened().selections(0).variables(0).name(), "out.r");
  EXPECT_THAT(watcher.opened().selections(0).variables(0).shape(), ElementsAre(1, 2));
  TestDriver driver(server.simulation(), "a");
  const std::string driven = driver.Advance(Lesson(driver, 100)).advanced().outputs(0).data();
  std::string watched;
  for (int64_t step = 1; step <= 100; ++step) {
    const Event::Sample sample = watcher.NextSample();
    ASSERT_EQ(sample.cursor().step(), step);
    EXPECT_EQ(sample.selection(), 0u);
    ASSERT_EQ(sample.values_size(), 2);
    watched += sample.values(0).data();
  }
  EXPECT_EQ(watched, driven);
}

TEST(Watch, TakesEveryNthStepOfManySelectionsForManyObservers) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::Subscription two = To("a", {"out.r"}, 10);
  two.add_selections()->add_variables("*.W");
  two.mutable_selections(1)->set_every_steps(25);
  Watcher first(server, two);
  Watcher second(server, To("a", {"hidden.u"}, 50));
  EXPECT_EQ(first.opened().selections(1).variables_size(), 2);
  TestDriver driver(server.simulation(), "a");
  driver.Advance(Steps(100));
  std::vector<std::pair<uint32_t, int64_t>> seen;
  for (int i = 0; i < 14; ++i) {
    const Event::Sample sample = first.NextSample();
    seen.emplace_back(sample.selection(), sample.cursor().step());
  }
  EXPECT_THAT(seen, testing::UnorderedElementsAre(
                        Pair(0, 10), Pair(0, 20), Pair(0, 30), Pair(0, 40), Pair(0, 50),
                        Pair(0, 60), Pair(0, 70), Pair(0, 80), Pair(0, 90), Pair(0, 100),
                        Pair(1, 25), Pair(1, 50), Pair(1, 75), Pair(1, 100)));
  EXPECT_EQ(second.NextSample().cursor().step(), 50);
  EXPECT_EQ(second.NextSample().cursor().step(), 100);
}

TEST(Watch, ComputesStatisticsOfWeights) {
  TestServer server;
  server.Make("a", SmallSpec());
  Watcher watcher(server, To("a", {"*.W.norm", "hidden_to_out.W"}, 10));
  EXPECT_EQ(watcher.opened().selections(0).variables_size(), 3);
  TestDriver driver(server.simulation(), "a");
  driver.Advance(Lesson(driver, 10));
  const Event::Sample sample = watcher.NextSample();
  double squares = 0;
  for (const double w : Values<double>(sample.values(2).data())) squares += w * w;
  const std::string name = watcher.opened().selections(0).variables(1).name();
  EXPECT_EQ(name, "hidden_to_out.W.norm");
  EXPECT_NEAR(Values<double>(sample.values(1).data())[0], std::sqrt(squares), 1e-9);
}

TEST(Watch, AggregatesAndSlices) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::Subscription subscription = To("a", {"hidden.u"}, 10);
  v1::Selection* last = subscription.mutable_selections(0);
  last->mutable_slice()->set_start(1);
  last->mutable_slice()->set_stride(2);
  v1::Selection* extremes = subscription.add_selections();
  *extremes = *last;
  extremes->set_aggregation(v1::AGGREGATION_MIN_MAX);
  v1::Selection* mean = subscription.add_selections();
  *mean = *last;
  mean->clear_slice();
  mean->set_aggregation(v1::AGGREGATION_MEAN);
  v1::Selection* all = subscription.add_selections();
  all->add_variables("hidden.u");
  Watcher watcher(server, subscription);
  EXPECT_THAT(watcher.opened().selections(0).variables(0).shape(), ElementsAre(2));
  EXPECT_THAT(watcher.opened().selections(1).variables(0).shape(), ElementsAre(2, 2));
  EXPECT_THAT(watcher.opened().selections(2).variables(0).shape(), ElementsAre(1, 5));
  TestDriver driver(server.simulation(), "a");
  driver.Advance(Lesson(driver, 10));
  std::vector<std::vector<double>> u;
  std::map<uint32_t, std::vector<double>> seen;
  for (int i = 0; i < 13; ++i) {
    const Event::Sample sample = watcher.NextSample();
    const std::vector<double> values = Values<double>(sample.values(0).data());
    if (sample.selection() == 3) u.push_back(values);
    if (sample.selection() != 3) seen[sample.selection()] = values;
  }
  double low = u[0][1];
  double high = u[0][1];
  double sum = 0;
  for (const std::vector<double>& values : u) {
    low = std::min(low, values[1]);
    high = std::max(high, values[1]);
    sum += values[0];
  }
  EXPECT_THAT(seen[0], ElementsAre(u[9][1], u[9][3]));
  EXPECT_EQ(seen[1][0], low);
  EXPECT_EQ(seen[1][2], high);
  EXPECT_NEAR(seen[2][0], sum / 10, 1e-12);
}

TEST(Watch, CanStartWithThePresentValues) {
  TestServer server;
  server.Make("a", SmallSpec());
  TestDriver driver(server.simulation(), "a");
  const v1::DriveAdvanced advanced = driver.Advance(Lesson(driver, 17)).advanced();
  v1::Subscription subscription = To("a", {"out.r"}, 1000);
  subscription.set_start(v1::Subscription::START_SNAPSHOT);
  Watcher watcher(server, subscription);
  const Event::Sample sample = watcher.NextSample();
  EXPECT_EQ(sample.cursor().step(), 17);
  EXPECT_EQ(sample.values(0).data(), advanced.outputs(0).data().substr(16 * 16));
}

TEST(Watch, IsToldOfWhatHappensInOrder) {
  TestServer server;
  server.Make("a", SmallSpec());
  Watcher watcher(server, To("a", {"loss"}));
  TestDriver driver(server.simulation(), "a");
  driver.Advance(Steps(3));
  v1::ResetNetworkRequest reset;
  reset.set_name("networks/a");
  v1::ResetNetworkResponse was_reset;
  ASSERT_TRUE(Call(server.networks(), &Networks::ResetNetwork, reset, &was_reset).ok());
  driver.Advance(Steps(2));
  std::vector<std::string> told;
  while (told.size() < 7) {
    const Event event = watcher.Next();
    ASSERT_NE(event.event_case(), Event::EVENT_NOT_SET);
    if (event.has_notice()) told.push_back(v1::Notice::Kind_Name(event.notice().kind()));
    for (const Event::Sample& sample : event.samples().samples()) {
      told.push_back(std::to_string(sample.cursor().epoch()) + "/" +
                     std::to_string(sample.cursor().step()));
    }
  }
  EXPECT_THAT(told, ElementsAre("KIND_DRIVER_CAME", "0/1", "0/2", "0/3", "KIND_EPOCH_CHANGED",
                                "1/1", "1/2"));
}

TEST(Watch, EndsWithItsNetwork) {
  TestServer server;
  server.Make("a", SmallSpec());
  Watcher watcher(server, To("a", {"loss"}));
  ASSERT_TRUE(server.Delete("a").ok());
  EXPECT_TRUE(IsError(watcher.End(), StatusCode::ABORTED, "NETWORK_DELETED"));
}

TEST(Watch, OutlivesADivergence) {
  TestServer server;
  server.Make("a", ExplosiveSpec());
  Watcher watcher(server, To("a", {"loss"}, 1'000'000));
  TestDriver driver(server.simulation(), "a");
  driver.Advance(Lesson(driver, 10'000));
  EXPECT_EQ(watcher.Next().notice().kind(), v1::Notice::KIND_DRIVER_CAME);
  EXPECT_EQ(watcher.Next().notice().kind(), v1::Notice::KIND_PAUSED);
  ASSERT_TRUE(server.Delete("a").ok());
  EXPECT_TRUE(IsError(watcher.End(), StatusCode::ABORTED, "NETWORK_DELETED"));
}

TEST(Watch, EndsWhenTheServerDrains) {
  TestServer server;
  server.Make("a", SmallSpec(), v1::Clock::MODE_FREE);
  Watcher watcher(server, To("a", {"loss"}));
  v1::StartNetworkRequest start;
  start.set_name("networks/a");
  v1::StartNetworkResponse started;
  ASSERT_TRUE(Call(server.networks(), &Networks::StartNetwork, start, &started).ok());
  EXPECT_GT(watcher.NextSample().cursor().step(), 0);
  std::thread drain([&] { EXPECT_TRUE(server.server().Drain(absl::Seconds(60))); });
  EXPECT_TRUE(IsError(watcher.End(), StatusCode::UNAVAILABLE, "DRAINING"));
  drain.join();
  EXPECT_TRUE(std::any_of(watcher.others().begin(), watcher.others().end(), [](const Event& event) {
    return event.notice().kind() == v1::Notice::KIND_DRAINING;
  }));
}

TEST(Watch, BeatsWhenThereIsNothingToSay) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::Subscription subscription = To("a", {"loss"});
  subscription.mutable_heartbeat()->set_nanos(20'000'000);
  Watcher watcher(server, subscription);
  EXPECT_TRUE(watcher.Next().has_heartbeat());
  EXPECT_TRUE(watcher.Next().has_heartbeat());
}

TEST(Watch, NamesTheFieldThatIsWrong) {
  TestServer server([](Server::Options& o) { o.limits.max_message_bytes = 1 << 20; });
  server.Make("a", SmallSpec());
  const auto end = [&](const std::function<void(v1::Subscription&)>& spoil) {
    v1::Subscription subscription = To("a", {"loss"});
    spoil(subscription);
    Watcher watcher(server, subscription);
    return watcher.End();
  };
  using S = v1::Subscription;
  const auto bad = StatusCode::INVALID_ARGUMENT;
  const std::string first = "subscription.selections[0].";
  EXPECT_TRUE(
      IsError(end([](S& s) { s.set_network("x"); }), bad, "INVALID_FIELD", "subscription.network"));
  EXPECT_TRUE(IsError(end([](S& s) { s.set_network("networks/x"); }), StatusCode::NOT_FOUND,
                      "NETWORK_NOT_FOUND"));
  EXPECT_TRUE(IsError(end([](S& s) { s.clear_selections(); }), bad, "INVALID_FIELD",
                      "subscription.selections"));
  EXPECT_TRUE(IsError(end([](S& s) { s.set_start(S::START_CURSOR); }), StatusCode::UNIMPLEMENTED,
                      "NOT_IMPLEMENTED", "subscription.start"));
  EXPECT_TRUE(IsError(end([](S& s) { s.set_delivery(S::DELIVERY_RELIABLE); }),
                      StatusCode::UNIMPLEMENTED, "NOT_IMPLEMENTED", "subscription.delivery"));
  EXPECT_TRUE(IsError(end([](S& s) { s.set_start(static_cast<S::Start>(9)); }), bad,
                      "INVALID_FIELD", "subscription.start"));
  EXPECT_TRUE(
      IsError(end([](S& s) { s.mutable_cursor(); }), bad, "INVALID_FIELD", "subscription.cursor"));
  EXPECT_TRUE(IsError(end([](S& s) { s.set_max_pending(-1); }), bad, "INVALID_FIELD",
                      "subscription.max_pending"));
  const grpc::Status many = end([](S& s) { s.set_max_pending(1'000'000); });
  EXPECT_TRUE(
      IsError(many, StatusCode::RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED", "subscription.max_pending"));
  EXPECT_THAT(DetailsOf(many).metadata, Contains(Pair("limit", "max_pending_samples")));
  EXPECT_TRUE(IsError(end([](S& s) { s.mutable_heartbeat()->set_nanos(-1); }), bad, "INVALID_FIELD",
                      "subscription.heartbeat"));
  const auto selection = [&](const std::function<void(v1::Selection&)>& spoil) {
    return end([&](S& s) { spoil(*s.mutable_selections(0)); });
  };
  EXPECT_TRUE(IsError(selection([](auto& s) { s.clear_variables(); }), bad, "INVALID_FIELD",
                      first + "variables"));
  EXPECT_TRUE(IsError(selection([](auto& s) { s.add_variables("x.*"); }), bad, "UNKNOWN_VARIABLE",
                      first + "variables[1]"));
  EXPECT_TRUE(IsError(selection([](auto& s) { s.add_uids(0); }), bad, "UNKNOWN_VARIABLE",
                      first + "uids[0]"));
  EXPECT_TRUE(IsError(selection([](auto& s) { s.set_every_steps(-1); }), bad, "INVALID_FIELD",
                      first + "every_steps"));
  EXPECT_TRUE(IsError(
      selection([](auto& s) { s.set_max_rate_hz(std::numeric_limits<double>::quiet_NaN()); }), bad,
      "INVALID_FIELD", first + "max_rate_hz"));
  EXPECT_TRUE(
      IsError(selection([](auto& s) { s.set_aggregation(static_cast<v1::Aggregation>(8)); }), bad,
              "INVALID_FIELD", first + "aggregation"));
  EXPECT_TRUE(IsError(selection([](auto& s) {
                        s.add_variables("*.W.norm");
                        s.set_aggregation(v1::AGGREGATION_MEAN);
                      }),
                      bad, "INVALID_FIELD", first + "aggregation"));
  EXPECT_TRUE(IsError(selection([](auto& s) { s.mutable_slice()->set_start(1); }), bad,
                      "INVALID_FIELD", first + "slice.start"));
  EXPECT_TRUE(IsError(selection([](auto& s) { s.mutable_slice()->set_count(2); }), bad,
                      "INVALID_FIELD", first + "slice.count"));
  EXPECT_TRUE(IsError(selection([](auto& s) { s.mutable_slice()->set_stride(-1); }), bad,
                      "INVALID_FIELD", first + "slice.stride"));
}

TEST(Watch, LetsInAsManyAsTheLimitSays) {
  TestServer server([](Server::Options& o) { o.limits.max_subscriptions_per_network = 2; });
  server.Make("a", SmallSpec());
  Watcher first(server, To("a", {"loss"}));
  Watcher second(server, To("a", {"loss"}));
  Watcher third(server, To("a", {"loss"}));
  const grpc::Status status = third.End();
  EXPECT_TRUE(IsError(status, StatusCode::RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED"));
  EXPECT_THAT(DetailsOf(status).metadata, Contains(Pair("limit", "max_subscriptions_per_network")));
}

TEST(Watch, NeverHoldsTheDriverBackWhenItDoesNotRead) {
  TestServer server;
  server.Make("a", SmallSpec());
  std::vector<std::unique_ptr<Watcher>> stalled;
  for (int i = 0; i < 10; ++i) {
    stalled.push_back(std::make_unique<Watcher>(server, To("a", {"*"})));
  }
  const std::shared_ptr<grpc::Channel> channel = server.NewChannel();
  const auto stub = v1::SimulationService::NewStub(channel);
  TestDriver driver(*stub, "a");
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(driver.Advance(Steps(1000, 1000)).has_advanced());
  }
  // The first samples came before the reader fell behind, the last ones wait for it; what lay
  // between is said to be lost, and nothing is missing without a word.
  Watcher& late = *stalled[0];
  int64_t last = 0;
  while (last < 20'000) {
    const Event event = late.Next();
    ASSERT_NE(event.event_case(), Event::EVENT_NOT_SET);
    if (event.has_gap()) {
      EXPECT_EQ(event.gap().reason(), Event::Gap::REASON_SLOW_READER);
      EXPECT_EQ(event.gap().first().step(), last + 1);
      EXPECT_EQ(event.gap().count(), event.gap().last().step() - last);
      last = event.gap().last().step();
    }
    for (const Event::Sample& sample : event.samples().samples()) {
      ASSERT_EQ(sample.cursor().step(), ++last);
    }
  }
}

TEST(Subscribe, SendsOneSampleForEachCredit) {
  TestServer server;
  server.Make("a", SmallSpec());
  Subscriber subscriber(server, To("a", {"loss"}));
  EXPECT_TRUE(subscriber.Next().has_opened());
  TestDriver driver(server.simulation(), "a");
  driver.Advance(Steps(100));
  subscriber.Credit(3);
  int64_t got = 0;
  while (got < 3) got += subscriber.Next().samples().samples_size();
  EXPECT_EQ(got, 3);
  subscriber.Credit(2);
  subscriber.HalfClose();
  got = 0;
  for (Event event = subscriber.Next(); event.event_case() != Event::EVENT_NOT_SET;
       event = subscriber.Next()) {
    got += event.samples().samples_size();
  }
  EXPECT_EQ(got, 2);
  EXPECT_TRUE(subscriber.End().ok());
}

TEST(Subscribe, TellsWhatWasLostWhileThereWasNoCredit) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::Subscription subscription = To("a", {"loss"});
  subscription.set_max_pending(10);
  Subscriber subscriber(server, subscription);
  EXPECT_TRUE(subscriber.Next().has_opened());
  TestDriver driver(server.simulation(), "a");
  driver.Advance(Steps(100));
  EXPECT_EQ(subscriber.Next().notice().kind(), v1::Notice::KIND_DRIVER_CAME);
  subscriber.Credit(10);
  const Event gap = subscriber.Next();
  ASSERT_TRUE(gap.has_gap()) << gap.ShortDebugString();
  EXPECT_EQ(gap.gap().first().step(), 1);
  EXPECT_EQ(gap.gap().last().step(), 90);
  EXPECT_EQ(gap.gap().count(), 90);
  const Event samples = subscriber.Next();
  ASSERT_EQ(samples.samples().samples_size(), 10);
  EXPECT_EQ(samples.samples().samples(0).cursor().step(), 91);
}

TEST(Subscribe, TellsWhatHappensAlsoWithoutCredit) {
  TestServer server;
  server.Make("a", SmallSpec());
  Subscriber subscriber(server, To("a", {"loss"}));
  EXPECT_TRUE(subscriber.Next().has_opened());
  v1::PauseNetworkRequest pause;
  pause.set_name("networks/a");
  v1::PauseNetworkResponse paused;
  ASSERT_TRUE(Call(server.networks(), &Networks::PauseNetwork, pause, &paused).ok());
  EXPECT_EQ(subscriber.Next().notice().kind(), v1::Notice::KIND_PAUSED);
}

TEST(Subscribe, EndsWhenTheMessagesAreWrong) {
  TestServer server;
  server.Make("a", SmallSpec());
  {
    Subscriber subscriber(server, To("a", {"loss"}));
    subscriber.Credit(0);
    EXPECT_TRUE(IsError(subscriber.End(), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "credit"));
  }
  {
    Subscriber subscriber(server, To("a", {"loss"}));
    v1::SubscribeRequest again;
    *again.mutable_subscription() = To("a", {"loss"});
    subscriber.Send(again);
    EXPECT_TRUE(IsError(subscriber.End(), StatusCode::INVALID_ARGUMENT, "BAD_SEQUENCE"));
  }
  const auto context = Context();
  const auto stream = server.simulation().Subscribe(context.get());
  v1::SubscribeRequest early;
  early.set_credit(1);
  stream->Write(early);
  v1::SubscribeResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(IsError(stream->Finish(), StatusCode::INVALID_ARGUMENT, "BAD_SEQUENCE"));
}

}  // namespace
}  // namespace prospero::server
