// How long a snapshot keeps a network from stepping, against a copy of the same bytes.
//
// Why: a snapshot is taken between two steps, and a robot waits meanwhile. It can be no quicker
// than to copy all that is saved into memory that is new; `ratio` says how far it is from that,
// and `steps` how many steps the network misses. Copy and snapshot take turns.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "engine/runtime/snapshot.h"
#include "tests/bench/stopwatch.h"
#include "tests/support/chains.h"

namespace prospero {
namespace {

void TakeSnapshot(benchmark::State& state, const std::vector<int64_t>& sizes) {
  const auto network = *MakeGle(Chain(sizes, Optimizer::kSgd), NetworkOptions(), NetworkLimits());
  Excite(*network, sizes, 1);
  int64_t bytes = 0;
  for (const Snapshot::Array& array : Take(network->variables(), {}, 0).arrays) {
    bytes += static_cast<int64_t>(array.values.size());
  }
  const std::vector<char> source(static_cast<size_t>(bytes), 'x');
  int64_t n = 0;
  BestRate snapshot, copy, warm_copy, step;
  std::vector<char> target(source.size());
  for (auto _ : state) {
    snapshot.Run(1, ThreadSeconds, [&] {
      benchmark::DoNotOptimize(Take(network->variables(), {0, n}, 0).arrays.back().values.data());
    });
    copy.Run(1, ThreadSeconds, [&] {
      const auto fresh = std::make_unique_for_overwrite<char[]>(source.size());
      std::memcpy(fresh.get(), source.data(), source.size());
      benchmark::DoNotOptimize(fresh.get());
    });
    warm_copy.Run(1, ThreadSeconds, [&] {
      std::memcpy(target.data(), source.data(), source.size());
      benchmark::DoNotOptimize(target.data());
    });
    step.Run(1, ThreadSeconds, [&] { network->Advance({n++, 0.1}); });
  }
  state.SetLabel(absl::StrJoin(sizes, "-"));
  state.counters["weights"] = static_cast<double>(Weights(sizes));
  state.counters["snapshot_us"] = 1e6 / snapshot.per_second();
  state.counters["ratio"] = copy.per_second() / snapshot.per_second();
  state.counters["ratio_to_warm_copy"] = warm_copy.per_second() / snapshot.per_second();
  state.counters["steps"] = step.per_second() / snapshot.per_second();
}
BENCHMARK_CAPTURE(TakeSnapshot, small, std::vector<int64_t>{10, 100, 100, 10});
BENCHMARK_CAPTURE(TakeSnapshot, medium, std::vector<int64_t>{64, 512, 512, 10});
BENCHMARK_CAPTURE(TakeSnapshot, large, std::vector<int64_t>{256, 1024, 1024, 10});
BENCHMARK_CAPTURE(TakeSnapshot, huge, std::vector<int64_t>{1024, 4096, 4096, 10});

}  // namespace
}  // namespace prospero

BENCHMARK_MAIN();
