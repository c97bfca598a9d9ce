// Every kind of network, through the API.

#include <algorithm>
#include <cmath>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/model_specs.h"
#include "tests/server/support.h"

namespace prospero::server {
namespace {

using grpc::StatusCode;
using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using Stub = v1::NetworkService::Stub;

/// Another value for each place of each row.
std::vector<double> Wave(int64_t rows, int64_t size) {
  std::vector<double> values(static_cast<size_t>(rows * size));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = 0.5 + 0.4 * std::sin(0.37 * static_cast<double>(i));
  }
  return values;
}

v1::DriveAttach Attach(const ModelSample& sample, const std::string& id) {
  v1::DriveAttach attach = AttachTo(id);
  for (const char* output : {"out.r", "*.xi", "*.alignment_angle"}) attach.add_outputs(output);
  attach.add_outputs(sample.B);
  return attach;
}

v1::DriveAdvance Lesson(const ModelSample& sample, const TestDriver& driver, int64_t steps) {
  v1::DriveAdvance advance;
  advance.set_steps(steps);
  AddBlock(&advance, driver.uid(sample.input), Wave(steps, sample.input_size));
  AddBlock(&advance, driver.uid(sample.target), Wave(steps, sample.target_size));
  return advance;
}

/// What a lesson does to a network: every output of every step.
std::string Drive(TestServer& server, const ModelSample& sample, const std::string& id,
                  int64_t steps = 40) {
  TestDriver driver(server.simulation(), Attach(sample, id));
  EXPECT_TRUE(driver.opened()) << driver.End().error_message();
  const v1::DriveResponse response = driver.Advance(Lesson(sample, driver, steps));
  EXPECT_TRUE(response.has_advanced()) << response.ShortDebugString();
  EXPECT_TRUE(response.advanced().has_loss());
  std::string bytes;
  for (const v1::Block& block : response.advanced().outputs()) bytes += block.data();
  driver.HalfClose();
  EXPECT_TRUE(driver.End().ok());
  return bytes;
}

/// Copies the network "a".
void CloneToB(TestServer& server) {
  v1::CloneNetworkRequest request;
  request.set_name("networks/a");
  request.set_network_id("b");
  v1::CloneNetworkResponse response;
  EXPECT_TRUE(Call(server.networks(), &Stub::CloneNetwork, request, &response).ok());
}

class EveryKind : public testing::TestWithParam<ModelSample> {};

TEST_P(EveryKind, IsMadeDescribedAndDriven) {
  const ModelSample& sample = GetParam();
  TestServer server;
  const v1::Network network = server.Make("a", sample.spec);
  EXPECT_EQ(network.spec().SerializeAsString(), sample.spec.SerializeAsString());
  EXPECT_EQ(network.warnings_size(), 0) << network.warnings(0).ShortDebugString();
  const auto schema = server.Schema("a");
  EXPECT_THAT(schema, Contains(Key(sample.noisy + ".xi")));
  EXPECT_EQ(schema.at(sample.noisy + ".w").role(), v1::VARIABLE_ROLE_INPUT);
  EXPECT_EQ(schema.at(sample.B).role(), v1::VARIABLE_ROLE_WEIGHT);
  EXPECT_FALSE(Drive(server, sample, "a").empty());
  EXPECT_EQ(server.Get("a").cursor().step(), 40);
}

TEST_P(EveryKind, LearnsInWhatIsWatched) {
  const ModelSample& sample = GetParam();
  TestServer server;
  server.Make("a", sample.spec);
  TestDriver driver(server.simulation(), Attach(sample, "a"));
  const v1::DriveAdvanced advanced = driver.Advance(Lesson(sample, driver, 100)).advanced();
  for (const v1::Block& block : advanced.outputs()) {
    const std::vector<double> values = Values<double>(block.data());
    const size_t row = values.size() / 100;
    EXPECT_THAT(values, testing::Each(testing::Truly([](double x) { return std::isfinite(x); })));
    EXPECT_FALSE(std::equal(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(row),
                            values.end() - static_cast<std::ptrdiff_t>(row)))
        << block.uid();
  }
}

TEST_P(EveryKind, TakesItsNoiseFromFrames) {
  const ModelSample& sample = GetParam();
  TestServer server;
  server.Make("a", sample.spec);
  v1::DriveAttach attach = AttachTo("a");
  attach.add_outputs(sample.noisy + ".xi");
  TestDriver driver(server.simulation(), attach);
  v1::DriveAdvance advance = Lesson(sample, driver, 30);
  std::vector<double> w(static_cast<size_t>(30 * sample.noisy_size), 0.0);
  w[0] = 1.0;
  AddBlock(&advance, driver.uid(sample.noisy + ".w"), w);
  const v1::DriveResponse response = driver.Advance(advance);
  ASSERT_TRUE(response.has_advanced()) << response.ShortDebugString();
  const std::vector<double> xi = Values<double>(response.advanced().outputs(0).data());
  // sqrt(dt tau) sigma / tau, then it decays by 1 - dt / tau in each step.
  EXPECT_NEAR(xi[0], std::sqrt(0.1) * 0.1, 1e-12);
  EXPECT_NEAR(xi[static_cast<size_t>(29 * sample.noisy_size)], xi[0] * std::pow(0.9, 29), 1e-12);
  EXPECT_EQ(xi[1], 0.0);
  // It is no target.
  v1::DriveAdvance untaught;
  AddBlock(&untaught, driver.uid(sample.noisy + ".w"),
           std::vector<double>(static_cast<size_t>(sample.noisy_size), 0.0));
  EXPECT_FALSE(driver.Advance(untaught).advanced().has_loss());
  const v1::DriveResponse drawn = driver.Advance(Lesson(sample, driver, 1));
  EXPECT_NE(Values<double>(drawn.advanced().outputs(0).data())[1], 0.0);
}

TEST_P(EveryKind, GoesOnBitForBitAsAClone) {
  const ModelSample& sample = GetParam();
  TestServer server;
  server.Make("a", sample.spec);
  Drive(server, sample, "a");
  CloneToB(server);
  EXPECT_EQ(Drive(server, sample, "a"), Drive(server, sample, "b"));
}

TEST_P(EveryKind, KeepsTheNoiseOfItsSeedInAClone) {
  const ModelSample& sample = GetParam();
  TestServer server;
  server.Make("a", sample.spec);
  v1::ResetNetworkRequest reset;
  reset.set_name("networks/a");
  reset.set_seed(8);
  reset.add_scopes(v1::RESET_SCOPE_WEIGHTS);  // the noise stays that of the first seed
  v1::ResetNetworkResponse done;
  ASSERT_TRUE(Call(server.networks(), &Stub::ResetNetwork, reset, &done).ok());
  CloneToB(server);
  EXPECT_EQ(Drive(server, sample, "a"), Drive(server, sample, "b"));
}

TEST_P(EveryKind, ComesBackToItsStartAndTakesAnotherSeed) {
  const ModelSample& sample = GetParam();
  TestServer server;
  server.Make("a", sample.spec);
  const std::string first = Drive(server, sample, "a");
  v1::ResetNetworkRequest request;
  request.set_name("networks/a");
  v1::ResetNetworkResponse response;
  ASSERT_TRUE(Call(server.networks(), &Stub::ResetNetwork, request, &response).ok());
  EXPECT_EQ(Drive(server, sample, "a"), first);
  request.set_seed(8);
  ASSERT_TRUE(Call(server.networks(), &Stub::ResetNetwork, request, &response).ok());
  EXPECT_NE(Drive(server, sample, "a"), first);
}

INSTANTIATE_TEST_SUITE_P(Models, EveryKind, testing::ValuesIn(ModelSamples()),
                         [](const auto& test) { return test.param.kind; });

/// A circuit whose loop diverges.
v1::NetworkSpec Loud() {
  v1::NetworkSpec spec = MicrocircuitSample().spec;
  v1::MicrocircuitLayer* hidden = spec.mutable_microcircuit()->mutable_layers(1);
  hidden->set_activation(v1::ACTIVATION_LINEAR);
  hidden->mutable_feedback_initializer()->set_constant(30.0);
  spec.mutable_microcircuit()->mutable_layers(2)->set_activation(v1::ACTIVATION_LINEAR);
  spec.mutable_microcircuit()
      ->mutable_layers(2)
      ->mutable_forward()
      ->mutable_initializer()
      ->set_constant(1.0);
  return spec;
}

/// Keeps the warnings of the log.
class Notes final : public Logger {
 public:
  bool Enabled(LogLevel) const override { return true; }
  void Write(LogLevel level, absl::string_view, const std::vector<LogField>& fields) override {
    if (level != LogLevel::kWarning) return;
    const std::lock_guard<std::mutex> lock(mu_);
    std::string line;
    for (const LogField& field : fields) {
      if (const auto* text = std::get_if<std::string>(&field.value)) {
        absl::StrAppend(&line, field.key, "=", *text, " ");
      }
    }
    lines_.push_back(line);
  }
  void Flush() override {}
  std::vector<std::string> lines() const {
    const std::lock_guard<std::mutex> lock(mu_);
    return lines_;
  }

