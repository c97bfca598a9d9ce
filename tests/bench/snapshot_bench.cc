// How long a snapshot keeps a network from stepping, against a copy of the same bytes.
//
// Why: a snapshot is taken between two steps, and a robot waits meanwhile. Memory is set aside and
// touched before, by whoever asks (`room_us`), so that the pause is no more than a copy; `ratio`
// says how far it is from one, and `steps` how many steps the network misses: the goal is at most
// one. Copy and snapshot take turns. `crew` is a network whose crew is at work: all threads step,
// copy, and take the snapshot.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "engine/runtime/snapshot.h"
#include "tests/bench/all_threads.h"
#include "tests/bench/stopwatch.h"
#include "tests/support/chains.h"

namespace prospero {
namespace {

/// With a crew what all of them do is timed by the wall.
void TakeSnapshot(benchmark::State& state, const std::vector<int64_t>& sizes, bool with_crew) {
  absl::optional<AllThreads> crew;
  if (with_crew) crew.emplace();
  Team* const team = with_crew ? crew->team() : nullptr;
  const auto seconds = with_crew ? WallSeconds : ThreadSeconds;
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
  const int64_t shares = with_crew ? ThreadCount() : 1;
  for (auto _ : state) {
    Snapshot snapshot;
    room.Run(1, ThreadSeconds, [&] { snapshot = MakeRoom(network->variables()); });
    pause.Run(1, seconds, [&] {
      CopyValues(network->variables(), team, &snapshot);
      benchmark::DoNotOptimize(snapshot.arrays.back().values.data());
    });
    copy.Run(1, seconds, [&] {
      RunOn(team, shares, [&](int64_t i) {
        std::memcpy(target.data() + i * bytes / shares, source.data() + i * bytes / shares,
                    static_cast<size_t>((i + 1) * bytes / shares - i * bytes / shares));
      });
      benchmark::DoNotOptimize(target.data());
    });
    step.Run(1, seconds, [&] { network->Advance({n++, 0.1, team}); });
  }
  state.SetLabel(absl::StrJoin(sizes, "-"));
  state.counters["weights"] = static_cast<double>(Weights(sizes));
  state.counters["MB"] = static_cast<double>(bytes) * 1e-6;
  state.counters["room_us"] = 1e6 / room.per_second();
  state.counters["pause_us"] = 1e6 / pause.per_second();
  state.counters["ratio"] = copy.per_second() / pause.per_second();
  state.counters["steps"] = step.per_second() / pause.per_second();
}
using Sizes = std::vector<int64_t>;
BENCHMARK_CAPTURE(TakeSnapshot, small, Sizes{10, 100, 100, 10}, false);
BENCHMARK_CAPTURE(TakeSnapshot, medium, Sizes{64, 512, 512, 10}, false);
BENCHMARK_CAPTURE(TakeSnapshot, medium_crew, Sizes{64, 512, 512, 10}, true)->UseRealTime();
BENCHMARK_CAPTURE(TakeSnapshot, large, Sizes{256, 1024, 1024, 10}, false);
BENCHMARK_CAPTURE(TakeSnapshot, large_crew, Sizes{256, 1024, 1024, 10}, true)->UseRealTime();
BENCHMARK_CAPTURE(TakeSnapshot, huge, Sizes{1024, 4096, 4096, 10}, false);
BENCHMARK_CAPTURE(TakeSnapshot, huge_crew, Sizes{1024, 4096, 4096, 10}, true)->UseRealTime();

}  // namespace
}  // namespace prospero

BENCHMARK_MAIN();
