// What hosting costs, and what it gives: the round trip of a job, many networks against one, large
// ones on several cores, and small ones beside a large one.
//
// Why: a closed loop at 1 kHz pays the round trip in every step, so a small job is done by the
// thread that submits it (`Inline`) and only dear ones go through a worker (`Queued`); the
// difference is what the hop costs, and `Bare` is the network alone.
//
// A server full of small networks should make as many steps per second as its cores can: `Crowd`
// has networks of 10-100-100-10, a thousand of which take 54 MB, in turns with one of them alone.
// `of_cores` is what they reach of the cores times that one; the goal is 85%. `of_cpu` counts the
// time that threads ran instead of the time that passed, so it does not fall when others use the
// machine.
//
// A large network should use all cores: `Large` runs it on one worker and on all, in turns.
// `gain` is how much quicker all are. And it should not take them from others: `Beside` runs small
// networks with and without a large one. `small_keep` is what they keep of their steps per second,
// of which a fair share is networks / (networks + 1), and `large_keeps` what the large one does.
//
// A network that must not be lost compares its inputs before each step and writes down what is new:
// `WrittenDown` gives every step new inputs, and a journal that throws its pieces away. `keeps` is
// what is left of the steps per second of the same network without one.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/runtime/instance.h"
#include "engine/runtime/journal.h"
#include "engine/runtime/scheduler.h"
#include "tests/bench/stopwatch.h"
#include "tests/support/box.h"
#include "tests/support/chains.h"

namespace prospero {
namespace {

using Sizes = std::vector<int64_t>;

const Sizes kTiny = {16, 32, 4};
const Sizes kSmall = {10, 100, 100, 10};
const Sizes kLarge[] = {{64, 512, 512, 10}, {256, 1024, 1024, 10}, {1024, 4096, 4096, 10}};

int Cores() { return std::max(static_cast<int>(std::thread::hardware_concurrency()), 1); }

std::unique_ptr<Network> MakeChain(const Sizes& sizes, int64_t batch_size = 1) {
  NetworkOptions options;
  options.batch_size = batch_size;
  return *MakeGle(Chain(sizes, Optimizer::kSgd), options, NetworkLimits());
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

/// Takes pieces, as one that keeps them would, and forgets them.
class NoJournal final : public Journal {
 public:
  void Append(absl::string_view piece, Cursor) override {
    piece_.assign(piece.data(), piece.size());
  }
  void BeginOrder() override {}
  void EndOrder() override {}

 private:
  std::string piece_;
};

/// A chain that is hosted, and jobs for it: one input and one target for all steps.
struct Hosted {
  Hosted(const Sizes& sizes, Scheduler* scheduler, const Clock* time = &Clock::Real(),
         int64_t batch_size = 1, std::shared_ptr<Journal> journal = nullptr) {
    auto network = MakeChain(sizes, batch_size);
    const VariableTable& variables = network->variables();
    const std::string last = absl::StrCat("p", sizes.size() - 1);
    DriverOptions attach;
    for (const std::string& name : {std::string("p0.r"), last + ".target"}) {
      const int input = variables.Find(name);
      std::vector<float> values(static_cast<size_t>(variables[input].size()));
      for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i + 1));
      std::string packed(values.size() * sizeof(float), '\0');
      std::copy_n(reinterpret_cast<const char*>(values.data()), packed.size(), packed.data());
      job.inputs.push_back({input, std::move(packed)});
      attach.inputs.push_back(input);
    }
    job.outputs = {variables.Find(last + ".r")};
    job.done = [this](DriveJob&) { done.Put(true); };
    Instance::Options options;
    options.max_steps_per_job = INT64_MAX;
    options.time = time;
    options.journal = std::move(journal);
    instance = Instance::Make(std::move(network), scheduler, options);
    driver = *instance->Attach(attach);
  }
  ~Hosted() { instance->End(absl::AbortedError("the benchmark is over")); }

  /// Every step of a job of so many gets inputs of its own.
  void GiveRows(int64_t steps) {
    for (InputBlock& block : job.inputs) {
      std::string rows;
      for (int64_t n = 0; n < steps; ++n) {
        std::rotate(block.values.begin(), block.values.begin() + sizeof(float), block.values.end());
        rows += block.values;
      }
      block.values = std::move(rows);
    }
  }
  void Start(int64_t steps) {
    job.steps = job.output_every = steps;
    driver->Submit(&job);
  }
  void Run(int64_t steps) {
    Start(steps);
    done.Take();
  }

