// What hosting costs: the round trip of a job, and many networks against one.
//
// Why: a closed loop at 1 kHz pays the round trip in every step, so a small job is done by the
// thread that submits it (`Inline`) and only dear ones go through a worker (`Queued`); the
// difference is what the hop costs. And a server full of small networks should make as many
// steps per second as its cores can: `Crowd/64` over cores times `Crowd/1` is the goal of 85%.
// `Bare` is the network alone. On two 2.5 GHz cores, undisturbed: a bare step 0.5 us, a round
// trip of one step 1.9 us inline and 18 us queued; 64 networks made 97% of twice the steps of one.

#include <benchmark/benchmark.h>

#include <memory>
#include <thread>
#include <vector>

#include "engine/models/gle/gle.h"
#include "engine/runtime/instance.h"
#include "engine/runtime/scheduler.h"
#include "tests/support/box.h"

namespace prospero {
namespace {

/// 16-32-4, learning on.
std::unique_ptr<Network> SmallNetwork() {
  Plasticity plasticity;
  plasticity.learning_rate = 1e-4;
  const int64_t sizes[] = {16, 32, 4};
  GleSpec spec;
  for (const int64_t size : sizes) {
    GlePopulation population;
    population.name = size == 16 ? "in" : size == 32 ? "hidden" : "out";
    population.size = size;
    population.role = size == 16   ? PopulationRole::kInput
                      : size == 32 ? PopulationRole::kHidden
                                   : PopulationRole::kOutput;
    if (size != 16) {
      population.activation = Activation::kTanh;
      population.tau_m = {1.0};
      GleProjection projection;
      projection.pre = spec.populations.back().name;
      projection.post = population.name;
      projection.plasticity = plasticity;
      spec.projections.push_back(projection);
    }
    spec.populations.push_back(population);
  }
  return *MakeGle(spec, NetworkOptions(), NetworkLimits());
}

/// A clock by which every step is dear, so that no job is done inline.
class SlowClock final : public Clock {
 public:
  Time Now() const override {
    return Time(std::chrono::milliseconds(ms_.fetch_add(1, std::memory_order_relaxed)));
  }

 private:
  mutable std::atomic<int64_t> ms_{0};
};

struct Hosted {
  Hosted(Scheduler* scheduler, const Clock* time) {
    auto network = SmallNetwork();
    out = network->variables().Find("out.r");
    in = network->variables().Find("in.r");
    Instance::Options options;
    options.max_steps_per_job = INT64_MAX;
    options.time = time;
    instance = Instance::Make(std::move(network), scheduler, options);
    DriverOptions attach;
    attach.inputs = {in};
    driver = *instance->Attach(attach);
    job.inputs.push_back({in, std::string(16 * sizeof(float), '\0')});
    job.outputs = {out};
    job.done = [this](DriveJob&) { done.Put(true); };
  }
  ~Hosted() { instance->End(absl::AbortedError("the benchmark is over")); }
  void Run(int64_t steps) {
    job.steps = job.output_every = steps;
    driver->Submit(&job);
  }

  int in = 0;
  int out = 0;
  Box<bool> done;
  DriveJob job;
  std::shared_ptr<Instance> instance;
  std::shared_ptr<Driver> driver;
};

void Bare(benchmark::State& state) {
  const auto network = SmallNetwork();
  int64_t step = 0;
  for (auto _ : state) network->Advance({step++, 0.1});
  state.SetItemsProcessed(step);
}
BENCHMARK(Bare);

void RoundTrip(benchmark::State& state, const Clock* time) {
  const auto scheduler = Scheduler::Make(1);
  Hosted hosted(scheduler.get(), time);
  const int64_t steps = state.range(0);
  hosted.Run(steps);
  hosted.done.Take();
  for (auto _ : state) {
    hosted.Run(steps);
    hosted.done.Take();
  }
  state.SetItemsProcessed(state.iterations() * steps);
}
void Inline(benchmark::State& state) { RoundTrip(state, &Clock::Real()); }
BENCHMARK(Inline)->Arg(1)->Arg(16)->UseRealTime();

void Queued(benchmark::State& state) {
  const SlowClock slow;
  RoundTrip(state, &slow);
}
BENCHMARK(Queued)->Arg(1)->Arg(16)->UseRealTime();

/// Many networks, each with a job of 20 000 steps, on as many workers as there are cores.
void Crowd(benchmark::State& state) {
  constexpr int64_t kSteps = 20'000;
  const int64_t networks = state.range(0);
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  const auto scheduler = Scheduler::Make(cores);
  std::vector<std::unique_ptr<Hosted>> crowd;
  for (int64_t i = 0; i < networks; ++i) {
    crowd.push_back(std::make_unique<Hosted>(scheduler.get(), &Clock::Real()));
  }
  for (auto _ : state) {
    for (const auto& hosted : crowd) hosted->Run(kSteps);
    for (const auto& hosted : crowd) hosted->done.Take();
  }
  state.SetItemsProcessed(state.iterations() * networks * kSteps);
  state.counters["cores"] = cores;
}
BENCHMARK(Crowd)->Arg(1)->Arg(64)->UseRealTime();

}  // namespace
}  // namespace prospero

BENCHMARK_MAIN();
