// What observers cost the network that they watch, 64-512-512-10, by its output and its loss.
//
// Why: many may watch one network (dashboards, loggers), and none may slow it down much.
//
// `Strand` is what the thread that steps the network pays: it copies values after each observed
// step, and now and then encodes them for all readers and calls those who wait. `ns_per_sample` is
// that, for each reader and sample.
//
// `Wire` is all of it: readers are streams of their own over loopback TCP, every step
// (`every_step`) or every 10th (`thinned`). A driven network makes steps with the readers and, in
// turns, one like it without. `ratio` is what the one's rate is to the other's: readers and network
// share the machine, so its cores set a bound. `samples/s` come to the readers, all together;
// `lost_%` gave way to newer ones. `cpu_us_per_sample` is the time of any core, at both ends, for
// each reader and sample.
//
// `Stalled` drives two equal networks a step at a time, in turns; the streams of one are never
// read. `p50_ratio` and `p99_ratio` are what its round trips take to what the other's take.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/runtime/recorder.h"
#include "tests/bench/local_server.h"
#include "tests/bench/stopwatch.h"
#include "tests/support/chains.h"

namespace prospero::server {
namespace {

constexpr int64_t kSteps = 500;     // in one turn
constexpr double kPatience = 10.0;  // [s] for what was sent
const std::vector<int64_t> kSizes = {64, 512, 512, 10};

/// One iteration is a slice of 64 steps with readers and one without.
void Strand(benchmark::State& state) {
  const auto network = *MakeGle(Chain(kSizes, Optimizer::kSgd), NetworkOptions(), NetworkLimits());
  Excite(*network, kSizes, 1);
  const VariableTable& variables = network->variables();
  ObserverSpec spec;
  spec.selections = {{.variables = {variables.Find("p3.r"), variables.Find("loss")}}};
  const auto recorder =
      *Recorder::Make(variables, spec.selections, spec.retained_bytes, RecordingOptions());
  std::vector<std::shared_ptr<RingReader>> readers;
  Cursor cursor;
  for (int64_t i = 0; i < state.range(0); ++i) {
    readers.push_back(std::make_shared<RingReader>(spec, [] {}));
    recorder->Join(readers.back(), spec, cursor, Clock::Time());
  }
  constexpr int64_t kSlice = 64;
  BestRate with, without;
  const auto step = [&] { network->Advance({cursor.step++, 0.1}); };
  Observed taken;
  for (auto _ : state) {
    without.Run(1, ThreadSeconds, [&] {
      for (int64_t i = 0; i < kSlice; ++i) step();
    });
    recorder->EpochChanged(cursor);
    with.Run(1, ThreadSeconds, [&] {
      for (int64_t i = 0; i < kSlice; ++i) {
        step();
        recorder->AfterStep(cursor);
      }
      recorder->Publish(cursor);
    });
    for (const auto& reader : readers) {
      const bool found = recorder->ring()->Take(*reader, kSlice, INT64_MAX, &taken);
      if (!found || taken.samples.size() != kSlice) std::abort();
    }
  }
  const double extra = 1 / with.per_second() - 1 / without.per_second();
  state.counters["steps/s"] = kSlice * with.per_second();
  state.counters["ratio"] = with.per_second() / without.per_second();
  state.counters["ns_per_sample"] = 1e9 * extra / static_cast<double>(kSlice * state.range(0));
}
BENCHMARK(Strand)->ArgName("readers")->Arg(1)->Arg(10)->Arg(100);

/// One observer, and the thread that reads what it gets.
class Reader {
 public:
  Reader(const std::string& address, int64_t every)
      : stub_(v1::SimulationService::NewStub(Connect(address))) {
    v1::WatchRequest request;
    v1::Subscription* const subscription = request.mutable_subscription();
    subscription->set_network("networks/watched");
    v1::Selection* const selection = subscription->add_selections();
    selection->add_variables("p3.r");
    selection->add_variables("loss");
    selection->set_every_steps(every);
    stream_ = stub_->Watch(&context_, request);
    v1::WatchResponse response;
    if (!stream_->Read(&response) || !response.event().has_opened()) std::abort();
    thread_ = std::thread([this] { ReadAll(); });
  }
  ~Reader() {
    context_.TryCancel();
    thread_.join();
    stream_->Finish();
  }

  int64_t samples() const { return samples_.load(std::memory_order_relaxed); }
  int64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  void ReadAll() {
    v1::WatchResponse response;
    while (stream_->Read(&response)) {
      samples_ += response.event().samples().samples_size();
      lost_ += response.event().gap().count();
    }
  }

  std::unique_ptr<v1::SimulationService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchResponse>> stream_;
  std::atomic<int64_t> samples_ = 0;
  std::atomic<int64_t> lost_ = 0;
  std::thread thread_;
};

/// Drives networks/<id>, some steps at a time.
class Driver {
 public:
  Driver(LocalServer& server, const std::string& id, int64_t steps)
      : stream_((server.MakeChain(id, kSizes), server.address()), Attach(id)), turn_(steps) {
    request_.mutable_advance()->set_steps(steps);
    request_.mutable_advance()->set_output_every(steps);
  }
  void Run() {
    stream_.Write(request_);
    stream_.Read(&response_);
    steps_ += turn_;
  }
  int64_t steps() const { return steps_; }

