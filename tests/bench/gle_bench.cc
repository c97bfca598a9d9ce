// Steps of GLE networks, against what this machine can do at most.
//
// Why: a network that learns online is limited by how often its weights can be read and written,
// and in batches by how often they can be multiplied. `Step` reports both in percent of what
// machine_limits.h finds in the same process: of the bandwidth at the same working set, and of
// the peak of fused multiply-adds. Where learning is off, weights are only read: `frozen` shows
// what that saves. `AgainstEigen` runs the same step as one would write it first, with three
// passes over each matrix, in turns with ours, so that their ratio does not depend on how busy
// the machine is.
//
// Large networks are also stepped by a crew of all threads, against what all threads can do; small
// ones have no use for it and must not suffer from it.
//
// `best_steps/s` is the best of many short runs and what the percentages are of; `steps/s` is the
// mean over all. The last chain is at least three times as large as the last-level cache.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "tests/bench/all_threads.h"
#include "tests/bench/machine_limits.h"
#include "tests/bench/plain_chain.h"
#include "tests/bench/stopwatch.h"
#include "tests/support/chains.h"

namespace prospero {
namespace {

using Sizes = std::vector<int64_t>;

constexpr double kDt = 0.1;           // [ms]
constexpr double kRunSeconds = 3e-4;  // of one short run, if a step does not take longer

struct Case {
  Sizes sizes;
  DataType precision = DataType::kFloat32;
  Optimizer optimizer = Optimizer::kSgd;
  int64_t batch = 1;
  bool frozen = false;
  bool aligned = false;
  bool all_threads = false;

