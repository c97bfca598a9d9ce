// The C++ client against prosperod itself.

#include <cmath>
#include <cstdio>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "live_server.h"
#include "prospero/client/client.h"

namespace prospero::client {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

v1::NetworkSpec LearningChain() {
  return gle::Chain({2, 8, 1}, {.tau_m_ms = kTau,
                                .plasticity = gle::Sgd(0.01),
                                .precision = v1::DATA_TYPE_FLOAT64,
                                .seed = 1});
}

TEST(CppClient, SeesWhatTheServerIs) {
  const auto info = Connect().ServerInfo();
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->product(), "prosperod");
  EXPECT_GT(info->limits().max_neurons(), 0);
}

TEST(CppClient, BuildsEveryKindOfNetwork) {
  const auto align = Align(WithDecay(Sgd(0.05), 0.01), 1.0);
  const auto noise = OrnsteinUhlenbeck(0.1, 1.0);
  const std::vector<std::pair<std::string, v1::NetworkSpec>> specs = {
      {"h_to_y", gle::SpecBuilder(0.1)
                     .Input("x", 3)
                     .Hidden("h", 5, {.noise = noise})
                     .Output("y", 2)
                     .Project("x", "h", {.plasticity = Sgd(0.01)})
                     .Project("h", "y", {.feedback = gle::Aligned(align)})
                     .Build()},
      {"y", latent_equilibrium::SpecBuilder(0.1, {2, 4, 4}, {.feedback = v1::FEEDBACK_PATH_ALIGNED})
                .Convolution("map", 3, {.kernel = {3}, .padding = {1}}, {.noise = noise})
                .MaxPool("pool", {.window = {2}})
                .Dense("y", 2, {.plasticity = Sgd(0.01), .alignment = align})
                .Build()},
      {"h", microcircuit::SpecBuilder(0.1, {.feedback = v1::FEEDBACK_PATH_ALIGNED})
                .Input("x", 3)
                .Hidden("h", 5, {.alignment = align, .noise = noise})
                .Output("y", 2)
                .Build()}};
  const Client client = Connect();
  for (const auto& [owner, spec] : specs) {
    const Network network = Create(client, spec, {});
    const std::string angle = owner + ".alignment_angle";
    const auto result = network.Step({.steps = 20, .outputs = {"y.r", angle}});
    ASSERT_TRUE(result.ok()) << result.status();
    const std::vector<double> angles = ToDoubles(result->outputs.at(angle));
    ASSERT_EQ(angles.size(), 20u) << owner;
    EXPECT_NE(angles.front(), angles.back()) << owner;
    EXPECT_EQ(network.Get()->warnings_size(), 0) << owner;
    EXPECT_TRUE(network.Delete().ok());
  }
}