 private:
  mutable std::mutex mu_;
  std::vector<std::string> lines_;
};

TEST(Warnings, AreToldInEveryAnswerThatHasTheNetwork) {
  TestServer server;
  const v1::Network made = server.Make("loud", Loud());
  ASSERT_GT(made.warnings_size(), 0);
  EXPECT_EQ(made.warnings(0).reason(), "LOOP_GAIN");
  EXPECT_EQ(made.warnings(0).field(), "spec.microcircuit.layers[1]");
  EXPECT_THAT(made.warnings(0).message(), HasSubstr("hidden"));
  const auto same = [&made](const v1::Network& network) {
    return network.warnings_size() == made.warnings_size() &&
           network.warnings(0).SerializeAsString() == made.warnings(0).SerializeAsString();
  };
  EXPECT_TRUE(same(server.Get("loud")));
  v1::ListNetworksResponse list;
  ASSERT_TRUE(Call(server.networks(), &Stub::ListNetworks, v1::ListNetworksRequest(), &list).ok());
  EXPECT_TRUE(same(list.networks(0)));
  v1::UpdateNetworkResponse updated;
  ASSERT_TRUE(Update(server, UpdateOf("loud", {"labels"}), &updated).ok());
  EXPECT_TRUE(same(updated.network()));
  v1::CloneNetworkRequest clone;
  clone.set_name("networks/loud");
  v1::CloneNetworkResponse cloned;
  ASSERT_TRUE(Call(server.networks(), &Stub::CloneNetwork, clone, &cloned).ok());
  EXPECT_TRUE(same(cloned.network()));
}

TEST(Warnings, AreLoggedOnceWithTheNameOfTheNetwork) {
  Notes notes;
  TestServer server([&notes](Server::Options& options) { options.log = &notes; });
  server.Make("quiet", MicrocircuitSample().spec);
  EXPECT_THAT(notes.lines(), testing::IsEmpty());
  const v1::Network network = server.Make("loud", Loud());
  server.Get("loud");
  ASSERT_EQ(notes.lines().size(), static_cast<size_t>(network.warnings_size()));
  EXPECT_THAT(notes.lines()[0], HasSubstr("network=networks/loud reason=LOOP_GAIN "
                                          "field=spec.microcircuit.layers[1] what="));
}

TEST(Warnings, AreTheServersToSay) {
  TestServer server;
  v1::CreateNetworkRequest request = CreateRequest("a");
  request.mutable_network()->add_warnings()->set_reason("LOOP_GAIN");
  EXPECT_TRUE(IsError(Create(server, request), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD",
                      "network.warnings"));
}

TEST(ListNetworks, LeavesTheValuesOfGivenArraysOutOfEveryKind) {
  TestServer server;
  ModelSample gle = GleSample(), circuit = MicrocircuitSample(), layers = LatentEquilibriumSample();
  *gle.spec.mutable_gle()
       ->mutable_projections(1)
       ->mutable_feedback()
       ->mutable_initializer()
       ->mutable_values() = Doubles({5, 2}, std::vector<double>(10, 0.5));
  *layers.spec.mutable_latent_equilibrium()
       ->mutable_layers(3)
       ->mutable_feedback_initializer()
       ->mutable_values() = Doubles({5, 2}, std::vector<double>(10, 0.5));
  *circuit.spec.mutable_microcircuit()
       ->mutable_layers(1)
       ->mutable_forward()
       ->mutable_initializer()
       ->mutable_values() = Doubles({5, 3}, std::vector<double>(15, 0.5));
  server.Make("a", gle.spec);
  server.Make("b", layers.spec);
  server.Make("c", circuit.spec);
  v1::ListNetworksResponse list;
  ASSERT_TRUE(Call(server.networks(), &Stub::ListNetworks, v1::ListNetworksRequest(), &list).ok());
  ASSERT_EQ(list.networks_size(), 3);
  const auto tensor = [](const v1::NetworkSpec& spec) {
    if (spec.has_gle()) return spec.gle().projections(1).feedback().initializer().values();
    if (spec.has_microcircuit()) {
      return spec.microcircuit().layers(1).forward().initializer().values();
    }
    return spec.latent_equilibrium().layers(3).feedback_initializer().values();
  };
  for (const v1::Network& network : list.networks()) {
    EXPECT_EQ(tensor(network.spec()).shape_size(), 2) << network.name();
    EXPECT_TRUE(tensor(network.spec()).data().empty()) << network.name();
  }
  for (const char* id : {"a", "b", "c"}) {
    EXPECT_GE(tensor(server.Get(id).spec()).data().size(), 80u) << id;
  }
}

}  // namespace
}  // namespace prospero::server