  std::string name() const {
    const char* const rule = frozen                              ? "frozen"
                             : optimizer == Optimizer::kAdam     ? "adam"
                             : optimizer == Optimizer::kMomentum ? "momentum"
                                                                 : "sgd";
    return absl::StrCat(
        absl::StrJoin(sizes, "-"), "/", precision == DataType::kFloat32 ? "float32" : "float64",
        "/", rule, aligned ? "/aligned" : "", "/batch:", batch, all_threads ? "/threads:all" : "");
  }
};

/// 1024-n-n-10, as large as it must be.
Sizes PastTheCache() {
  const double weights = 3.0 * static_cast<double>(LastLevelCacheBytes()) / sizeof(float);
  const auto n = static_cast<int64_t>(std::sqrt(weights));
  return {1024, n + 64 - n % 64, n + 64 - n % 64, 10};
}

GleSpec SpecOf(const Case& c) {
  GleSpec spec = Chain(c.sizes, c.optimizer);
  if (!c.aligned) return spec;
  for (GlePopulation& population : spec.populations) {
    if (population.role != PopulationRole::kHidden) continue;
    population.noise.emplace();
    population.noise->sigma = 0.01;
    population.noise->tau = 1.0;
  }
  for (size_t k = 1; k < spec.projections.size(); ++k) {
    GleFeedback& feedback = spec.projections[k].feedback;
    feedback.path = FeedbackPath::kAligned;
    feedback.alignment.emplace();
    feedback.alignment->tau_hp = 1.0;
    feedback.alignment->plasticity = spec.projections[k].plasticity;
  }
  return spec;
}

/// What a step must do at least.
struct Work {
  double bytes = 0;        ///< read, and written where weights learn
  double working_set = 0;  ///< [bytes]
  double operations = 0;   ///< two for each fused multiply-add
};

Work WorkOf(const Case& c) {
  const double copies = c.optimizer == Optimizer::kAdam       ? 3
                        : c.optimizer == Optimizer::kMomentum ? 2
                                                              : 1;
  Work work;
  for (size_t k = 1; k < c.sizes.size(); ++k) {
    const auto weights = static_cast<double>(c.sizes[k] * c.sizes[k - 1]);
    const bool sends_errors = k > 1;  // nobody needs those of the input
    const double matrices = c.aligned && sends_errors ? 2 : 1;
    const auto width = static_cast<double>(SizeOf(c.precision));
    work.working_set += weights * width * matrices * (c.frozen ? 1 : copies);
    const double products = 1 + (sends_errors ? 1 : 0) + (c.frozen ? 0 : matrices);
    work.operations += 2 * products * weights * static_cast<double>(c.batch);
  }
  work.bytes = work.working_set * (c.frozen ? 1 : 2);
  return work;
}

/// The one of the last case; making one of 10^8 weights takes longer than to run it.
Network* NetworkOf(const Case& c, benchmark::State& state) {
  static std::string made_for;
  static std::unique_ptr<Network> network;
  if (made_for == c.name()) return network.get();
  network.reset();
  NetworkOptions options;
  options.dt = kDt;
  options.precision = c.precision;
  options.batch_size = c.batch;
  auto made = MakeGle(SpecOf(c), options, NetworkLimits());
  if (!made.ok()) {
    state.SkipWithError(made.status().ToString().c_str());
    return nullptr;
  }
  network = *std::move(made);
  made_for = c.name();
  Excite(*network, c.sizes, c.batch);
  if (c.frozen) Set(*network, "learning", 0.0);
  return network.get();
}

/// How many steps make a short run.
template <class F>
int64_t RunLength(const F& step) {
  step();
  BestRate rate;
  for (int i = 0; i < 2; ++i) rate.Run(1, ThreadSeconds, step);
  return std::max<int64_t>(1, static_cast<int64_t>(kRunSeconds * rate.per_second()));
}

struct Limits {
  double bandwidth = 0;   ///< [bytes/s]
  double operations = 0;  ///< [1/s]
};

/// What the machine could do at most for such a step. The oftener it is asked, the surer it is.
Limits LimitsOf(const Case& c) {
  const int threads = c.all_threads ? ThreadCount() : 1;
  const auto working_set = static_cast<int64_t>(WorkOf(c).working_set);
  return {c.frozen ? ReadBandwidth(working_set, threads) : RewriteBandwidth(working_set, threads),
          FmaPeak(c.precision, threads)};
}

void Report(benchmark::State& state, const Case& c, double best_rate) {
  const Work work = WorkOf(c);
  const Limits limits = LimitsOf(c);
  state.counters["steps/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  state.counters["best_steps/s"] = best_rate;
  state.counters["weights/s"] = best_rate * static_cast<double>(Weights(c.sizes));
  state.counters["bandwidth_%"] = 100 * work.bytes * best_rate / limits.bandwidth;
  state.counters["fma_%"] = 100 * work.operations * best_rate / limits.operations;
  state.counters["limit_GB/s"] = limits.bandwidth / 1e9;
  state.counters["limit_GFLOP/s"] = limits.operations / 1e9;
}

void Step(benchmark::State& state, const Case& c) {
  Network* const network = NetworkOf(c, state);
  if (network == nullptr) return;
  LimitsOf(c);
  absl::optional<AllThreads> threads;
  if (c.all_threads) threads.emplace();
  Team* const team = c.all_threads ? threads->team() : nullptr;
  static int64_t n = 0;
  const auto step = [network, team] { network->Advance({n++, kDt, team}); };
  const int64_t run = RunLength(step);
  const auto seconds = c.all_threads ? WallSeconds : ThreadSeconds;
  BestRate rate;
  while (state.KeepRunningBatch(run)) rate.Run(run, seconds, step);
  threads.reset();
  if (!network->finite()) return state.SkipWithError("diverged");
  Report(state, c, rate.per_second());
}

/// One iteration is a short run of each.
template <class Real>
void AgainstEigen(benchmark::State& state, const Case& c) {
  Network* const network = NetworkOf(c, state);
  if (network == nullptr) return;
  PlainChain<Real> plain(c.sizes);
  static int64_t n = 0;
  const auto step = [network] { network->Advance({n++, kDt}); };
  const auto plain_step = [&plain] { plain.Step(); };
  const int64_t run = RunLength(step);
  const int64_t plain_run = RunLength(plain_step);
  BestRate rate, plain_rate;
  for (auto _ : state) {
    rate.Run(run, ThreadSeconds, step);
    plain_rate.Run(plain_run, ThreadSeconds, plain_step);
  }
  if (!network->finite() || !plain.finite()) return state.SkipWithError("diverged");
  state.counters["best_steps/s"] = rate.per_second();
  state.counters["eigen_steps/s"] = plain_rate.per_second();
  state.counters["ratio"] = rate.per_second() / plain_rate.per_second();
}

void Register(const Case& c) {
  auto* const registered = benchmark::RegisterBenchmark(
      absl::StrCat("Step/", c.name()).c_str(), [c](benchmark::State& state) { Step(state, c); });
  if (c.all_threads) registered->UseRealTime();
}

void RegisterAll() {
  const Sizes past_the_cache = PastTheCache();
  const std::vector<Sizes> chains = {{10, 100, 100, 10},
                                     {64, 512, 512, 10},
                                     {256, 1024, 1024, 10},
                                     {1024, 4096, 4096, 10},
                                     past_the_cache};
  const Sizes square = {1, 1024, 1024};  // nearly all of it is one projection
  for (const Sizes& sizes : chains) {
    Register({.sizes = sizes});
    Register({.sizes = sizes, .frozen = true});
    Register({.sizes = sizes, .optimizer = Optimizer::kMomentum});
    Register({.sizes = sizes, .optimizer = Optimizer::kAdam});
    Register({.sizes = sizes, .precision = DataType::kFloat64});
    if (ThreadCount() > 1) Register({.sizes = sizes, .all_threads = true});
    if (sizes == past_the_cache) continue;
    Register({.sizes = sizes, .aligned = true});
    for (const int64_t batch : {32, 64}) Register({.sizes = sizes, .batch = batch});
  }
  for (const DataType precision : {DataType::kFloat32, DataType::kFloat64}) {
    Register({.sizes = square, .precision = precision, .batch = 64});
    Register({.sizes = square, .precision = precision, .batch = 64, .frozen = true});
    if (ThreadCount() < 2) continue;
    Register({.sizes = square, .precision = precision, .batch = 64, .all_threads = true});
  }
  for (size_t k = 0; k < 3; ++k) {
    for (const DataType precision : {DataType::kFloat32, DataType::kFloat64}) {
      const Case c = {.sizes = chains[k], .precision = precision};
      benchmark::RegisterBenchmark(
          absl::StrCat("AgainstEigen/", c.name()).c_str(), [c](benchmark::State& state) {
            c.precision == DataType::kFloat32 ? AgainstEigen<float>(state, c)
                                              : AgainstEigen<double>(state, c);
          });
    }
  }
}

}  // namespace
}  // namespace prospero

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return EXIT_FAILURE;
  prospero::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return EXIT_SUCCESS;
}
