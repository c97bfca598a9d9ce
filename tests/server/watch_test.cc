// Observers: what Watch shows.

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/subscribers.h"

namespace prospero::server {
namespace {

using grpc::StatusCode;
using testing::Contains;
using testing::ElementsAre;
using testing::Pair;
using Event = v1::SubscriptionEvent;
using Networks = v1::NetworkService::Stub;

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
  Start(server, "a");
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

// What still uses the server then crashes, as memory that is free is overwritten in tests. Without
// the wait for the last of the calls that is so in about one run of four.
TEST(Watch, LeavesNothingBehindWhenTheServerGoesAtOnce) {
  for (int life = 0; life < 10; ++life) {
    auto server = std::make_unique<TestServer>();
    server->Make("a", SmallSpec());
    const auto stub = v1::SimulationService::NewStub(server->NewChannel());
    v1::Subscription subscription = To("a", {"loss"});
    subscription.mutable_heartbeat()->set_nanos(1'000'000);
    std::vector<std::unique_ptr<Watcher>> watchers;
    for (int i = 0; i < 200; ++i)
      watchers.push_back(std::make_unique<Watcher>(*stub, subscription));
    server.reset();
    for (const auto& watcher : watchers) EXPECT_FALSE(watcher->End().ok());
  }
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

}  // namespace
}  // namespace prospero::server