 private:
  static v1::DriveAttach Attach(const std::string& id) {
    v1::DriveAttach attach;
    attach.set_network("networks/" + id);
    return attach;
  }

  DriveStream stream_;
  const int64_t turn_;
  v1::DriveRequest request_;
  v1::DriveResponse response_;
  int64_t steps_ = 0;
};

/// range(0): readers. One iteration is a turn of each network.
void Wire(benchmark::State& state, int64_t every) {
  LocalServer server;
  Driver watched(server, "watched", kSteps), alone(server, "alone", kSteps);
  std::vector<std::unique_ptr<Reader>> readers;
  for (int64_t i = 0; i < state.range(0); ++i) {
    readers.push_back(std::make_unique<Reader>(server.address(), every));
  }
  BestRate with, without;
  double cpu_with = 0, cpu_without = 0, wall_with = 0;
  for (auto _ : state) {
    double cpu = ProcessSeconds();
    const double begin = WallSeconds();
    with.Run(1, WallSeconds, [&] { watched.Run(); });
    for (const auto& reader : readers) {
      while (reader->samples() + reader->lost() < watched.steps() / every) {
        if (WallSeconds() - begin > kPatience) return state.SkipWithError("samples are missing");
        std::this_thread::yield();
      }
    }
    wall_with += WallSeconds() - begin;
    cpu_with += ProcessSeconds() - cpu;
    cpu = ProcessSeconds();
    without.Run(1, WallSeconds, [&] { alone.Run(); });
    cpu_without += ProcessSeconds() - cpu;
  }
  int64_t samples = 0, lost = 0;
  for (const auto& reader : readers) {
    samples += reader->samples();
    lost += reader->lost();
  }
  state.counters["steps/s"] = kSteps * with.per_second();
  state.counters["ratio"] = with.per_second() / without.per_second();
  if (readers.empty()) return;
  const auto all = static_cast<double>(samples + lost);
  state.counters["samples/s"] = static_cast<double>(samples) / wall_with;
  state.counters["lost_%"] = 100 * static_cast<double>(lost) / all;
  state.counters["cpu_us_per_sample"] = 1e6 * (cpu_with - cpu_without) / all;
}
BENCHMARK_CAPTURE(Wire, every_step, 1)
    ->ArgName("readers")
    ->Arg(0)
    ->Arg(1)
    ->Arg(10)
    ->Arg(100)
    ->UseRealTime();
BENCHMARK_CAPTURE(Wire, thinned, 10)->ArgName("readers")->Arg(1)->Arg(10)->Arg(100)->UseRealTime();

/// A connection that takes 64 KiB of what its client does not read, as our clients have for
/// observers: by default it is many megabytes, which would take all day to fill.
std::shared_ptr<grpc::Channel> ConnectNarrowly(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 65536);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

/// A stream that is open and is never read again.
class StalledReader {
 public:
  explicit StalledReader(const std::string& address)
      : stub_(v1::SimulationService::NewStub(ConnectNarrowly(address))) {
    v1::WatchRequest request;
    v1::Subscription* const subscription = request.mutable_subscription();
    subscription->set_network("networks/watched");
    subscription->add_selections()->add_variables("p3.r");
    stream_ = stub_->Watch(&context_, request);
    v1::WatchResponse response;
    if (!stream_->Read(&response)) std::abort();
  }
  ~StalledReader() {
    context_.TryCancel();
    v1::WatchResponse response;
    while (stream_->Read(&response)) {
    }
    stream_->Finish();
  }

 private:
  std::unique_ptr<v1::SimulationService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchResponse>> stream_;
};

/// [s]
double Quantile(std::vector<double>* times, double q) {
  const auto at = times->begin() + static_cast<int64_t>(q * static_cast<double>(times->size() - 1));
  std::nth_element(times->begin(), at, times->end());
  return *at;
}

/// range(0): streams that are not read.
void Stalled(benchmark::State& state) {
  LocalServer server;
  Driver watched(server, "watched", 1), alone(server, "alone", 1);
  std::vector<std::unique_ptr<StalledReader>> readers;
  for (int64_t i = 0; i < state.range(0); ++i) {
    readers.push_back(std::make_unique<StalledReader>(server.address()));
  }
  // Until every socket is full.
  for (int i = 0; i < 20'000; ++i) watched.Run();
  std::vector<double> with, without;
  const auto time = [](Driver& driver, std::vector<double>* times) {
    const double begin = WallSeconds();
    driver.Run();
    times->push_back(WallSeconds() - begin);
  };
  for (auto _ : state) {
    time(watched, &with);
    time(alone, &without);
  }
  state.counters["p50_us"] = 1e6 * Quantile(&with, 0.5);
  state.counters["p99_us"] = 1e6 * Quantile(&with, 0.99);
  state.counters["p50_ratio"] = Quantile(&with, 0.5) / Quantile(&without, 0.5);
  state.counters["p99_ratio"] = Quantile(&with, 0.99) / Quantile(&without, 0.99);
}
BENCHMARK(Stalled)->ArgName("readers")->Arg(0)->Arg(100)->UseRealTime()->Iterations(5000);

}  // namespace
}  // namespace prospero::server

BENCHMARK_MAIN();
