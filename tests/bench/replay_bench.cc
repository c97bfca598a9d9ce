// How quickly the journal of a network is replayed, by the kind of network.
//
// Why: after a crash a network must make again all steps since its last checkpoint before anybody
// can use it. A step of a replay takes what a step takes, and reading the tape on top.
//
// The tape has a new input and a new target in every step, which is the longest that it can be.
// `replayed_steps/s` are those of Instance::Recover, on one thread; `ratio` is what they are to
// those of the bare network with the last input held, in turns; `real_times` how much model time
// passes in a unit of wall time; `bytes` of the tape are those of one step.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "engine/runtime/instance.h"
#include "engine/runtime/scheduler.h"
#include "tests/bench/stopwatch.h"
#include "tests/support/box.h"
#include "tests/support/chains.h"
#include "tests/support/circuit.h"
#include "tests/support/layered.h"

namespace prospero {
namespace {

struct Kind {
  std::function<std::unique_ptr<Network>()> make;
  double dt;  ///< [ms]
};

Kind Gle(const std::vector<int64_t>& sizes) {
  return {[sizes] { return *MakeGle(Chain(sizes, Optimizer::kSgd), {}, {}); }, 0.1};
}

Kind Layers() {
  return {[] {
            LatentEquilibriumSpec spec;
            spec.input_shape = {784};
            spec.layers = {DenseLayer("hidden", 300, Activation::kTanh, 1e-5),
                           DenseLayer("output", 10, Activation::kLinear, 1e-5)};
            return Make(spec, LayeredOptions(DataType::kFloat32));
          },
          0.1};
}

Kind Microcircuit() {
  return {[] { return MakeCircuit(BusyCircuit(), 1, DataType::kFloat32); }, kCircuitDt};
}

/// Keeps all pieces in memory.
class Memory final : public Journal {
 public:
  void Append(absl::string_view piece, Cursor /*cursor*/) override { pieces.emplace_back(piece); }
  void BeginOrder() override {}
  void EndOrder() override {}

  std::vector<std::string> pieces;
};

/// A job of so many steps, with random inputs and targets for each of them.
DriveJob Frames(const VariableTable& variables, int64_t steps) {
  DriveJob job;
  job.steps = job.output_every = steps;
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(0.0F, 1.0F);
  for (int i = 0; i < variables.size(); ++i) {
    const Variable& variable = variables[i];
    const bool wanted =
        variable.role == Role::kInput && variable.type == DataType::kFloat32 &&
        (absl::EndsWith(variable.name, ".r") || absl::EndsWith(variable.name, ".target"));
    if (!wanted) continue;
    std::vector<float> rows(static_cast<size_t>(steps * variable.size()));
    for (float& value : rows) value = uniform(random);
    job.inputs.push_back(
        {i, std::string(reinterpret_cast<const char*>(rows.data()), rows.size() * sizeof(float))});
  }
  return job;
}

/// The journal of that many steps.
std::vector<std::string> Record(const Kind& kind, Scheduler* scheduler, int64_t steps) {
  const auto journal = std::make_shared<Memory>();
  Instance::Options options;
  options.dt = kind.dt;
  options.journal = journal;
  const auto instance = Instance::Make(kind.make(), scheduler, options);
  DriveJob job = Frames(instance->variables(), steps);
  DriverOptions attach;
  for (const InputBlock& block : job.inputs) attach.inputs.push_back(block.variable);
  Box<bool> done;
  job.done = [&done](DriveJob& finished) { done.Put(finished.status.ok()); };
  const auto driver = *instance->Attach(attach);
  driver->Submit(&job);
  if (!done.Take()) std::abort();
  instance->End(absl::AbortedError("the benchmark is over"));
  return journal->pieces;
}

void Recover(const Kind& kind, Scheduler* scheduler, const std::vector<std::string>& pieces,
             int64_t steps) {
  Instance::Options options;
  options.dt = kind.dt;
  Origin origin;
  size_t next = 0;
  origin.next_piece = [&]() -> absl::StatusOr<absl::optional<std::string>> {
    if (next == pieces.size()) return absl::nullopt;
    return pieces[next++];
  };
  absl::Status loss;
  const auto instance = Instance::Recover(kind.make(), scheduler, options, origin, &loss);
  if (!instance.ok() || !loss.ok() || (*instance)->status().cursor.step != steps) std::abort();
  (*instance)->End(absl::AbortedError("the benchmark is over"));
}

/// One iteration is a replay and as many bare steps.
void Replay(benchmark::State& state, const Kind& kind, int64_t steps) {
  const auto scheduler = Scheduler::Make(1);
  const std::vector<std::string> pieces = Record(kind, scheduler.get(), steps);
  size_t bytes = 0;
  for (const std::string& piece : pieces) bytes += piece.size();
  const auto network = kind.make();
  const DriveJob frame = Frames(network->variables(), 1);
  for (const InputBlock& block : frame.inputs) {
    network->variables()[block.variable].Write(block.values.data());
  }
  int64_t n = 0;
  BestRate replay, alone;
  for (auto _ : state) {
    replay.Run(1, ThreadSeconds, [&] { Recover(kind, scheduler.get(), pieces, steps); });
    alone.Run(steps, ThreadSeconds, [&] { network->Advance({n++, kind.dt}); });
  }
  const double rate = replay.per_second() * static_cast<double>(steps);
  state.counters["replayed_steps/s"] = rate;
  state.counters["ratio"] = rate / alone.per_second();
  state.counters["real_times"] = rate * kind.dt * 1e-3;
  state.counters["bytes"] = static_cast<double>(bytes) / static_cast<double>(steps);
}
BENCHMARK_CAPTURE(Replay, gle_10_100_100_10, Gle({10, 100, 100, 10}), 20'000);
BENCHMARK_CAPTURE(Replay, gle_64_512_512_10, Gle({64, 512, 512, 10}), 2'000);
BENCHMARK_CAPTURE(Replay, latent_equilibrium_784_300_10, Layers(), 2'000);
BENCHMARK_CAPTURE(Replay, microcircuit_3_5_4_2, Microcircuit(), 100'000);

}  // namespace
}  // namespace prospero

BENCHMARK_MAIN();
