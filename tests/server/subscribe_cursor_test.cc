// Subscriptions that share a recording, get every sample of it, and go on where one was cut off.

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/subscribers.h"

namespace prospero::server {
namespace {

using grpc::StatusCode;
using testing::ElementsAre;
using testing::Pair;
using Event = v1::SubscriptionEvent;

v1::Subscription Reliably(const std::string& id, const std::vector<std::string>& variables) {
  v1::Subscription subscription = To(id, variables);
  subscription.set_delivery(v1::Subscription::DELIVERY_RELIABLE);
  return subscription;
}

v1::Subscription Behind(v1::Subscription subscription, int64_t epoch, int64_t step) {
  subscription.set_start(v1::Subscription::START_CURSOR);
  subscription.mutable_cursor()->set_epoch(epoch);
  subscription.mutable_cursor()->set_step(step);
  return subscription;
}

void Drive(TestServer& server, int64_t steps) {
  TestDriver driver(server.simulation(), "a");
  ASSERT_TRUE(driver.Advance(Steps(steps, steps)).has_advanced());
  driver.HalfClose();
  ASSERT_TRUE(driver.End().ok());
}

TEST(ReliableSubscription, GetsEverySampleThoughItReadsLate) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::Subscription subscription = Reliably("a", {"out.r"});
  subscription.set_max_pending(2);
  Subscriber subscriber(server, subscription);
  ASSERT_TRUE(subscriber.Next().has_opened());
  Drive(server, 5000);
  subscriber.Credit(5000);
  int64_t step = 0;
  while (step < 5000) {
    const Event event = subscriber.Next();
    if (event.has_notice()) continue;  // Drivers come and go.
    ASSERT_TRUE(event.has_samples()) << event.ShortDebugString();
    for (const Event::Sample& sample : event.samples().samples()) {
      ASSERT_EQ(sample.cursor().step(), ++step);
    }
  }
}

TEST(ReliableSubscription, EndsWhenItFallsBehindAndCanGoOnAtTheOldest) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::Subscription subscription = Reliably("a", {"out.r"});
  subscription.set_retained_bytes(20'000);
  Subscriber subscriber(server, subscription);
  ASSERT_TRUE(subscriber.Next().has_opened());
  Drive(server, 10'000);
  subscriber.Credit(1);
  EXPECT_TRUE(IsError(subscriber.End(), StatusCode::OUT_OF_RANGE, "CURSOR_EVICTED"));
  // It may have ended while the network ran. What is retained now?
  AwaitPublished(server, "a");
  Subscriber late(server, Behind(subscription, 0, 0));
  const grpc::Status end = late.End();
  EXPECT_TRUE(IsError(end, StatusCode::OUT_OF_RANGE, "CURSOR_EVICTED"));
  EXPECT_THAT(DetailsOf(end).metadata, testing::Contains(Pair("oldest_epoch", "0")));
  int64_t oldest = 0;
  ASSERT_TRUE(absl::SimpleAtoi(DetailsOf(end).metadata["oldest_step"], &oldest));
  EXPECT_GT(oldest, 9000);
  EXPECT_LT(oldest, 10'000);
  Subscriber again(server, Behind(subscription, 0, oldest));
  const Event opened = again.Next();
  EXPECT_EQ(opened.opened().oldest().step(), oldest);
  again.Credit(1);
  EXPECT_EQ(again.Next().samples().samples(0).cursor().step(), oldest + 1);
  Subscriber early(server, Behind(subscription, 0, oldest - 1));
  EXPECT_TRUE(IsError(early.End(), StatusCode::OUT_OF_RANGE, "CURSOR_EVICTED"));
}

TEST(Subscription, GoesOnAtItsCursorThoughNobodyWasThereMeanwhile) {
  TestServer server;
  server.Make("a", SmallSpec());
  std::string before;
  {
    Watcher watcher(server, Reliably("a", {"hidden.u"}));
    EXPECT_FALSE(watcher.opened().has_oldest());
    Drive(server, 10);
    for (int64_t step = 1; step <= 10; ++step)
      EXPECT_EQ(watcher.NextSample().cursor().step(), step);
  }
  Drive(server, 10);
  Watcher watcher(server, Behind(Reliably("a", {"hidden.u"}), 0, 7));
  EXPECT_EQ(watcher.opened().oldest().step(), 0);
  EXPECT_TRUE(watcher.opened().has_oldest());
  for (int64_t step = 8; step <= 20; ++step) EXPECT_EQ(watcher.NextSample().cursor().step(), step);
}

TEST(Subscription, OfTheLatestIsToldWhatItHasMissed) {
  TestServer server;
  server.Make("a", SmallSpec());
  Drive(server, 30);
  Watcher watcher(server, Behind(To("a", {"loss"}), 0, 10));
  const Event event = watcher.Next();
  ASSERT_TRUE(event.has_gap());
  EXPECT_EQ(event.gap().reason(), Event::Gap::REASON_EVICTED);
  EXPECT_EQ(event.gap().first().step(), 10);
  EXPECT_EQ(event.gap().last().step(), 30);
  EXPECT_EQ(event.gap().count(), 0);
  Drive(server, 1);
  EXPECT_EQ(watcher.NextSample().cursor().step(), 31);
}

TEST(Subscription, IsRefusedWhatLiesAhead) {
  TestServer server;
  server.Make("a", SmallSpec());
  Watcher watcher(server, Behind(To("a", {"loss"}), 0, 1));
  EXPECT_TRUE(IsError(watcher.End(), StatusCode::OUT_OF_RANGE, "CURSOR_AHEAD"));
}

TEST(Subscription, CanNameTheSelectionItHasHadLast) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::Subscription two = Reliably("a", {"out.r"});
  two.add_selections()->add_variables("loss");
  Watcher watcher(server, two);
  Drive(server, 2);
  two = Behind(two, 0, 1);
  two.set_cursor_selection(0);
  Watcher again(server, two);
  const Event::Sample first = again.NextSample();
  EXPECT_EQ(first.cursor().step(), 1);
  EXPECT_EQ(first.selection(), 1U);
  EXPECT_EQ(again.NextSample().cursor().step(), 2);
}

TEST(Subscription, HeartbeatsTellWhatItHasHadNotWhereTheNetworkIs) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::Subscription subscription = To("a", {"loss"});
  subscription.mutable_heartbeat()->set_nanos(10'000'000);
  Subscriber subscriber(server, subscription);
  ASSERT_TRUE(subscriber.Next().has_opened());
  Drive(server, 100);
  // Heartbeats that were sent before say 0, too.
  for (int i = 0; i < 3; ++i) EXPECT_EQ(subscriber.Next().heartbeat().cursor().step(), 0);
  subscriber.Credit(40);
  int64_t had = 0;
  int beats = 0;
  while (beats < 3) {
    const Event event = subscriber.Next();
    had += event.samples().samples_size();
    if (!event.has_heartbeat()) continue;
    EXPECT_EQ(event.heartbeat().cursor().step(), had);
    if (had == 40) ++beats;
  }
  subscriber.Credit(1000);
  Event event = subscriber.Next();
  while (!event.has_heartbeat() || event.heartbeat().cursor().step() < 100) {
    had += event.samples().samples_size();
    event = subscriber.Next();
  }
  EXPECT_EQ(had, 100);
}

TEST(Subscription, SeesOnlyWhatHasChanged) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::Subscription subscription = To("a", {"learning"});
  subscription.mutable_selections(0)->mutable_on_change();
  Watcher watcher(server, subscription);
  Drive(server, 10);
  v1::UpdateNetworkRequest update = UpdateOf("a", {"learning"});
  update.mutable_network()->set_learning(false);
  ASSERT_TRUE(Update(server, update).ok());
  Drive(server, 10);
  EXPECT_EQ(watcher.NextSample().cursor().step(), 1);
  EXPECT_EQ(watcher.NextSample().cursor().step(), 11);
}

TEST(Subscription, WithThePresentValuesGoesOnWithoutGapOrDuplicate) {
  TestServer server;
  server.Make("a", SmallSpec());
  Watcher other(server, To("a", {"out.r"}));
  Drive(server, 5);
  v1::Subscription subscription = To("a", {"out.r"});
  subscription.set_start(v1::Subscription::START_SNAPSHOT);
  Watcher watcher(server, subscription);
  Drive(server, 3);
  std::vector<int64_t> steps;
  for (int i = 0; i < 4; ++i) steps.push_back(watcher.NextSample().cursor().step());
  EXPECT_THAT(steps, ElementsAre(5, 6, 7, 8));
}

}  // namespace
}  // namespace prospero::server
