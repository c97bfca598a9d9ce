// What the C++ client sends for clocks, safety, feeds, heartbeats and cursors, and what it makes
// of the answers.

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prospero/client/client.h"
#include "scripted_server.h"

namespace prospero::client {
namespace {

using testing::ElementsAre;

/// A network with one input x.r of two float32.
Network NetworkOn(ScriptedServer& server) {
  auto& variable = *server.variables.add_variables();
  variable.set_name("x.r");
  variable.set_uid(1);
  variable.set_role(v1::VARIABLE_ROLE_INPUT);
  variable.set_data_type(v1::DATA_TYPE_FLOAT32);
  variable.add_shape(1);
  variable.add_shape(2);
  const auto client = Client::Connect(server.address());
  EXPECT_TRUE(client.ok()) << client.status();
  return *client->GetNetwork("a");
}

TEST(Realtime, SaysWhatIsAskedAndLeavesTheRestToTheServer) {
  const v1::Clock plain = Realtime();
  EXPECT_EQ(plain.mode(), v1::Clock::MODE_REALTIME);
  EXPECT_FALSE(plain.has_tolerance() || plain.has_max_catch_up());
  const v1::Clock clock = Realtime({.speed = 0.5,
                                    .overrun = v1::Clock::OVERRUN_CATCH_UP,
                                    .tolerance = absl::Milliseconds(4),
                                    .max_catch_up = absl::Milliseconds(1250)});
  EXPECT_EQ(clock.speed(), 0.5);
  EXPECT_EQ(clock.overrun(), v1::Clock::OVERRUN_CATCH_UP);
  EXPECT_EQ(clock.tolerance().nanos(), 4'000'000);
  EXPECT_EQ(clock.max_catch_up().seconds(), 1);
  EXPECT_EQ(clock.max_catch_up().nanos(), 250'000'000);
  EXPECT_EQ(Lockstep().mode(), v1::Clock::MODE_LOCKSTEP);
  EXPECT_EQ(Free().mode(), v1::Clock::MODE_FREE);
}

TEST(SafetyBuilder, NamesInputsAndOutputs) {
  const v1::Safety safety =
      SafetyBuilder()
          .Input("camera",
                 {.timeout = absl::Milliseconds(200), .fallback = v1::Safety::FALLBACK_ZERO})
          .Output("arm", {.fallback = v1::Safety::FALLBACK_FAIL_SAFE, .fail_safe = MakeScalar(0.5)})
          .DriverTimeout(absl::Seconds(1))
          .KeepLearning()
          .Build();
  EXPECT_EQ(safety.inputs(0).input(), "camera");
  EXPECT_EQ(safety.inputs(0).timeout().nanos(), 200'000'000);
  EXPECT_EQ(safety.inputs(0).fallback(), v1::Safety::FALLBACK_ZERO);
  EXPECT_EQ(safety.outputs(0).output(), "arm");
  EXPECT_THAT(ToDoubles(safety.outputs(0).fail_safe()), ElementsAre(0.5));
  EXPECT_EQ(safety.driver_timeout().seconds(), 1);
  EXPECT_TRUE(safety.keep_learning());
}

std::vector<float> Floats(const std::string& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

TEST(Feed, SendsFramesWithTheirStampsAndTellsTheSummary) {
  ScriptedServer server;
  std::vector<v1::FeedRequest> requests;
  server.feed = [&requests](ScriptedServer::FeedStream& stream, v1::FeedResponse& response) {
    stream.SendInitialMetadata();
    for (v1::FeedRequest request; stream.Read(&request);) requests.push_back(request);
    response.set_received(static_cast<int64_t>(requests.size()) - 1);
    return grpc::Status::OK;
  };
  auto feed = NetworkOn(server).OpenFeed("x", {.between = v1::FeedOpen::BETWEEN_LINEAR,
                                               .late = v1::FeedOpen::LATE_APPLY,
                                               .max_age = absl::Milliseconds(500)});
  ASSERT_TRUE(feed.ok()) << feed.status();
  EXPECT_EQ(feed->variable().name(), "x.r");
  const std::vector<double> first = {1.0, 2.0};
  const std::vector<float> second = {3.0f, 4.0f};
  EXPECT_TRUE(feed->Push(first, {.at_step = 7}).ok());
  EXPECT_TRUE(feed->Push(second, {.captured_at = absl::FromUnixMillis(1'250)}).ok());
  EXPECT_EQ(feed->Push(std::vector<float>{1.0f}).code(), absl::StatusCode::kInvalidArgument);
  const auto summary = feed->Close();
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->server.received(), 2);
  EXPECT_EQ(summary->dropped, 0);
  EXPECT_FALSE(feed->Push(second).ok());
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].open().input(), "x.r");
  EXPECT_EQ(requests[0].open().between(), v1::FeedOpen::BETWEEN_LINEAR);
  EXPECT_EQ(requests[0].open().max_age().nanos(), 500'000'000);
  EXPECT_THAT(Floats(requests[1].frame().data()), ElementsAre(1.0f, 2.0f));
  EXPECT_EQ(requests[1].frame().at_step(), 7);
  EXPECT_FALSE(requests[2].frame().has_at_step());
  EXPECT_EQ(requests[2].frame().captured_at().seconds(), 1);
  EXPECT_EQ(requests[2].frame().captured_at().nanos(), 250'000'000);
}

TEST(Feed, TellsWhyTheServerRefusesIt) {
  ScriptedServer server;
  server.feed = [](ScriptedServer::FeedStream&, v1::FeedResponse&) {
    return grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "in LOCKSTEP");
  };
  const Network network = NetworkOn(server);
  auto feed = network.OpenFeed("x");
  ASSERT_TRUE(feed.ok()) << feed.status();
  EXPECT_EQ(feed->Close().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(feed->Push(std::vector<float>{1.0f, 2.0f}).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(network.OpenFeed("y").status().code(), absl::StatusCode::kNotFound);
}

TEST(Feed, LetsTheOldestFramesGoWhenTheServerTakesNone) {
  ScriptedServer server;
  std::mutex mutex;
  std::condition_variable changed;
  bool pushed = false;
  std::vector<float> numbers;
  server.feed = [&](ScriptedServer::FeedStream& stream, v1::FeedResponse&) {
    stream.SendInitialMetadata();
    v1::FeedRequest request;
    stream.Read(&request);
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return pushed; });
    while (stream.Read(&request)) numbers.push_back(Floats(request.frame().data()).front());
    return grpc::Status::OK;
  };
  constexpr size_t kSize = 200'000;  // more than the transport buffers, times kFrames
  constexpr int kFrames = 200;
  const Network network = NetworkOn(server);
  server.variables.mutable_variables(0)->set_shape(1, kSize);
  auto feed = network.OpenFeed("x", {.queue = 4});
  ASSERT_TRUE(feed.ok()) << feed.status();
  for (int number = 0; number < kFrames; ++number) {
    const std::vector<float> values(kSize, static_cast<float>(number));
    ASSERT_TRUE(feed->Push(values).ok());
  }
  EXPECT_GT(feed->dropped(), 0);
  {
    const std::lock_guard<std::mutex> lock(mutex);
    pushed = true;
  }
  changed.notify_one();
  const auto summary = feed->Close();
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(static_cast<int64_t>(numbers.size()) + summary->dropped, kFrames);
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
  EXPECT_EQ(numbers.back(), kFrames - 1);
}

/// Attaches with `options` and returns the window that the server was told; its answer to the
/// first advance waits for `beats` heartbeats.
absl::Duration WindowOf(v1::Clock clock, const AttachOptions& options, int beats = 0) {
  ScriptedServer server;
  *server.network.mutable_clock() = std::move(clock);
  absl::Duration window;
  server.drive = [&window, beats](ScriptedServer::DriveStream& stream) {
    v1::DriveRequest request;
    stream.Read(&request);
    const auto& heartbeat = request.attach().heartbeat();
    window = absl::Seconds(heartbeat.seconds()) + absl::Nanoseconds(heartbeat.nanos());
    v1::DriveResponse response;
    response.mutable_attached();
    stream.Write(response);
    int heard = 0, advances = 0;
    while (stream.Read(&request)) {
      heard += request.has_heartbeat() ? 1 : 0;
      advances += request.has_advance() ? 1 : 0;
      if (advances == 0 || heard < beats) continue;
      response.mutable_advanced()->set_tag(1);
      stream.Write(response);
      advances = 0;
    }
    return grpc::Status::OK;
  };
  auto drive = NetworkOn(server).Attach(options);
  EXPECT_TRUE(drive.ok()) << drive.status();
  EXPECT_TRUE(drive->Advance({}).ok());
  EXPECT_TRUE(drive->Finish().ok());
  return window;
}

TEST(Drive, BeatsWhileItsCallerWaits) {
  EXPECT_EQ(WindowOf(Lockstep(), {.heartbeat = absl::Milliseconds(40)}, /*beats=*/5),
            absl::Milliseconds(40));
}

TEST(Drive, LetsTheClockChooseItsWindow) {
  EXPECT_EQ(WindowOf(Lockstep(), {}), absl::ZeroDuration());
  EXPECT_EQ(WindowOf(Free(), {}), kDefaultHeartbeat);
  EXPECT_EQ(WindowOf(Realtime(), {}), kDefaultHeartbeat);
  EXPECT_EQ(WindowOf(Realtime(), {.heartbeat = absl::ZeroDuration()}), absl::ZeroDuration());
}

v1::SubscribeResponse SampleAt(int64_t step, uint32_t selection = 0) {
  v1::SubscribeResponse response;
  auto& sample = *response.mutable_event()->mutable_samples()->add_samples();
  sample.set_selection(selection);
  sample.mutable_cursor()->set_step(step);
  return response;
}

TEST(Subscription, AsksForWhatIsRetainedBehindACursor) {
  ScriptedServer server;
  v1::Subscription asked;
  server.subscribe = [&asked](ScriptedServer::SubscribeStream& stream) {
    v1::SubscribeRequest request;
    stream.Read(&request);
    asked = request.subscription();
    v1::SubscribeResponse response;
    response.mutable_event()->mutable_opened()->add_selections();
    stream.Write(response);
    stream.Write(SampleAt(8));
    response.Clear();
    response.mutable_event()->mutable_gap()->mutable_last()->set_step(20);
    stream.Write(response);
    response.Clear();
    response.mutable_event()->mutable_heartbeat()->mutable_cursor()->set_step(30);
    stream.Write(response);
    return grpc::Status::OK;
  };
  auto stream = NetworkOn(server).Subscribe({.variables = {"y.r"}, .on_change = 0.25},
                                            {.start_behind = Cursor{.epoch = 0, .step = 5},
                                             .delivery = v1::Subscription::DELIVERY_RELIABLE,
                                             .retained_bytes = 1000});
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_EQ(asked.start(), v1::Subscription::START_CURSOR);
  EXPECT_EQ(asked.cursor().step(), 5);
  EXPECT_EQ(asked.delivery(), v1::Subscription::DELIVERY_RELIABLE);
  EXPECT_EQ(asked.retained_bytes(), 1000);
  EXPECT_EQ(asked.selections(0).on_change().threshold(), 0.25);
  for (const int64_t step : {5, 8, 20, 30}) {
    ASSERT_TRUE(stream->position().has_value());
    EXPECT_EQ(stream->position()->step, step);
    (void)stream->Next();
  }
}

TEST(Subscription, HasAStepOfSeveralSelectionsWhenTheNextOneBegins) {
  ScriptedServer server;
  server.subscribe = [](ScriptedServer::SubscribeStream& stream) {
    v1::SubscribeRequest request;
    stream.Read(&request);
    v1::SubscribeResponse response;
    response.mutable_event()->mutable_opened()->add_selections();
    response.mutable_event()->mutable_opened()->add_selections();
    stream.Write(response);
    stream.Write(SampleAt(4, 0));
    return grpc::Status::OK;
  };
  auto stream = NetworkOn(server).Subscribe({{.variables = {"y.r"}}, {.variables = {"loss"}}});
  ASSERT_TRUE(stream.ok()) << stream.status();
  ASSERT_TRUE(stream->NextSample().ok());
  EXPECT_EQ(stream->position()->step, 3);
}

}  // namespace
}  // namespace prospero::client
