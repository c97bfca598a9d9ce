// Many steps in one message: the rate of a network through Drive against that of the same network
// alone, in turns in one process.
//
// Why: a message costs as much as a step or several, so who trains through the wire sends K steps
// at a time, inputs and targets for each and outputs of each. `ratio` says how much of the
// engine's own rate is left; the goal is 0.9 at K = 256 for 64-512-512-10. A step of 10-100-100-10
// is so cheap that everything else shows.
//
// `one_at_a_time` waits for an answer before it sends the next request, `one_ahead` sends it
// before. The server has one worker, as the engine has one thread; with `all_workers` they help
// with the steps, and the ratio may be above 1. Times are those of the wall, of the best run.
// `cpu_ratio` is the engine's CPU time of a step, of all CPU time of one through the wire, at both
// ends: it falls less when others use the machine.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "tests/bench/local_server.h"
#include "tests/bench/stopwatch.h"
#include "tests/support/chains.h"

namespace prospero::server {
namespace {

const std::vector<int64_t> kSmall = {10, 100, 100, 10};
const std::vector<int64_t> kMedium = {64, 512, 512, 10};
constexpr int64_t kRun = 256;  // steps of each before it is the other one's turn, at least

/// The same value for all of `count` steps of a variable.
void AddRows(const v1::VariableSchema& variable, int64_t count, float value,
             v1::DriveAdvance* advance) {
  int64_t values = count;
  for (const int64_t n : variable.shape()) values *= n;
  const std::vector<float> rows(static_cast<size_t>(values), value);
  v1::Block* const block = advance->add_inputs();
  block->set_uid(variable.uid());
  block->set_data(rows.data(), rows.size() * sizeof(float));
}

/// Steps of the chain in a server, K at a time, with a row of input and target for each.
class Driven {
 public:
  Driven(const std::string& address, const std::vector<int64_t>& sizes, int64_t steps)
      : stream_(address, Attach()) {
    v1::DriveAdvance* const advance = request_.mutable_advance();
    advance->set_steps(steps);
    AddRows(stream_.attached().inputs(0), steps, 0.5F, advance);
    AddRows(stream_.attached().inputs(1), steps, 0.3F, advance);
    bytes_ = static_cast<size_t>(steps * sizes.back()) * sizeof(float);
  }

  void Write() { stream_.Write(request_); }
  void Read() {
    stream_.Read(&response_);
    if (response_.advanced().outputs(0).data().size() != bytes_) std::abort();
  }

 private:
  static v1::DriveAttach Attach() {
    v1::DriveAttach attach;
    attach.set_network("networks/bench");
    attach.add_inputs("p0");
    attach.add_inputs("p3");
    return attach;
  }

  DriveStream stream_;
  v1::DriveRequest request_;
  v1::DriveResponse response_;
  size_t bytes_ = 0;
};

/// range(0): K. One iteration is a run of each.
void Drive(benchmark::State& state, const std::vector<int64_t>& sizes, int workers, int64_t ahead) {
  const int64_t steps = state.range(0);
  const int64_t messages = std::max<int64_t>(2 * ahead + 1, kRun / steps);
  LocalServer server(workers);
  server.MakeChain("bench", sizes);
  auto network = *MakeGle(Chain(sizes, Optimizer::kSgd), NetworkOptions(), NetworkLimits());
  Excite(*network, sizes, 1);
  Driven driven(server.address(), sizes, steps);
  int64_t n = 0;
  BestRate alone, wire;
  double alone_cpu = 0, wire_cpu = 0;
  for (auto _ : state) {
    alone_cpu -= ThreadSeconds();
    alone.Run(messages * steps, WallSeconds, [&] { network->Advance({n++, 0.1}); });
    alone_cpu += ThreadSeconds();
    wire_cpu -= ProcessSeconds();
    wire.Run(1, WallSeconds, [&] {
      for (int i = 0; i < ahead; ++i) driven.Write();
      for (int64_t i = ahead; i < messages; ++i) {
        driven.Write();
        driven.Read();
      }
      for (int i = 0; i < ahead; ++i) driven.Read();
    });
    wire_cpu += ProcessSeconds();
  }
  const double rate = wire.per_second() * static_cast<double>(messages * steps);
  state.SetLabel(absl::StrJoin(sizes, "-"));
  state.counters["engine_steps/s"] = alone.per_second();
  state.counters["drive_steps/s"] = rate;
  state.counters["ratio"] = rate / alone.per_second();
  state.counters["cpu_ratio"] = alone_cpu / wire_cpu;
}

void Ks(benchmark::internal::Benchmark* b) {
  b->ArgName("K")->Arg(1)->Arg(16)->Arg(64)->Arg(100)->Arg(256)->Arg(1000)->UseRealTime();
}
BENCHMARK_CAPTURE(Drive, medium_one_at_a_time, kMedium, 1, 0)->Apply(Ks);
BENCHMARK_CAPTURE(Drive, medium_one_ahead, kMedium, 1, 1)->Apply(Ks);
BENCHMARK_CAPTURE(Drive, medium_all_workers, kMedium, 0, 0)->Apply(Ks);
BENCHMARK_CAPTURE(Drive, small_one_at_a_time, kSmall, 1, 0)->Apply(Ks);
BENCHMARK_CAPTURE(Drive, small_one_ahead, kSmall, 1, 1)->Apply(Ks);

}  // namespace
}  // namespace prospero::server

BENCHMARK_MAIN();
