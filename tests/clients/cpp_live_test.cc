// The C++ client against prosperod itself, with networks that run by themselves. No time is
// asserted: a test waits for what is to happen.

#include <string>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "live_server.h"
#include "prospero/client/client.h"

namespace prospero::client {
namespace {

using testing::ElementsAre;

TEST(CppClient, ChangesTheClockOfANetworkThatLives) {
  const Network network = Create(Connect(), Integrator(), {});
  for (const v1::Clock& clock : {Realtime({.speed = 2.0}), Free(), Lockstep()}) {
    ASSERT_TRUE(network.Update({.clock = clock}).ok());
    EXPECT_EQ(network.Get()->clock().mode(), clock.mode());
    EXPECT_EQ(network.Get()->state(), v1::Network::STATE_RUNNING);
  }
  EXPECT_TRUE(network.Delete().ok());
}

TEST(CppClient, FeedsANetworkThatRunsByItself) {
  const Network network = Create(Connect(), Integrator(), {.clock = Realtime()});
  EXPECT_EQ(network.Get()->state(), v1::Network::STATE_PAUSED);
  ASSERT_TRUE(network.Start().ok());
  auto watch = network.Subscribe({.variables = {"input.r"}});
  ASSERT_TRUE(watch.ok()) << watch.status();
  auto feed = network.OpenFeed("input");
  ASSERT_TRUE(feed.ok()) << feed.status();
  ASSERT_TRUE(feed->Push(std::vector<float>{0.5f}).ok());
  for (;;) {
    const auto sample = watch->NextSample();
    ASSERT_TRUE(sample.ok()) << sample.status();
    if (sample->Find("input")->ToDoubles() == std::vector<double>{0.5}) break;
  }
  const auto summary = feed->Close();
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->server.received(), 1);
  EXPECT_EQ(summary->server.applied(), 1);
  EXPECT_TRUE(network.Delete().ok());
}

TEST(CppClient, IsToldOfASensorThatFellSilent) {
  const Network network =
      Create(Connect(), Integrator(),
             {.clock = Realtime(),
              .safety = SafetyBuilder()
                            .Input("input", {.timeout = absl::Milliseconds(20)})
                            .Output("output", {.fallback = v1::Safety::FALLBACK_FAIL_SAFE,
                                               .fail_safe = MakeScalar(0.125)})
                            .Build()});
  auto watch = network.Subscribe({.variables = {"output.command"}});
  ASSERT_TRUE(watch.ok()) << watch.status();
  ASSERT_TRUE(network.Start().ok());
  int64_t frozen_at = -1;
  for (;;) {
    const auto event = watch->Next();
    ASSERT_TRUE(event.ok()) << event.status();
    if (const auto* notice = std::get_if<v1::Notice>(&*event)) {
      if (notice->kind() == v1::Notice::KIND_LEARNING_FROZEN) frozen_at = notice->cursor().step();
    } else if (const auto* sample = std::get_if<Sample>(&*event)) {
      if (frozen_at < 0 || sample->cursor.step <= frozen_at) continue;
      EXPECT_THAT(sample->Find("output.command")->ToDoubles(), ElementsAre(0.125));
      break;
    }
  }
  EXPECT_TRUE(network.Get()->unsafe());
  EXPECT_TRUE(network.Delete().ok());
}

TEST(CppClient, KeepsTheLeaseWhileItsCallerWaits) {
  const Network network = Create(Connect(), Integrator(), {});
  auto drive = network.Attach({.heartbeat = absl::Milliseconds(1500)});
  ASSERT_TRUE(drive.ok()) << drive.status();
  absl::SleepFor(absl::Seconds(3));  // what is tested is that this does not matter
  const std::vector<double> x = {1.0};
  const auto advanced = drive->Advance({{"input", x}});
  EXPECT_TRUE(advanced.ok()) << advanced.status();
  EXPECT_TRUE(drive->Finish().ok());
}

TEST(CppClient, GoesOnBehindACursor) {
  const Network network = Create(Connect(), Integrator(), {});
  const SubscribeOptions reliable = {.delivery = v1::Subscription::DELIVERY_RELIABLE};
  auto first = network.Subscribe({.variables = {"output.u"}}, reliable);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(network.Step({.steps = 100}).ok());
  for (int64_t step = 1; step <= 40; ++step) {
    const auto sample = first->NextSample();
    ASSERT_TRUE(sample.ok()) << sample.status();
    ASSERT_EQ(sample->cursor.step, step);
  }
  SubscribeOptions behind = reliable;
  behind.start_behind = first->position();
  first->Cancel();
  auto second = network.Subscribe({.variables = {"output.u"}}, behind);
  ASSERT_TRUE(second.ok()) << second.status();
  for (int64_t step = 41; step <= 100; ++step) {
    const auto sample = second->NextSample();
    ASSERT_TRUE(sample.ok()) << sample.status();
    ASSERT_EQ(sample->cursor.step, step);
  }
}

}  // namespace
}  // namespace prospero::client