  Box<bool> done;
  DriveJob job;
  std::shared_ptr<Instance> instance;
  std::shared_ptr<Driver> driver;
};

void Bare(benchmark::State& state) {
  const auto network = MakeChain(kTiny);
  Excite(*network, kTiny, 1);
  int64_t step = 0;
  for (auto _ : state) network->Advance({step++, 0.1});
  state.SetItemsProcessed(step);
}
BENCHMARK(Bare);

void RoundTrip(benchmark::State& state, const Clock* time) {
  const auto scheduler = Scheduler::Make(1);
  Hosted hosted(kTiny, scheduler.get(), time);
  const int64_t steps = state.range(0);
  hosted.Run(steps);
  for (auto _ : state) hosted.Run(steps);
  state.SetItemsProcessed(state.iterations() * steps);
}
void Inline(benchmark::State& state) { RoundTrip(state, &Clock::Real()); }
BENCHMARK(Inline)->Arg(1)->Arg(16)->UseRealTime();

void Queued(benchmark::State& state) {
  const SlowClock slow;
  RoundTrip(state, &slow);
}
BENCHMARK(Queued)->Arg(1)->Arg(16)->UseRealTime();

void WrittenDown(benchmark::State& state, const Sizes& sizes, int64_t batch_size, int64_t steps) {
  const auto scheduler = Scheduler::Make(1);
  Hosted plain(sizes, scheduler.get(), &Clock::Real(), batch_size);
  Hosted taped(sizes, scheduler.get(), &Clock::Real(), batch_size, std::make_shared<NoJournal>());
  BestRate without, with;
  for (Hosted* hosted : {&plain, &taped}) {
    hosted->GiveRows(steps);
    hosted->Run(steps);
  }
  for (auto _ : state) {
    without.Run(1, ProcessSeconds, [&] { plain.Run(steps); });
    with.Run(1, ProcessSeconds, [&] { taped.Run(steps); });
  }
  state.SetLabel(absl::StrJoin(sizes, "-"));
  state.counters["steps/s"] = static_cast<double>(steps) * with.per_second();
  state.counters["keeps"] = with.per_second() / without.per_second();
}
BENCHMARK_CAPTURE(WrittenDown, frames, kTiny, 1, 1)->UseRealTime();
BENCHMARK_CAPTURE(WrittenDown, rows, kTiny, 1, 64)->UseRealTime();
BENCHMARK_CAPTURE(WrittenDown, batch, (Sizes{784, 500, 10}), 32, 8)->UseRealTime();

/// Many networks at once: each with a job of so many steps, all of which it waits for.
struct CrowdOfSmall {
  CrowdOfSmall(int64_t count, Scheduler* scheduler) {
    for (int64_t i = 0; i < count; ++i) {
      networks.push_back(std::make_unique<Hosted>(kSmall, scheduler));
    }
  }
  void Run(int64_t steps) {
    for (const auto& network : networks) network->Start(steps);
    for (const auto& network : networks) network->done.Take();
  }
  std::vector<std::unique_ptr<Hosted>> networks;
};

/// range(0): how many networks.
void Crowd(benchmark::State& state) {
  const int64_t count = state.range(0);
  const int64_t steps = 400'000 / count + 1000;
  constexpr int64_t kAloneSteps = 2000;
  const auto scheduler = Scheduler::Make(Cores());
  CrowdOfSmall crowd(count, scheduler.get());
  crowd.Run(steps);
  const auto alone = MakeChain(kSmall);
  Excite(*alone, kSmall, 1);
  BestRate one, all;
  double one_cpu = 0, all_cpu = 0;
  int64_t n = 0;
  for (auto _ : state) {
    one_cpu -= ThreadSeconds();
    for (int repeat = 0; repeat < 20; ++repeat) {
      one.Run(kAloneSteps, WallSeconds, [&] { alone->Advance({n++, 0.1}); });
    }
    one_cpu += ThreadSeconds();
    const double begin = WallSeconds();
    all_cpu -= ProcessSeconds();
    all.Run(1, WallSeconds, [&] { crowd.Run(steps); });
    all_cpu += ProcessSeconds();
    state.SetIterationTime(WallSeconds() - begin);
  }
  const auto done = static_cast<double>(count * steps);
  const int busy = static_cast<int>(std::min<int64_t>(Cores(), count));
  state.counters["steps/s"] = done * all.per_second();
  state.counters["alone_steps/s"] = one.per_second();
  state.counters["of_cores"] = done * all.per_second() / (busy * one.per_second());
  state.counters["of_cpu"] =
      done * static_cast<double>(state.iterations()) / all_cpu / (static_cast<double>(n) / one_cpu);
}
BENCHMARK(Crowd)->Arg(1)->Arg(16)->Arg(1000)->UseManualTime()->Unit(benchmark::kMillisecond);

/// range(0): which chain.
void Large(benchmark::State& state) {
  const Sizes& sizes = kLarge[state.range(0)];
  const int64_t steps = 200'000'000 / Weights(sizes);
  const auto one = Scheduler::Make(1);
  const auto all = Scheduler::Make(Cores());
  Hosted alone(sizes, one.get());
  Hosted helped(sizes, all.get());
  alone.Run(steps);
  helped.Run(steps);
  BestRate alone_rate, helped_rate;
  double wall = 0, cpu = 0;
  for (auto _ : state) {
    alone_rate.Run(1, WallSeconds, [&] { alone.Run(steps); });
    const double begin = WallSeconds();
    const double cpu_begin = ProcessSeconds();
    helped_rate.Run(1, WallSeconds, [&] { helped.Run(steps); });
    state.SetIterationTime(WallSeconds() - begin);
    wall += WallSeconds() - begin;
    cpu += ProcessSeconds() - cpu_begin;
  }
  state.SetLabel(absl::StrJoin(sizes, "-"));
  const auto done = static_cast<double>(steps);
  state.counters["busy"] = cpu / wall;
  state.counters["workers"] = Cores();
  state.counters["steps/s"] = done * helped_rate.per_second();
  state.counters["alone_steps/s"] = done * alone_rate.per_second();
  state.counters["gain"] = helped_rate.per_second() / alone_rate.per_second();
}
BENCHMARK(Large)->DenseRange(0, 2)->UseManualTime()->Unit(benchmark::kMillisecond);

/// range(0): which chain is beside the small ones; range(1): how many these are.
void Beside(benchmark::State& state) {
  const Sizes& sizes = kLarge[state.range(0)];
  const int64_t count = state.range(1);
  const int64_t steps = 400'000 / count;
  const auto scheduler = Scheduler::Make(Cores());
  CrowdOfSmall crowd(count, scheduler.get());
  Hosted large(sizes, scheduler.get());
  crowd.Run(steps);
  const int64_t large_steps = 100'000'000 / Weights(sizes);
  BestRate without, with, large_alone;
  double large_rate = 0;
  for (auto _ : state) {
    without.Run(1, WallSeconds, [&] { crowd.Run(steps); });
    large_alone.Run(1, WallSeconds, [&] { large.Run(large_steps); });
    const int64_t before = large.instance->status().cursor.step;
    large.instance->SetClock(ClockMode::kFree, nullptr);
    large.instance->Start(nullptr);
    const double begin = WallSeconds();
    with.Run(1, WallSeconds, [&] { crowd.Run(steps); });
    const double elapsed = WallSeconds() - begin;
    state.SetIterationTime(elapsed);
    const int64_t made = large.instance->status().cursor.step - before;
    large_rate = std::max(large_rate, static_cast<double>(made) / elapsed);
    large.instance->SetClock(ClockMode::kLockstep, nullptr);
  }
  state.SetLabel(absl::StrJoin(sizes, "-"));
  state.counters["small_keep"] = with.per_second() / without.per_second();
  state.counters["large_keeps"] =
      large_rate / (static_cast<double>(large_steps) * large_alone.per_second());
}
BENCHMARK(Beside)->ArgsProduct({{1, 2}, {1, 16}})->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace prospero

BENCHMARK_MAIN();
