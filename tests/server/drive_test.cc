// The closed loop: numbers in, numbers out, and what is refused.

#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "engine/models/gle/gle.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/convert/gle.h"
#include "tests/server/support.h"

namespace prospero::server {
namespace {

using grpc::StatusCode;
using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr int kOutputs = 2;

/// The engine's network, stepped by hand.
class Alone {
 public:
  explicit Alone(const v1::NetworkSpec& spec) : dt_(spec.dt_ms()) {
    NetworkOptions options;
    options.dt = spec.dt_ms();
    options.precision = DataType::kFloat64;
    options.seed = spec.seed();
    network_ = *MakeGle(*FromProto(spec.gle()), options, NetworkLimits());
  }
  std::vector<double> Step(const std::vector<double>& input, const std::vector<double>* target) {
    Write("in.r", input);
    const Variable& port = Find("out.target");
    network_->variables()[port.presence].Fill(target == nullptr ? 0.0 : 1.0);
    if (target != nullptr) Write("out.target", *target);
    network_->Advance(prospero::Step{index_++, dt_});
    std::vector<double> output(kOutputs);
    Find("out.r").Read(output.data());
    return output;
  }
  double loss() const { return Find("loss").scalar(); }

 private:
  const Variable& Find(const std::string& name) const {
    return network_->variables()[network_->variables().Find(name)];
  }
  void Write(const std::string& name, const std::vector<double>& values) {
    Find(name).Write(values.data());
  }
  double dt_;
  std::unique_ptr<Network> network_;
  int64_t index_ = 0;
};

TEST(Drive, GivesTheSameBitsAsTheEngineAlone) {
  TestServer server;
  server.Make("a", SmallSpec());
  Alone alone(SmallSpec());
  TestDriver driver(server.simulation(), "a");
  ASSERT_TRUE(driver.opened());
  int64_t step = 0;
  for (const int64_t count : {1, 7, 1, 100, 3, 400, 64}) {
    const v1::DriveResponse response = driver.Advance(Lesson(driver, step, count));
    ASSERT_TRUE(response.has_advanced()) << response.ShortDebugString();
    std::vector<double> expected;
    for (int64_t i = step; i < step + count; ++i) {
      const std::vector<double> target = TargetAt(i);
      const std::vector<double> output = alone.Step(InputAt(i), &target);
      expected.insert(expected.end(), output.begin(), output.end());
    }
    step += count;
    ASSERT_EQ(response.advanced().outputs_size(), 1);
    EXPECT_EQ(response.advanced().outputs(0).data(), Bytes(expected));
    EXPECT_EQ(response.advanced().cursor().step(), step);
    EXPECT_EQ(response.advanced().steps(), count);
  }
  driver.HalfClose();
  EXPECT_TRUE(driver.End().ok());
}

TEST(Drive, HoldsOneRowForAllStepsAndLosesTheTargetThatHasNone) {
  TestServer server;
  server.Make("a", SmallSpec());
  Alone alone(SmallSpec());
  TestDriver driver(server.simulation(), "a");
  v1::DriveAdvance advance;
  advance.set_steps(20);
  AddBlock(&advance, driver.uid("in.r"), InputAt(5));
  AddBlock(&advance, driver.uid("out.target"), TargetAt(5));
  v1::DriveResponse response = driver.Advance(advance);
  const std::vector<double> target = TargetAt(5);
  std::vector<double> expected;
  double loss = 0;
  for (int i = 0; i < 20; ++i) {
    const std::vector<double> output = alone.Step(InputAt(5), &target);
    expected.insert(expected.end(), output.begin(), output.end());
    loss += alone.loss();
  }
  EXPECT_EQ(response.advanced().outputs(0).data(), Bytes(expected));
  EXPECT_DOUBLE_EQ(response.advanced().loss(), loss / 20);

  v1::DriveAdvance free;
  free.set_steps(10);
  response = driver.Advance(free);
  expected.clear();
  for (int i = 0; i < 10; ++i) {
    const std::vector<double> output = alone.Step(InputAt(5), nullptr);
    expected.insert(expected.end(), output.begin(), output.end());
  }
  EXPECT_EQ(response.advanced().outputs(0).data(), Bytes(expected));
  EXPECT_FALSE(response.advanced().has_loss());
}

TEST(Drive, ReturnsEveryNthStepAndAlwaysTheLast) {
  TestServer server;
  server.Make("a", SmallSpec());
  server.Make("b", SmallSpec());
  TestDriver every(server.simulation(), "a");
  TestDriver fourth(server.simulation(), "b");
  v1::DriveAdvance advance = Lesson(every, 0, 10);
  const auto all = Values<double>(every.Advance(advance).advanced().outputs(0).data());
  advance.set_output_every(4);
  const auto some = Values<double>(fourth.Advance(advance).advanced().outputs(0).data());
  EXPECT_THAT(some, ElementsAre(all[2], all[3], all[10], all[11], all[18], all[19]));
}

TEST(Drive, AttachesPortsByNameAndOutputsByGlob) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::DriveAttach attach = AttachTo("a");
  attach.add_inputs("out");
  attach.add_inputs("in");
  attach.add_outputs("*.r");
  attach.add_outputs("out.r");
  attach.add_outputs("*.W.norm");
  TestDriver driver(server.simulation(), attach);
  ASSERT_TRUE(driver.opened());
  std::vector<std::string> inputs;
  for (const auto& schema : driver.attached().inputs()) inputs.push_back(schema.name());
  std::vector<std::string> outputs;
  for (const auto& schema : driver.attached().outputs()) outputs.push_back(schema.name());
  EXPECT_THAT(inputs, ElementsAre("out.target", "in.r"));
  EXPECT_THAT(outputs, UnorderedElementsAre("in.r", "hidden.r", "out.r", "in_to_hidden.W.norm",
                                            "hidden_to_out.W.norm"));
  EXPECT_EQ(driver.attached().dt_ms(), 0.1);
  const v1::DriveResponse response = driver.Advance(Lesson(driver, 0, 2));
  ASSERT_EQ(response.advanced().outputs_size(), 5);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(response.advanced().outputs(i).uid(), driver.attached().outputs(i).uid());
  }
}

