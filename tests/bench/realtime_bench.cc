// How punctual REALTIME networks are.
//
// Why: a robot's loop feels lag as jitter of its controller. A thread that does nothing but sleep
// until each millisecond (clock_nanosleep) shows what the machine allows at best; `networks:1` is
// one network of 10-100-100-10 with a step in each millisecond, which takes turns with that
// thread, and `networks:100` has a hundred of them on all cores. `lag` is how late a step comes,
// `bare` how late the thread wakes up [us]; `overruns` counts steps later than tolerated (2 ms).

#include <benchmark/benchmark.h>
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/runtime/instance.h"
#include "engine/runtime/scheduler.h"
#include "tests/support/box.h"
#include "tests/support/chains.h"

namespace prospero {
namespace {

constexpr int64_t kPeriodNs = 1'000'000;
constexpr int64_t kRoundSteps = 500;  ///< of one round, which takes half a second

const std::vector<int64_t> kSizes = {10, 100, 100, 10};

int64_t NowNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// How late a thread wakes up that sleeps until each millisecond [us].
void SleepBare(std::vector<double>* lags) {
  prctl(PR_SET_TIMERSLACK, 1);  // As the scheduler's workers.
  int64_t due = NowNs();
  for (int64_t i = 0; i < kRoundSteps; ++i) {
    due += kPeriodNs;
    const timespec until = {due / 1'000'000'000, due % 1'000'000'000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    lags->push_back(static_cast<double>(NowNs() - due) * 1e-3);
  }
}

/// A network whose clock makes a step in each millisecond.
struct Paced {
  explicit Paced(Scheduler* scheduler) {
    const NetworkOptions network_options;
    auto network = *MakeGle(Chain(kSizes, Optimizer::kSgd), network_options, NetworkLimits());
    Excite(*network, kSizes, 1);
    Instance::Options options;
    options.dt = network_options.dt;
    options.clock = ClockMode::kRealtime;
    options.clock.speed = network_options.dt * 1e6 / kPeriodNs;
    instance = Instance::Make(std::move(network), scheduler, options);
    ObserverSpec spec;
    spec.selections = {{.variables = {instance->variables().Find("clock.lag")}}};
    spec.capacity = 4 * kRoundSteps;
    observer = *instance->Observe(spec, [this] { ready.Put(true); });
  }
  ~Paced() {
    observer->Cancel();
    instance->End(absl::AbortedError("the benchmark is over"));
  }

  void Change(bool run) {
    Box<bool> done;
    const auto told = [&done](const absl::StatusOr<Cursor>&) { done.Put(true); };
    if (run) {
      instance->Start(told);
    } else {
      instance->Pause(told);
    }
    done.Take();
  }

  /// Lags of a round [us].
  void Take(std::vector<double>* lags) {
    Observed seen;
    for (int64_t taken = 0; taken < kRoundSteps;) {
      while (!observer->Take(kRoundSteps, &seen)) ready.Take();
      for (size_t i = 0; i < seen.samples.size(); ++i, ++taken) {
        double lag_ms = 0.0;
        std::memcpy(&lag_ms, seen.samples[i].bytes.data(), sizeof(lag_ms));
        lags->push_back(lag_ms * 1e3);
      }
    }
  }

  Box<bool> ready;
  std::shared_ptr<Instance> instance;
  std::shared_ptr<Observer> observer;
};

double Quantile(std::vector<double>& values, double part) {
  const auto place =
      values.begin() + static_cast<int64_t>(part * static_cast<double>(values.size()));
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

void Lag(benchmark::State& state) {
  const int workers = std::max(static_cast<int>(std::thread::hardware_concurrency()), 1);
  const auto scheduler = Scheduler::Make(workers);
  std::vector<std::unique_ptr<Paced>> networks;
  for (int64_t i = 0; i < state.range(0); ++i) {
    networks.push_back(std::make_unique<Paced>(scheduler.get()));
  }
  std::vector<double> lags, bare;
  for (auto _ : state) {
    SleepBare(&bare);
    for (const auto& network : networks) network->Change(true);
    for (const auto& network : networks) network->Take(&lags);
    for (const auto& network : networks) network->Change(false);
  }
  const auto late = [](double lag) { return lag > 2000.0; };
  state.counters["overruns_%"] =
      100.0 * static_cast<double>(std::count_if(lags.begin(), lags.end(), late)) /
      static_cast<double>(lags.size());
  state.counters["lag_p50_us"] = Quantile(lags, 0.5);
  state.counters["lag_p99_us"] = Quantile(lags, 0.99);
  state.counters["bare_p50_us"] = Quantile(bare, 0.5);
  state.counters["bare_p99_us"] = Quantile(bare, 0.99);
  state.SetItemsProcessed(static_cast<int64_t>(lags.size()));
}
BENCHMARK(Lag)->ArgName("networks")->Arg(1)->Arg(10)->Arg(100)->UseRealTime();

}  // namespace
}  // namespace prospero

BENCHMARK_MAIN();
