// A real network, hosted: what the runtime adds must not show in a single bit.

#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/errors.h"
#include "engine/models/gle/gle.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/host.h"
#include "tests/support/chains.h"
#include "tests/support/tangle.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

constexpr double kDt = 0.05;

std::unique_ptr<Network> MakeTangle(uint64_t seed) {
  NetworkOptions options;
  options.dt = kDt;
  options.seed = seed;
  return *MakeGle(Tangle(), options, NetworkLimits());
}

/// The same frames as RunTangle writes: row n holds the inputs of step n; a port that can be
/// absent is given only where it is present.
void GiveTangle(int64_t step, const Network& written, DriveJob& job) {
  WriteTangle(step, written);
  const VariableTable& variables = written.variables();
  std::vector<bool> is_presence(static_cast<size_t>(variables.size()), false);
  for (const Variable& variable : variables) {
    if (variable.presence >= 0) is_presence[static_cast<size_t>(variable.presence)] = true;
  }
  job.inputs.clear();
  for (int i = 0; i < variables.size(); ++i) {
    const Variable& variable = variables[i];
    if (variable.role != Role::kInput || is_presence[static_cast<size_t>(i)]) continue;
    if (variable.presence >= 0 && variables[variable.presence].scalar() == 0.0) continue;
    InputBlock block{i, std::string(static_cast<size_t>(variable.bytes()), '\0')};
    variable.Read(block.values.data());
    job.inputs.push_back(std::move(block));
  }
}

std::vector<float> Waves(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = std::sin(static_cast<float>(i + 1));
  return values;
}

struct HostedTangle {
  explicit HostedTangle(uint64_t seed) : scheduler(Scheduler::Make(2)), frames(MakeTangle(seed)) {
    auto owned = MakeTangle(seed);
    network = owned.get();
    Instance::Options options;
    options.dt = kDt;
    options.seed = seed;
    instance = Instance::Make(std::move(owned), scheduler.get(), options);
    DriverOptions attach;
    for (int i = 0; i < network->variables().size(); ++i) {
      if (network->variables()[i].role == Role::kInput) attach.inputs.push_back(i);
    }
    driver = *instance->Attach(attach);
  }
  ~HostedTangle() { instance->End(absl::AbortedError("the test is over")); }

  void Run(int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      Job job;
      GiveTangle(n, *frames, job);
      job.At(n).Run(*driver);
      ASSERT_TRUE(job.status.ok()) << job.status;
    }
  }
  std::shared_ptr<const Snapshot> Snap() {
    Box<std::shared_ptr<const Snapshot>> box;
    instance->TakeSnapshot([&](auto taken) { box.Put(*taken); });
    return box.Take();
  }
  void Restore(std::shared_ptr<const Snapshot> snapshot) {
    Box<absl::Status> box;
    instance->RestoreSnapshot(snapshot, "", [&](auto at) { box.Put(at.status()); });
    EXPECT_TRUE(box.Take().ok());
  }

  std::unique_ptr<Scheduler> scheduler;
  std::unique_ptr<Network> frames;  ///< where WriteTangle leaves what the jobs carry
  Network* network;
  std::shared_ptr<Instance> instance;
  std::shared_ptr<Driver> driver;
};

std::string Bytes(const Snapshot& snapshot) {
  std::string bytes;
  for (const auto& array : snapshot.arrays) bytes += array.values;
  return bytes;
}

TEST(HostedGle, DoesAsTheBareNetworkDoes) {
  const auto bare = MakeTangle(5);
  RunTangle(0, 300, kDt, *bare);
  HostedTangle hosted(5);
  hosted.Run(0, 300);
  EXPECT_EQ(Bytes(*hosted.Snap()), SavedBytes(*bare));
}

TEST(HostedGle, GoesOnBitForBitFromASnapshotAlsoInAnotherNetwork) {
  HostedTangle hosted(5);
  hosted.Run(0, 150);
  const auto middle = hosted.Snap();
  hosted.Run(150, 300);
  const std::string end = Bytes(*hosted.Snap());
  hosted.Restore(middle);
  hosted.Run(150, 300);
  EXPECT_EQ(Bytes(*hosted.Snap()), end);

  HostedTangle other(6);
  other.Run(0, 20);
  other.Restore(middle);
  other.Run(150, 300);
  EXPECT_EQ(Bytes(*other.Snap()), end);
}

