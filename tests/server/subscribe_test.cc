// Observers: the credits of Subscribe, and streams that are not read.

#include <memory>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/subscribers.h"

namespace prospero::server {
namespace {

using grpc::StatusCode;
using Event = v1::SubscriptionEvent;
using Networks = v1::NetworkService::Stub;

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