TEST(Drive, AnswersInTheOrderOfTheRequestsAlsoWhenSomeAreRefused) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::DriveAttach attach = AttachTo("a");
  attach.add_outputs("in.r");
  TestDriver driver(server.simulation(), attach);
  constexpr int kCount = 3000;
  std::thread writer([&] {
    for (int i = 0; i < kCount; ++i) {
      v1::DriveAdvance advance;
      advance.set_tag(static_cast<uint64_t>(i));
      advance.set_steps(i % 3 == 0 ? -1 : 1);
      AddBlock<double>(&advance, driver.uid("in.r"), {1.0 * i, 2.0 * i, 3.0 * i});
      ASSERT_TRUE(driver.Send(advance));
    }
    driver.HalfClose();
  });
  for (int i = 0; i < kCount; ++i) {
    const v1::DriveResponse response = driver.Receive();
    if (i % 3 == 0) {
      ASSERT_EQ(response.error().tag(), static_cast<uint64_t>(i));
      continue;
    }
    ASSERT_EQ(response.advanced().tag(), static_cast<uint64_t>(i));
    ASSERT_THAT(Values<double>(response.advanced().outputs(0).data()),
                ElementsAre(1.0 * i, 2.0 * i, 3.0 * i));
  }
  writer.join();
  EXPECT_TRUE(driver.End().ok());
}

TEST(Drive, TellsWhyAnAdvanceIsRefusedAndGoesOn) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::DriveAttach attach = AttachTo("a");
  attach.add_inputs("in");
  TestDriver driver(server.simulation(), attach);
  const auto schema = server.Schema("a");
  const uint32_t in = driver.uid("in.r");
  struct Case {
    std::string what;
    v1::DriveAdvance advance;
    StatusCode code;
    std::string reason;
    std::string field;
  };
  std::vector<Case> cases;
  const auto add = [&cases](std::string what, StatusCode code, std::string reason,
                            std::string field) -> v1::DriveAdvance& {
    cases.push_back({std::move(what), {}, code, std::move(reason), std::move(field)});
    return cases.back().advance;
  };
  const auto bad = StatusCode::INVALID_ARGUMENT;
  add("negative steps", bad, "INVALID_FIELD", "advance.steps").set_steps(-1);
  add("many steps", StatusCode::RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED", "advance.steps")
      .set_steps(1'000'001);
  add("negative stride", bad, "INVALID_FIELD", "advance.output_every").set_output_every(-1);
  add("negative time", bad, "INVALID_FIELD", "advance.at_step").set_at_step(-3);
  add("other time", StatusCode::OUT_OF_RANGE, "STEP_MISMATCH", "advance.at_step").set_at_step(3);
  AddBlock<double>(&add("short row", bad, "INVALID_FIELD", "advance.inputs[0].data"), in, {1, 2});
  add("odd bytes", bad, "INVALID_FIELD", "advance.inputs[0].data").add_inputs()->set_uid(in);
  cases.back().advance.mutable_inputs(0)->set_data(std::string(23, 'x'));
  AddBlock<double>(&add("two rows for one step", bad, "INVALID_FIELD", "advance.inputs[0].data"),
                   in, {1, 2, 3, 4, 5, 6});
  AddBlock<double>(&add("uid 0", bad, "UNKNOWN_VARIABLE", "advance.inputs[0].uid"), 0, {1, 2, 3});
  AddBlock<double>(&add("unknown uid", bad, "UNKNOWN_VARIABLE", "advance.inputs[0].uid"), 9999,
                   {1, 2, 3});
  AddBlock<double>(&add("not attached", bad, "INVALID_FIELD", "advance.inputs[0].uid"),
                   schema.at("out.target").uid(), {1, 2});
  AddBlock<double>(&add("not finite", bad, "INVALID_FIELD", "advance.inputs[0].data"), in,
                   {1, std::numeric_limits<double>::quiet_NaN(), 3});
  auto& twice = add("given twice", bad, "INVALID_FIELD", "advance.inputs");
  AddBlock<double>(&twice, in, {1, 2, 3});
  AddBlock<double>(&twice, in, {1, 2, 3});
  for (const Case& bad_case : cases) {
    const v1::DriveResponse response = driver.Advance(bad_case.advance);
    ASSERT_TRUE(response.has_error()) << bad_case.what;
    EXPECT_TRUE(IsError(response.error().status(), bad_case.code, bad_case.reason, bad_case.field))
        << bad_case.what;
    EXPECT_EQ(response.error().cursor().step(), 0) << bad_case.what;
  }
  EXPECT_TRUE(driver.Advance({}).has_advanced());
  driver.HalfClose();
  EXPECT_TRUE(driver.End().ok());
}