TEST(CppClient, CreatesFindsListsAndDeletes) {
  const Client client = Connect();
  const auto network =
      Create(client, LearningChain(), {.id = "listed", .labels = {{"team", "cpp"}}});
  EXPECT_EQ(network.name(), "networks/listed");
  EXPECT_EQ(client.GetNetwork("listed")->name(), "networks/listed");
  const auto listed = client.ListNetworks("labels.team = \"cpp\"");
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ((*listed)[0].name(), "networks/listed");

  EXPECT_EQ(client.CreateNetwork(LearningChain(), {.id = "listed"}).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(network.Delete().ok());
  EXPECT_EQ(client.GetNetwork("listed").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(client.DeleteNetwork("listed").code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(client.DeleteNetwork("listed", /*allow_missing=*/true).ok());
}

TEST(CppClient, MakesNothingWhenItOnlyValidates) {
  const Client client = Connect();
  EXPECT_TRUE(client.CreateNetwork(LearningChain(), {.id = "never", .validate_only = true}).ok());
  EXPECT_EQ(client.GetNetwork("never").status().code(), absl::StatusCode::kNotFound);
}

TEST(CppClient, IsToldWhatANetworkTakesBeforeItIsMade) {
  const Client client = Connect();
  const v1::NetworkSpec spec = gle::Chain({3, 5, 2}, {});
  const auto told = client.Validate(spec);
  ASSERT_TRUE(told.ok()) << told.status();
  EXPECT_EQ(told->neurons(), 10);
  EXPECT_EQ(told->weights(), 25);
  EXPECT_GT(told->bytes(), 25 * 4);
  const Network network = Create(client, spec, {});
  EXPECT_EQ(network.Get()->footprint().SerializeAsString(), told->SerializeAsString());
  EXPECT_TRUE(network.Delete().ok());
  EXPECT_EQ(client.Validate(gle::Chain({1'000'000, 1'000'000, 1}, {})).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(CppClient, NamesTheFieldThatWasWrong) {
  auto spec = LearningChain();
  spec.set_dt_ms(-1.0);
  const auto network = Connect().CreateNetwork(spec);
  EXPECT_EQ(network.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(Reason(network.status()).empty());
  ASSERT_EQ(FieldViolations(network.status()).size(), 1u);
  EXPECT_THAT(FieldViolations(network.status())[0].field, HasSubstr("dt_ms"));
}

TEST(CppClient, TellsTheSchema) {
  const auto network = Create(Connect(), LearningChain(), {});
  const auto schema = network.Schema();
  ASSERT_TRUE(schema.ok()) << schema.status();
  std::vector<std::string> names;
  for (const auto& variable : *schema) names.push_back(variable.name());
  EXPECT_THAT(names, testing::IsSupersetOf(
                         {"input.r", "hidden.u", "hidden_to_output.W", "output.target", "loss"}));
}

TEST(CppClient, DrivesAsTheEquationSays) {
  const auto network = Create(Connect(), Integrator(), {});
  auto drive = network.Attach({.outputs = {"output.u"}});
  ASSERT_TRUE(drive.ok()) << drive.status();
  const std::vector<double> x = {1.0};
  const auto advanced = drive->Advance({{"input", x}}, /*steps=*/50);
  ASSERT_TRUE(advanced.ok()) << advanced.status();
  EXPECT_EQ(advanced->cursor.step, 50);
  EXPECT_EQ(advanced->steps, 50);
  EXPECT_FALSE(advanced->loss.has_value());
  const auto u = advanced->Find("output.u")->View<double>();
  ASSERT_TRUE(u.ok()) << u.status();
  ASSERT_EQ(u->size(), 50u);
  // Forward Euler reads its input undelayed: u after n steps is 1 - (1 - dt/tau)^n.
  for (size_t n = 0; n < u->size(); ++n) {
    EXPECT_NEAR((*u)[n], 1.0 - std::pow(1.0 - 1.0 / kTau, static_cast<double>(n + 1)), 1e-12);
  }
  EXPECT_TRUE(drive->Finish().ok());
}

TEST(CppClient, TakesFloatsAndDoublesAlike) {
  const auto network = Create(Connect(), Integrator(), {});
  auto drive = network.Attach();
  const std::vector<float> x = {0.5f, 0.25f};
  const auto advanced = drive->Advance({{"input", x}}, 2, {.output_every = 2});
  ASSERT_TRUE(advanced.ok()) << advanced.status();
  EXPECT_EQ(advanced->outputs[0].rows(), 1);
}

TEST(CppClient, LearnsInPipelinedBlocks) {
  const auto network = Create(Connect(), LearningChain(), {});
  auto drive = network.Attach({.max_in_flight = 8});
  constexpr size_t kBlocks = 200, kSteps = 100;
  std::vector<double> x(2 * kSteps), target(kSteps);
  for (size_t n = 0; n < kSteps; ++n) {
    const double phase = 2.0 * M_PI * static_cast<double>(n) / kSteps;
    x[2 * n] = std::sin(phase);
    x[2 * n + 1] = std::cos(phase);
    target[n] = 0.5 * std::sin(phase) - 0.3 * std::cos(phase);
  }
  for (size_t block = 0; block < kBlocks; ++block) {
    ASSERT_TRUE(drive->Send({{"input", x}, {"output", target}}, kSteps).ok());
  }
  std::vector<double> losses;
  while (drive->in_flight() > 0) {
    const auto advanced = drive->Receive();
    ASSERT_TRUE(advanced.ok()) << advanced.status();
    losses.push_back(advanced->loss.value());
  }
  ASSERT_EQ(losses.size(), kBlocks);
  EXPECT_LT(losses.back(), 0.05 * losses.front());
  EXPECT_EQ(drive->cursor().step, int64_t{kBlocks * kSteps});
}

TEST(CppClient, GoesOnAfterARefusedFrame) {
  const auto network = Create(Connect(), Integrator(), {});
  auto drive = network.Attach();
  const std::vector<double> x = {1.0}, wrong = {1.0, 2.0, 3.0}, nan = {NAN};
  EXPECT_EQ(drive->Advance({{"input", wrong}}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(drive->Advance({{"input", nan}}).status().code(), absl::StatusCode::kInvalidArgument);
  const auto late = drive->Advance({{"input", x}}, 1, {.at_step = 7});
  EXPECT_EQ(late.status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(Reason(late.status()), "STEP_MISMATCH");
  ASSERT_TRUE(drive->open());
  const auto advanced = drive->Advance({{"input", x}});
  ASSERT_TRUE(advanced.ok()) << advanced.status();
  EXPECT_EQ(advanced->cursor.step, 1);
}

TEST(CppClient, HoldsTheLeaseUntilItIsGivenBackOrTaken) {
  const Client client = Connect();
  const auto network = Create(client, Integrator(), {});
  auto first = network.Attach();
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(Reason(network.Attach().status()), "LEASE_HELD");
  EXPECT_EQ(Reason(network.Step({}).status()), "LEASE_HELD");

  auto second = network.Attach({.preempt = true});
  ASSERT_TRUE(second.ok()) << second.status();
  const std::vector<double> x = {1.0};
  // The stream that lost the lease refuses what it is given until its end has arrived.
  do {
    EXPECT_FALSE(first->Advance({{"input", x}}).ok());
  } while (first->open());
  EXPECT_TRUE(second->Advance({{"input", x}}).ok());
  EXPECT_TRUE(second->Finish().ok());
  EXPECT_TRUE(network.Attach().ok());
}

TEST(CppClient, StepsWithoutAStream) {
  const auto network = Create(Connect(), Integrator(), {});
  const std::vector<double> x = {1.0};
  const auto result = network.Step(
      {.steps = 3, .inputs = {{"input", MakeTensor(x, {1, 1})}}, .outputs = {"output.u"}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->cursor.step, 3);
  const auto& u = result->outputs.at("output.u");
  EXPECT_THAT(u.shape(), ElementsAre(3, 1, 1));
  EXPECT_NEAR(ToDoubles(u)[2], 1.0 - 0.9 * 0.9 * 0.9, 1e-12);
}

TEST(CppClient, ChangesParametersAndLearningAtAStep) {
  const auto network = Create(Connect(), LearningChain(), {});
  const auto applied = network.SetParameter("hidden_to_output.W.eta", 0.5);
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_EQ(applied->step, 0);
  EXPECT_TRUE(network.SetLearning(false).ok());
  EXPECT_FALSE(network.Get()->learning());
  const auto result = network.Step({.outputs = {"hidden_to_output.W.eta"}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(ToDoubles(result->outputs.at("hidden_to_output.W.eta")), ElementsAre(0.5));

  EXPECT_TRUE(network.Update({.labels = {{{"room", "b"}}}}).ok());
  EXPECT_EQ(network.Get()->labels().at("room"), "b");
  EXPECT_EQ(Reason(network.Update({.learning = true, .etag = "old"}).status()), "ETAG_MISMATCH");
  EXPECT_FALSE(network.SetParameter("nothing.here", 1.0).ok());
}

TEST(CppClient, PausesStartsAndResets) {
  const auto network = Create(Connect(), Integrator(), {});
  EXPECT_EQ(network.Pause()->state(), v1::Network::STATE_PAUSED);
  EXPECT_FALSE(network.Step({}).ok());
  EXPECT_EQ(network.Start()->state(), v1::Network::STATE_RUNNING);
  EXPECT_TRUE(network.Step({.steps = 5}).ok());
  const auto reset = network.Reset();
  ASSERT_TRUE(reset.ok()) << reset.status();
  EXPECT_EQ(reset->cursor().step(), 0);
  EXPECT_GT(reset->cursor().epoch(), 0);
}

TEST(CppClient, ClonesWhatGoesOnTheSameWay) {
  const auto network = Create(Connect(), LearningChain(), {});
  const std::vector<double> x = {0.3, -0.7}, target = {0.2};
  const StepOptions step = {.steps = 20,
                            .inputs = {{"input", MakeTensor(x, {1, 2})}},
                            .outputs = {"output.r", "hidden_to_output.W"}};
  ASSERT_TRUE(network.Step(step).ok());
  const auto clone = network.Clone("", {{"copy", "yes"}});
  ASSERT_TRUE(clone.ok()) << clone.status();
  EXPECT_NE(clone->name(), network.name());
  const auto original = network.Step(step), copied = clone->Step(step);
  ASSERT_TRUE(original.ok() && copied.ok()) << original.status() << copied.status();
  for (const auto& [name, tensor] : original->outputs) {
    EXPECT_EQ(tensor.data(), copied->outputs.at(name).data()) << name;
  }
}

TEST(CppClient, WatchesEveryNthStep) {
  const auto network = Create(Connect(), Integrator(), {});
  auto watch =
      network.Subscribe({.variables = {"output.u"}, .every_steps = 10}, {.credit_window = 4});
  ASSERT_TRUE(watch.ok()) << watch.status();
  ASSERT_EQ(watch->variables(0).size(), 1u);
  EXPECT_EQ(watch->variables(0)[0]->name(), "output.u");
  const std::vector<double> x = {1.0};
  auto drive = network.Attach({.outputs = {"output.u"}});
  ASSERT_TRUE(drive.ok()) << drive.status();
  for (int64_t step = 10; step <= 200; step += 10) {
    const auto advanced = drive->Advance({{"input", x}}, 10, {.output_every = 10});
    ASSERT_TRUE(advanced.ok()) << advanced.status();
    const auto sample = watch->NextSample();
    ASSERT_TRUE(sample.ok()) << sample.status();
    EXPECT_EQ(sample->cursor, (Cursor{.epoch = advanced->cursor.epoch, .step = step}));
    EXPECT_EQ(sample->Find("output.u")->ToDoubles(), advanced->Find("output.u")->ToDoubles());
  }
  EXPECT_EQ(watch->lost(), 0);
}

TEST(CppClient, WatchesWeightStatistics) {
  const auto network = Create(Connect(), LearningChain(), {});
  auto watch = network.Subscribe({{.variables = {"*.W.norm"}}, {.variables = {"loss"}}},
                                 {.start_with_snapshot = true});
  ASSERT_TRUE(watch.ok()) << watch.status();
  const auto sample = watch->NextSample();
  ASSERT_TRUE(sample.ok()) << sample.status();
  EXPECT_EQ(sample->selection, 0u);
  EXPECT_GT(sample->Find("hidden_to_output.W.norm")->ToDoubles()[0], 0.0);
}

TEST(CppClient, SaysThatItsNetworkIsGone) {
  const auto network = Create(Connect(), Integrator(), {});
  auto watch = network.Subscribe({.variables = {"output.u"}});
  auto drive = network.Attach();
  ASSERT_TRUE(watch.ok() && drive.ok());
  ASSERT_TRUE(network.Delete().ok());
  const auto event = watch->NextSample();
  EXPECT_EQ(event.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Reason(event.status()), "NETWORK_DELETED");
  const std::vector<double> x = {1.0};
  EXPECT_EQ(Reason(drive->Advance({{"input", x}}).status()), "NETWORK_DELETED");
  EXPECT_FALSE(drive->open());
}

TEST(CppClient, CancelsAWaitFromAnotherThread) {
  const auto network = Create(Connect(), Integrator(), {});
  auto watch = network.Subscribe({.variables = {"output.u"}});
  ASSERT_TRUE(watch.ok()) << watch.status();
  std::thread other([&watch] { watch->Cancel(); });
  EXPECT_EQ(watch->NextSample().status().code(), absl::StatusCode::kCancelled);
  other.join();
}

TEST(CppClient, SharesOneConnectionAmongThreads) {
  const Client client = Connect();
  std::vector<std::thread> threads;
  for (int n = 0; n < 8; ++n) {
    threads.emplace_back([client] {
      const auto network = client.CreateNetwork(Integrator());
      ASSERT_TRUE(network.ok()) << network.status();
      auto drive = network->Attach();
      ASSERT_TRUE(drive.ok()) << drive.status();
      const std::vector<double> x = {1.0};
      for (int step = 0; step < 100; ++step) {
        ASSERT_TRUE(drive->Advance({{"input", x}}).ok());
      }
      EXPECT_EQ(drive->cursor().step, 100);
    });
  }
  for (auto& thread : threads) thread.join();
}

/// What a program prints; its exit status must be 0.
std::string OutputOf(const std::string& command) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) output.push_back(static_cast<char>(c));
  EXPECT_EQ(pclose(pipe), 0) << command;
  return output;
}

TEST(Examples, TakeOverFromTheFeedbackController) {
  std::istringstream output(OutputOf(CLOSED_LOOP_PATH " " + Server::address() + " 30"));
  std::vector<double> errors;  // [mm]
  for (std::string word; output >> word;) {
    if (word != "error") continue;
    output >> errors.emplace_back();
  }
  ASSERT_EQ(errors.size(), 30u);
  EXPECT_LT(errors.back(), 0.2 * errors.front());
}

TEST(Examples, SeeThatTheServerServes) {
  EXPECT_THAT(OutputOf(HEALTH_PROBE_PATH " " + Server::address()), HasSubstr(": serving"));
}

}  // namespace
}  // namespace prospero::client