TEST(HostedGle, LetsNothingInThatWouldBreakIt) {
  HostedTangle hosted(5);
  hosted.Run(0, 10);
  const std::string before = Bytes(*hosted.Snap());
  const auto assign = [&](const std::string& name, float value) {
    std::string bytes(sizeof value, '\0');
    std::memcpy(bytes.data(), &value, sizeof value);
    Box<absl::Status> box;
    const int index = hosted.network->variables().Find(name);
    hosted.instance->Assign({{index, bytes}}, [&](auto at) { box.Put(at.status()); });
    return box.Take();
  };
  for (const auto& [name, value] : std::vector<std::pair<std::string, float>>{
           {"a.tau_m", -1.0F}, {"d.tau_r", 0.0F}, {"a.gamma", 1.5F}, {"a_to_b.W.eta", -1e-3F}}) {
    const absl::Status status = assign(name, value);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(FieldPath(status), name);
  }
  EXPECT_EQ(Bytes(*hosted.Snap()), before);
  EXPECT_TRUE(assign("a.tau_m", 2.0F).ok());

  Job job;
  const int beta = hosted.network->variables().Find("out.beta");
  const float negative = -1.0F;
  job.inputs = {{beta, std::string(sizeof negative, '\0')}};
  std::memcpy(job.inputs[0].values.data(), &negative, sizeof negative);
  job.Run(*hosted.driver);
  EXPECT_EQ(job.status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(FieldPath(job.status), "inputs[0].data");
}

TEST(HostedGle, IsNotDisturbedByWhoeverWatchesEverything) {
  HostedTangle alone(5);
  alone.Run(0, 150);
  HostedTangle watched(5);
  Selection everything;
  for (int i = 0; i < watched.network->variables().size(); ++i) everything.variables.push_back(i);
  const ObserverSpec spec = {
      .selections = {everything}, .start = ObserverSpec::Start::kSnapshot, .capacity = 3};
  const auto observer = *watched.instance->Observe(spec, nullptr);
  watched.Run(0, 150);
  EXPECT_EQ(Bytes(*watched.Snap()), Bytes(*alone.Snap()));
  Observed seen;
  EXPECT_TRUE(observer->Take(10, &seen));
  EXPECT_EQ(seen.samples.size(), 1U);
  EXPECT_EQ(seen.samples.back().place.cursor.step, 0);
  EXPECT_TRUE(observer->Take(10, &seen));
  EXPECT_EQ(seen.gap->count, 147);
  EXPECT_EQ(seen.samples.back().place.cursor.step, 150);
}

/// 256-512-512-10, all of which learns, is stepped 50 times.
std::string StepLargeChain(int workers) {
  NetworkOptions options;
  options.dt = kDt;
  auto network = MakeGle(Chain({256, 512, 512, 10}, Optimizer::kSgd), options, NetworkLimits());
  EXPECT_TRUE(network.ok()) << network.status();
  const int input = (*network)->variables().Find("p0.r");
  const int target = (*network)->variables().Find("p3.target");
  const auto scheduler = Scheduler::Make(workers);
  const auto instance = Instance::Make(*std::move(network), scheduler.get(), {.dt = kDt});
  const auto driver = *instance->Attach({.inputs = {input, target}});
  std::string results;
  for (const int64_t steps : {1, 9, 40}) {
    Job job;
    job.Steps(steps).Every(steps).Give(input, Waves(256)).Give(target, Waves(10));
    job.Return({instance->variables().Find("p3.r"), instance->variables().Find("p1_to_p2.W")});
    job.Run(*driver);
    EXPECT_TRUE(job.status.ok()) << job.status;
    for (const std::string& rows : job.results) results += rows;
  }
  instance->End(absl::AbortedError("the test is over"));
  return results;
}

TEST(HostedGle, GivesTheSameBitsHoweverManyWorkersHelpWithALargeOne) {
  const std::string one = StepLargeChain(1);
  EXPECT_EQ(StepLargeChain(2), one);
  EXPECT_EQ(StepLargeChain(4), one);
}

}  // namespace
}  // namespace prospero
