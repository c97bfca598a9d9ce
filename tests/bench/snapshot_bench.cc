// How long a snapshot keeps a network from stepping, against a copy of the same bytes.
//
// Why: a snapshot is taken between two steps, and a robot waits meanwhile. Memory is set aside and
// touched before, by whoever asks (`room_us`), so that the pause is no more than a copy; `ratio`
// says how far it is from one, and `steps` how many steps the network misses: the goal is at most
// one. Copy and snapshot take turns.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
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
  BestRate room, pause, copy, step;
  std::vector<char> target(source.size());
  for (auto _ : state) {
    Snapshot snapshot;
    room.Run(1, ThreadSeconds, [&] { snapshot = MakeRoom(network->variables()); });
    pause.Run(1, ThreadSeconds, [&] {
      CopyValues(network->variables(), nullptr, &snapshot);
      benchmark::DoNotOptimize(snapshot.arrays.back().values.data());
    });
    copy.Run(1, ThreadSeconds, [&] {
      std::memcpy(target.data(), source.data(), source.size());
      benchmark::DoNotOptimize(target.data());
    });
    step.Run(1, ThreadSeconds, [&] { network->Advance({n++, 0.1}); });
  }
  state.SetLabel(absl::StrJoin(sizes, "-"));
  state.counters["weights"] = static_cast<double>(Weights(sizes));
  state.counters["MB"] = static_cast<double>(bytes) * 1e-6;
  state.counters["room_us"] = 1e6 / room.per_second();
  state.counters["pause_us"] = 1e6 / pause.per_second();
  state.counters["ratio"] = copy.per_second() / pause.per_second();
  state.counters["steps"] = step.per_second() / pause.per_second();
}
BENCHMARK_CAPTURE(TakeSnapshot, small, std::vector<int64_t>{10, 100, 100, 10});
BENCHMARK_CAPTURE(TakeSnapshot, medium, std::vector<int64_t>{64, 512, 512, 10});
BENCHMARK_CAPTURE(TakeSnapshot, large, std::vector<int64_t>{256, 1024, 1024, 10});
BENCHMARK_CAPTURE(TakeSnapshot, huge, std::vector<int64_t>{1024, 4096, 4096, 10});

}  // namespace
}  // namespace prospero

BENCHMARK_MAIN();
