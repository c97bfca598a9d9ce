// Networks whose sensors, or whose driver, stop.

#include <functional>
#include <limits>
#include <map>

#include "gmock/gmock.h"
#include "google/protobuf/message.h"
#include "gtest/gtest.h"
#include "tests/server/model_specs.h"
#include "tests/server/sensor.h"

namespace prospero::server {
namespace {

using grpc::StatusCode;

constexpr int kTimeoutNs = 300'000'000;

v1::Safety SafetyOf(const std::string& input) {
  v1::Safety safety;
  v1::Safety::Input* watched = safety.add_inputs();
  watched->set_input(input);
  watched->mutable_timeout()->set_nanos(kTimeoutNs);
  return safety;
}

grpc::Status CreateWith(TestServer& server, const v1::Safety& safety, bool validate_only = false) {
  v1::CreateNetworkRequest request = CreateRequest(validate_only ? "" : "a");
  *request.mutable_network()->mutable_safety() = safety;
  request.mutable_network()->mutable_clock()->set_mode(v1::Clock::MODE_FREE);
  request.set_validate_only(validate_only);
  return Create(server, request);
}

TEST(Safety, IsPartOfTheResource) {
  TestServer server;
  v1::Safety safety = SafetyOf("in");
  v1::Safety::Output* output = safety.add_outputs();
  output->set_output("out");
  output->set_fallback(v1::Safety::FALLBACK_FAIL_SAFE);
  *output->mutable_fail_safe() = Doubles({2}, {1, -1});
  safety.mutable_driver_timeout()->set_seconds(1);
  ASSERT_TRUE(CreateWith(server, safety).ok());
  EXPECT_EQ(server.Get("a").safety().SerializeAsString(), safety.SerializeAsString());
  EXPECT_FALSE(server.Get("a").unsafe());

  v1::CloneNetworkRequest clone;
  clone.set_name("networks/a");
  clone.set_network_id("b");
  v1::CloneNetworkResponse cloned;
  ASSERT_TRUE(
      Call(server.networks(), &v1::NetworkService::Stub::CloneNetwork, clone, &cloned).ok());
  EXPECT_EQ(cloned.network().safety().SerializeAsString(), safety.SerializeAsString());

  v1::UpdateNetworkRequest update = UpdateOf("a", {"safety"});
  update.mutable_network()->mutable_safety()->set_keep_learning(true);
  ASSERT_TRUE(Update(server, update).ok());
  EXPECT_TRUE(server.Get("a").safety().keep_learning());
  EXPECT_EQ(server.Get("a").safety().inputs_size(), 0);
  ASSERT_TRUE(Update(server, UpdateOf("a", {"safety"})).ok());
  EXPECT_FALSE(server.Get("a").has_safety());
}

TEST(Safety, NamesTheFieldThatIsWrong) {
  TestServer server;
  const auto refused = [&server](const v1::Safety& safety, const std::string& reason,
                                 const std::string& field) {
    for (const bool validate_only : {false, true}) {
      EXPECT_TRUE(IsError(CreateWith(server, safety, validate_only), StatusCode::INVALID_ARGUMENT,
                          reason, "network.safety." + field));
    }
  };
  refused(SafetyOf("hidden"), "UNKNOWN_VARIABLE", "inputs[0].input");
  v1::Safety safety = SafetyOf("in");
  safety.mutable_inputs(0)->clear_timeout();
  refused(safety, "INVALID_FIELD", "inputs[0].timeout");
  safety.mutable_inputs(0)->mutable_timeout();
  refused(safety, "INVALID_FIELD", "inputs[0].timeout");
  safety = SafetyOf("in");
  *safety.add_inputs() = safety.inputs(0);
  refused(safety, "INVALID_FIELD", "inputs[1].input");
  safety = SafetyOf("in");
  safety.mutable_inputs(0)->set_fallback(v1::Safety::FALLBACK_FAIL_SAFE);
  refused(safety, "INVALID_FIELD", "inputs[0].fail_safe");
  *safety.mutable_inputs(0)->mutable_fail_safe() = Doubles({2}, {1, 2});
  refused(safety, "INVALID_FIELD", "inputs[0].fail_safe.shape");
  for (const v1::Tensor& allowed :
       {Doubles({}, {1}), Doubles({3}, {1, 2, 3}), Doubles({1, 3}, {1, 2, 3})}) {
    *safety.mutable_inputs(0)->mutable_fail_safe() = allowed;
    EXPECT_TRUE(CreateWith(server, safety, /*validate_only=*/true).ok());
  }
  safety = v1::Safety();
  safety.add_outputs()->set_output("in");
  refused(safety, "UNKNOWN_VARIABLE", "outputs[0].output");
  safety = v1::Safety();
  safety.mutable_driver_timeout();
  refused(safety, "INVALID_FIELD", "driver_timeout");
  ASSERT_TRUE(CreateWith(server, v1::Safety()).ok());
}

/// Calls `change` for every plasticity in the message.
void ForEachPlasticity(google::protobuf::Message* message,
                       const std::function<void(v1::Plasticity*)>& change) {
  if (message->GetDescriptor() == v1::Plasticity::descriptor()) {
    return change(google::protobuf::DynamicCastToGenerated<v1::Plasticity>(message));
  }
  const google::protobuf::Reflection& reflection = *message->GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(*message, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      ForEachPlasticity(reflection.MutableMessage(message, field), change);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(*message, field); ++i) {
      ForEachPlasticity(reflection.MutableRepeatedMessage(message, field, i), change);
    }
  }
}

/// Momentum and Adam in turn, both with weight decay: whatever could move a weight by itself.
void Restless(v1::NetworkSpec* spec) {
  int count = 0;
  ForEachPlasticity(spec, [&count](v1::Plasticity* plasticity) {
    plasticity->set_weight_decay(1e-3);
    plasticity->set_learning_rate(1e-3);
    if (count++ % 2 == 0) {
      plasticity->mutable_adam();
    } else {
      plasticity->mutable_momentum()->set_momentum(0.9);
    }
  });
  ASSERT_GE(count, 3);
}

/// Names of all weights.
std::vector<std::string> WeightsOf(TestServer& server, const std::string& id) {
  std::vector<std::string> names;
  for (const auto& [name, schema] : server.Schema(id)) {
    if (schema.role() == v1::VARIABLE_ROLE_WEIGHT) names.push_back(name);
  }
  EXPECT_GE(names.size(), 2u);
  return names;
}

std::string AllValues(const v1::SubscriptionEvent::Sample& sample) {
  std::string values;
  for (const v1::Block& block : sample.values()) values += block.data();
  return values;
}

TEST(Safety, WhatWasLearnedIsUntouchedByASensorThatDiesOrSendsNaN) {
  for (const ModelSample& model : ModelSamples()) {
    for (const bool sends_nan : {false, true}) {
      SCOPED_TRACE(model.kind + (sends_nan ? ", NaN" : ", dead"));
      TestServer server;
      v1::CreateNetworkRequest create;
      create.set_network_id("a");
      *create.mutable_network()->mutable_spec() = model.spec;
      Restless(create.mutable_network()->mutable_spec());
      create.mutable_network()->mutable_clock()->set_mode(v1::Clock::MODE_FREE);
      *create.mutable_network()->mutable_safety() = SafetyOf(model.input);
      ASSERT_TRUE(Create(server, create).ok());
      Spectator spectator(server.simulation(), "a", WeightsOf(server, "a"), 500);
      Sensor target(server.simulation(), FeedOf("a", model.target));
      EXPECT_TRUE(target.Push(std::vector<double>(static_cast<size_t>(model.target_size), 0.3)));
      Sensor sensor(server.simulation(), FeedOf("a", model.input));
      const std::vector<double> sensed(static_cast<size_t>(model.input_size), 0.5);
      EXPECT_TRUE(sensor.Push(sensed));
      Start(server, "a");
      if (sends_nan) {
        std::vector<double> nan = sensed;
        nan[0] = std::numeric_limits<double>::quiet_NaN();
        for (int i = 0; i < 100; ++i) EXPECT_TRUE(sensor.Push(nan));
      }
      EXPECT_EQ(spectator.Await(v1::Notice::KIND_INPUT_SILENT).variable(), model.input);
      const int64_t frozen = spectator.Await(v1::Notice::KIND_LEARNING_FROZEN).cursor().step();
      EXPECT_TRUE(server.Get("a").unsafe());
      EXPECT_TRUE(server.Get("a").learning());
      const auto first = spectator.AwaitSample(frozen, [](const auto&) { return true; });
      spectator.AwaitSample(first.cursor().step() + 5000, [](const auto&) { return true; });
      EXPECT_TRUE(sensor.Push(sensed));
      const int64_t resumed = spectator.Await(v1::Notice::KIND_LEARNING_RESUMED).cursor().step();
      spectator.AwaitSample(
          resumed, [&](const auto& sample) { return AllValues(sample) != AllValues(first); });
      int unchanged = 0;
      for (const auto& sample : spectator.samples()) {
        if (sample.cursor().step() <= frozen || sample.cursor().step() > resumed) continue;
        EXPECT_EQ(AllValues(sample), AllValues(first)) << sample.cursor().step();
        ++unchanged;
      }
      EXPECT_GE(unchanged, 2);
    }
  }
}

TEST(Safety, AVanishedSensorLetsTheCommandFallBack) {
  TestServer server;
  v1::Safety safety = SafetyOf("in");
  v1::Safety::Output* output = safety.add_outputs();
  output->set_output("out");
  output->set_fallback(v1::Safety::FALLBACK_FAIL_SAFE);
  *output->mutable_fail_safe() = Doubles({2}, {0.25, -0.5});
  ASSERT_TRUE(CreateWith(server, safety).ok());
  Spectator spectator(server.simulation(), "a", {"out.command", "safety.unsafe"}, 500);
  Sensor sensor(server.simulation(), FeedOf("a", "in"));
  EXPECT_TRUE(sensor.Push({1, 2, 3}));
  Start(server, "a");
  sensor.Cancel();
  spectator.Await(v1::Notice::KIND_INPUT_SILENT);
  const auto sample =
      spectator.AwaitSample(0, [](const auto& seen) { return ValuesOf(seen.values(1))[0] == 1.0; });
  EXPECT_EQ(ValuesOf(sample.values(0)), (std::vector<double>{0.25, -0.5}));
}

TEST(Safety, ADriverThatStopsBeatingIsMissed) {
  TestServer server;
  v1::Safety safety;
  safety.mutable_driver_timeout()->set_nanos(kTimeoutNs);
  ASSERT_TRUE(CreateWith(server, safety).ok());
  Spectator spectator(server.simulation(), "a", {"safety.unsafe"}, 500);
  Start(server, "a");
  v1::DriveAttach attach = AttachTo("a");
  attach.mutable_heartbeat()->set_nanos(kTimeoutNs);
  TestDriver driver(server.simulation(), attach);
  ASSERT_TRUE(driver.opened());
  // A job that waits for its step is no excuse.
  v1::DriveAdvance waiting;
  waiting.set_at_step(int64_t{1} << 50);
  EXPECT_TRUE(driver.Send(waiting));
  spectator.Await(v1::Notice::KIND_DRIVER_CAME);
  EXPECT_THAT(spectator.Await(v1::Notice::KIND_DRIVER_LEFT).message(),
              testing::HasSubstr("no heartbeat came for 300ms"));
  spectator.Await(v1::Notice::KIND_DRIVER_MISSING);
  EXPECT_TRUE(IsError(driver.End(), StatusCode::DEADLINE_EXCEEDED, "HEARTBEAT_MISSED"));
}

TEST(Safety, AHeartThatStopsIsMissedWhileALongRequestIsAtWork) {
  TestServer server;
  server.Make("a", SmallSpec(), v1::Clock::MODE_REALTIME);
  Start(server, "a");
  v1::DriveAttach attach = AttachTo("a");
  attach.mutable_heartbeat()->set_nanos(kTimeoutNs);
  TestDriver driver(server.simulation(), attach);
  ASSERT_TRUE(driver.opened());
  v1::DriveRequest heartbeat;
  heartbeat.mutable_heartbeat();
  EXPECT_TRUE(driver.SendRaw(heartbeat));
  v1::DriveAdvance advance;
  advance.set_steps(1'000'000);  // A minute at the least.
  advance.set_output_every(1'000'000);
  EXPECT_TRUE(driver.Send(advance));
  EXPECT_TRUE(IsError(driver.End(), StatusCode::DEADLINE_EXCEEDED, "HEARTBEAT_MISSED"));
  EXPECT_LT(server.Get("a").cursor().step(), 1'000'000);
}

TEST(Safety, HeartbeatsAreSignsOfLifeWithoutAnAnswer) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::DriveAttach attach = AttachTo("a");
  attach.mutable_heartbeat()->set_seconds(30);
  TestDriver driver(server.simulation(), attach);
  v1::DriveRequest heartbeat;
  heartbeat.mutable_heartbeat();
  EXPECT_TRUE(driver.SendRaw(heartbeat));
  v1::DriveAdvance advance;
  advance.set_tag(7);
  EXPECT_EQ(driver.Advance(advance).advanced().tag(), 7u);
  EXPECT_TRUE(driver.SendRaw(heartbeat));
  driver.HalfClose();
  EXPECT_TRUE(driver.End().ok());
  const auto context = Context();
  const auto stream = server.simulation().Drive(context.get());
  stream->Write(heartbeat);
  EXPECT_TRUE(IsError(stream->Finish(), StatusCode::INVALID_ARGUMENT, "BAD_SEQUENCE"));
}

}  // namespace
}  // namespace prospero::server