TEST(Drive, RefusesAnswersThatAreTooBig) {
  TestServer server([](Server::Options& o) { o.limits.max_message_bytes = 100'000; });
  server.Make("a", SmallSpec());
  TestDriver driver(server.simulation(), "a");
  v1::DriveAdvance advance;
  advance.set_steps(10'000);
  const v1::DriveResponse response = driver.Advance(advance);
  EXPECT_TRUE(IsError(response.error().status(), StatusCode::RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED"));
  EXPECT_THAT(DetailsOf(response.error().status()).metadata,
              Contains(Pair("limit", "max_message_bytes")));
  advance.set_output_every(10'000);
  EXPECT_TRUE(driver.Advance(advance).has_advanced());
}

TEST(Drive, RefusesABadAttach) {
  TestServer server;
  server.Make("a", SmallSpec());
  const auto end = [&](const std::function<void(v1::DriveAttach&)>& spoil) {
    v1::DriveAttach attach = AttachTo("a");
    spoil(attach);
    TestDriver driver(server.simulation(), attach);
    EXPECT_FALSE(driver.opened());
    return driver.End();
  };
  const auto bad = StatusCode::INVALID_ARGUMENT;
  EXPECT_TRUE(
      IsError(end([](auto& a) { a.set_network("a"); }), bad, "INVALID_FIELD", "attach.network"));
  EXPECT_TRUE(IsError(end([](auto& a) { a.set_network("networks/b"); }), StatusCode::NOT_FOUND,
                      "NETWORK_NOT_FOUND"));
  EXPECT_TRUE(IsError(end([](auto& a) { a.add_inputs("hidden"); }), bad, "UNKNOWN_VARIABLE",
                      "attach.inputs[0]"));
  EXPECT_TRUE(IsError(end([](auto& a) {
                        a.add_inputs("in");
                        a.add_inputs("in.r");
                      }),
                      bad, "INVALID_FIELD", "attach.inputs[1]"));
  EXPECT_TRUE(IsError(end([](auto& a) { a.add_outputs("nothing.*"); }), bad, "UNKNOWN_VARIABLE",
                      "attach.outputs[0]"));
  EXPECT_TRUE(IsError(end([](auto& a) { a.mutable_heartbeat()->set_seconds(-1); }), bad,
                      "INVALID_FIELD", "attach.heartbeat"));
}

TEST(Drive, TellsHowLongItsRequestsTookByStage) {
  TestServer server;
  server.Make("a", SmallSpec());
  TestDriver driver(server.simulation(), "a");
  v1::DriveAdvance advance = Lesson(driver, 0, 10);
  EXPECT_EQ(driver.Advance(advance).advanced().latency_size(), 0);
  EXPECT_EQ(driver.Advance(advance).advanced().latency_size(), 0);
  advance.set_report_latency(true);
  const v1::DriveResponse response = driver.Advance(advance);
  ASSERT_EQ(response.advanced().latency_size(), 5);
  for (int i = 0; i < 5; ++i) {
    const v1::StageLatency& latency = response.advanced().latency(i);
    EXPECT_EQ(latency.stage(), i + 1);
    const auto& buckets = latency.buckets();
    EXPECT_EQ(std::accumulate(buckets.begin(), buckets.end(), int64_t{0}), latency.count());
    EXPECT_GT(latency.max_ns(), 0);
    EXPECT_GE(latency.sum_ns(), latency.max_ns());
    if (latency.stage() == v1::StageLatency::STAGE_WRITE) {
      // The answer itself is not written yet; the one before may be on its way still.
      EXPECT_THAT(latency.count(), AnyOf(1, 2));
    } else {
      EXPECT_EQ(latency.count(), 3);
    }
  }
  EXPECT_GE(response.advanced().latency(2).sum_ns(), response.advanced().stepping_ns());
  EXPECT_EQ(driver.Advance(Lesson(driver, 30, 1)).advanced().latency_size(), 0);
}

}  // namespace
}  // namespace prospero::server
