// Sensors that push frames into a network over the wire.

#include <chrono>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/sensor.h"

namespace prospero::server {
namespace {

using grpc::StatusCode;

/// A server with a network "a" that runs freely.
struct Loop {
  explicit Loop(v1::Clock::Mode clock = v1::Clock::MODE_FREE) {
    server.Make("a", SmallSpec(), clock);
    if (clock != v1::Clock::MODE_LOCKSTEP) Start(server, "a");
  }
  grpc::Status EndOf(const v1::FeedOpen& open) { return Sensor(server.simulation(), open).End(); }
  TestServer server;
};

void SetClock(TestServer& server, v1::Clock::Mode mode) {
  v1::UpdateNetworkRequest update = UpdateOf("a", {"clock"});
  update.mutable_network()->mutable_clock()->set_mode(mode);
  EXPECT_TRUE(Update(server, update).ok());
}

TEST(Feed, TellsWhatBecameOfItsFrames) {
  Loop loop;
  Spectator spectator(loop.server.simulation(), "a", {"in.r"}, 1000);
  Sensor sensor(loop.server.simulation(), FeedOf("a", "in"));
  sensor.AwaitOpen();
  EXPECT_TRUE(sensor.Push({1, 2, 3}));
  spectator.AwaitSample(0, [](const auto& sample) {
    return ValuesOf(sample.values(0)) == std::vector<double>{1, 2, 3};
  });
  EXPECT_TRUE(sensor.Push({1, std::numeric_limits<double>::quiet_NaN(), 3}));
  EXPECT_TRUE(sensor.Push(std::vector<double>{1, 2}));
  EXPECT_TRUE(sensor.Push({4, 5, 6}));
  ASSERT_TRUE(sensor.HalfClose().ok());
  const v1::FeedResponse& response = sensor.response();
  EXPECT_EQ(response.received(), 4);
  EXPECT_EQ(response.applied(), 2);
  EXPECT_EQ(response.invalid(), 2);
  EXPECT_EQ(response.late(), 0);
  EXPECT_LT(response.first_applied().step(), response.last_applied().step());
  EXPECT_LE(response.last_applied().step(), response.cursor().step());
}

TEST(Feed, SeveralSensorsWithTheirOwnRatesFeedOneNetwork) {
  Loop loop;
  Spectator spectator(loop.server.simulation(), "a", {"in.r", "out.target"}, 1000);
  Sensor fast(loop.server.simulation(), FeedOf("a", "in"));
  Sensor slow(loop.server.simulation(), FeedOf("a", "out"));
  for (int i = 1; i <= 20; ++i) {
    const double x = i;
    EXPECT_TRUE(fast.Push({x, x, x}));
    if (i % 5 == 0) {
      EXPECT_TRUE(slow.Push({x / 100, -x / 100}));
    }
    spectator.AwaitSample(0, [x, i](const auto& sample) {
      return ValuesOf(sample.values(0))[0] == x &&
             (i % 5 != 0 || ValuesOf(sample.values(1))[0] == x / 100);
    });
  }
  EXPECT_TRUE(fast.HalfClose().ok());
  EXPECT_TRUE(slow.HalfClose().ok());
  EXPECT_EQ(fast.response().applied(), 20);
  EXPECT_EQ(slow.response().applied(), 4);
}

TEST(Feed, NeedsAClockThatRunsByItself) {
  Loop loop(v1::Clock::MODE_LOCKSTEP);
  EXPECT_TRUE(
      IsError(loop.EndOf(FeedOf("a", "in")), StatusCode::FAILED_PRECONDITION, "CLOCK_MISMATCH"));
}

TEST(Feed, EndsWithItsNumbersWhenTheClockBecomesLockstep) {
  Loop loop;
  Spectator spectator(loop.server.simulation(), "a", {"in.r"}, 1000);
  Sensor sensor(loop.server.simulation(), FeedOf("a", "in"));
  EXPECT_TRUE(sensor.Push({1, 2, 3}));
  spectator.AwaitSample(0, [](const auto& sample) { return ValuesOf(sample.values(0))[0] == 1.0; });
  SetClock(loop.server, v1::Clock::MODE_LOCKSTEP);
  const grpc::Status end = sensor.End();
  EXPECT_TRUE(IsError(end, StatusCode::FAILED_PRECONDITION, "CLOCK_MISMATCH"));
  EXPECT_EQ(DetailsOf(end).metadata["received"], "1");
  EXPECT_EQ(DetailsOf(end).metadata["applied"], "1");
}

TEST(Feed, OneForEachInput) {
  Loop loop;
  Sensor first(loop.server.simulation(), FeedOf("a", "in"));
  first.AwaitOpen();
  v1::FeedOpen open = FeedOf("a", "in.r");
  EXPECT_TRUE(IsError(loop.EndOf(open), StatusCode::FAILED_PRECONDITION, "INPUT_FED"));
  open.set_preempt(true);
  Sensor second(loop.server.simulation(), open);
  EXPECT_TRUE(IsError(first.End(), StatusCode::ABORTED, "FEED_TAKEN"));
  EXPECT_TRUE(second.Push({1, 2, 3}));
  EXPECT_TRUE(second.HalfClose().ok());
  // Who has seen the end can open again at once.
  Sensor third(loop.server.simulation(), FeedOf("a", "in"));
  EXPECT_TRUE(third.HalfClose().ok());
}

TEST(Feed, NamesTheFieldThatIsWrong) {
  Loop loop;
  EXPECT_TRUE(
      IsError(loop.EndOf(FeedOf("nobody", "in")), StatusCode::NOT_FOUND, "NETWORK_NOT_FOUND"));
  EXPECT_TRUE(IsError(loop.EndOf(FeedOf("a", "hidden")), StatusCode::INVALID_ARGUMENT,
                      "UNKNOWN_VARIABLE", "open.input"));
  v1::FeedOpen open = FeedOf("a", "in");
  open.set_max_pending(5000);
  EXPECT_TRUE(
      IsError(loop.EndOf(open), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "open.max_pending"));
  open = FeedOf("a", "in");
  open.mutable_max_age()->set_seconds(-1);
  EXPECT_TRUE(
      IsError(loop.EndOf(open), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "open.max_age"));
  open = FeedOf("a", "in");
  open.set_between(static_cast<v1::FeedOpen::Between>(99));
  EXPECT_TRUE(
      IsError(loop.EndOf(open), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "open.between"));
  Sensor sensor(loop.server.simulation(), FeedOf("a", "in"));
  v1::FeedFrame frame;
  frame.set_data(Bytes(std::vector<double>{1, 2, 3}));
  frame.set_at_step(-1);
  EXPECT_TRUE(sensor.Push(frame));
  EXPECT_TRUE(
      IsError(sensor.End(), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "frame.at_step"));
}

TEST(Feed, WantsItsMessagesInOrder) {
  Loop loop;
  const auto context = Context();
  v1::FeedResponse response;
  const auto stream = loop.server.simulation().Feed(context.get(), &response);
  v1::FeedRequest frame;
  frame.mutable_frame();
  stream->Write(frame);
  EXPECT_TRUE(IsError(stream->Finish(), StatusCode::INVALID_ARGUMENT, "BAD_SEQUENCE"));
  const auto silent_context = Context();
  const auto silent = loop.server.simulation().Feed(silent_context.get(), &response);
  silent->WritesDone();
  EXPECT_TRUE(IsError(silent->Finish(), StatusCode::INVALID_ARGUMENT, "BAD_SEQUENCE"));
}

TEST(Feed, CountsLateFramesByEachPolicy) {
  Loop loop;
  Spectator spectator(loop.server.simulation(), "a", {"in.r"}, 1000);
  const int64_t step =
      spectator.AwaitSample(5000, [](const auto&) { return true; }).cursor().step();
  EXPECT_GT(step, 5000);
  for (const auto late : {v1::FeedOpen::LATE_DROP, v1::FeedOpen::LATE_APPLY}) {
    v1::FeedOpen open = FeedOf("a", "in");
    open.set_late(late);
    open.mutable_max_age()->set_seconds(3600);
    Sensor sensor(loop.server.simulation(), open);
    v1::FeedFrame frame;
    frame.set_data(Bytes(std::vector<double>{1, 2, 3}));
    frame.set_at_step(5);
    EXPECT_TRUE(sensor.Push(frame));
    frame.clear_at_step();
    frame.mutable_captured_at()->set_seconds(1);  // In 1970.
    EXPECT_TRUE(sensor.Push(frame));
    EXPECT_TRUE(sensor.HalfClose().ok());
    EXPECT_EQ(sensor.response().late(), 2);
    EXPECT_EQ(sensor.response().applied() + sensor.response().replaced(),
              late == v1::FeedOpen::LATE_APPLY ? 2 : 0);
  }
  v1::FeedOpen open = FeedOf("a", "in");
  open.set_late(v1::FeedOpen::LATE_REFUSE);
  Sensor sensor(loop.server.simulation(), open);
  v1::FeedFrame frame;
  frame.set_data(Bytes(std::vector<double>{1, 2, 3}));
  frame.set_at_step(5);
  EXPECT_TRUE(sensor.Push(frame));
  const grpc::Status end = sensor.End();
  EXPECT_TRUE(IsError(end, StatusCode::OUT_OF_RANGE, "FRAME_LATE"));
  EXPECT_EQ(DetailsOf(end).metadata["late"], "1");
}

TEST(Feed, EndsWithTheNetwork) {
  Loop loop;
  Sensor sensor(loop.server.simulation(), FeedOf("a", "in"));
  sensor.AwaitOpen();
  EXPECT_TRUE(loop.server.Delete("a").ok());
  EXPECT_TRUE(IsError(sensor.End(), StatusCode::ABORTED, "NETWORK_DELETED"));
}

}  // namespace
}  // namespace prospero::server
