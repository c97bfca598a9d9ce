// What it costs to keep networks, and how soon they are back.
//
// Why: a network that learned for a week is worth more than the process that hosts it; but who
// waits for the disk with every frame must not wait long. A SYNC frame is answered when it is on
// disk, and networks that wait share one write; the goal is half of the frames of NONE with 16
// networks.
//
// `Frames` drives that many chains 16-16-16 at once, each a step at a time by a driver of its own
// that waits for the answer, in turns with NONE, ASYNC and SYNC. Rates are those of all turns
// together, not of the best one: a disk has good and bad moments.
//
// `Restart` starts a server on a directory with so many networks, each with a journal of so many
// frames behind its creation, as a killed server leaves it, and waits until all of them are back.
// `shutdown` is the same after a shutdown: nothing is replayed. `replayed/s` are steps of the
// journal by all of the time that the killed one takes.
//
// The directory is below $TMPDIR, and what its disk takes for a sync counts most: it is told as
// `sync_us`.

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "prospero/v1/network_service.grpc.pb.h"
#include "tests/bench/local_server.h"
#include "tests/bench/stopwatch.h"

namespace prospero::server {
namespace {

constexpr int kFloats = 16;
constexpr int kFramesPerTurn = 6400;  // of all networks together, at least
constexpr int kStepsPerFrame = 100;   // of a journal that is replayed
const std::vector<int64_t> kSizes = {kFloats, kFloats, kFloats};

/// Below $TMPDIR, gone in the end.
class Folder {
 public:
  Folder() {
    std::string path = std::filesystem::temp_directory_path() / "prospero-bench-XXXXXX";
    if (mkdtemp(path.data()) == nullptr) std::abort();
    path_ = path;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// The best time of a page written behind the others, and synced [us].
double SyncMicroseconds(const Folder& folder) {
  const int file = open((folder / "sync").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  const std::string page(4096, 'x');
  BestRate rate;
  for (int i = 0; i < 20; ++i) {
    rate.Run(1, WallSeconds, [&] {
      if (write(file, page.data(), page.size()) < 0 || fdatasync(file) != 0) std::abort();
    });
  }
  close(file);
  return 1e6 / rate.per_second();
}

/// Who drives one chain, a frame of `steps` steps at a time, and waits for each answer.
class Driver {
 public:
  Driver(const std::string& address, const std::string& id, int64_t steps)
      : stream_(address, Attach(id)) {
    v1::DriveAdvance* const advance = request_.mutable_advance();
    advance->set_steps(steps);
    v1::Block* const block = advance->add_inputs();
    block->set_uid(stream_.attached().inputs(0).uid());
    block->set_data(std::string(kFloats * sizeof(float), '\0'));
  }

  /// Each frame has other values than the one before.
  void Run(int frames) {
    for (int i = 0; i < frames; ++i) {
      std::string& data = *request_.mutable_advance()->mutable_inputs(0)->mutable_data();
      const auto value = static_cast<float>(++count_ % 1000) * 1e-3F;
      for (int k = 0; k < kFloats; ++k) data.replace(k * sizeof value, sizeof value, Bytes(value));
      stream_.Write(request_);
      stream_.Read(&response_);
      if (!response_.has_advanced()) std::abort();
    }
  }

 private:
  static v1::DriveAttach Attach(const std::string& id) {
    v1::DriveAttach attach;
    attach.set_network(absl::StrCat("networks/", id));
    attach.add_inputs("p0");
    return attach;
  }
  static std::string Bytes(float value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
  }

  DriveStream stream_;
  v1::DriveRequest request_;
  v1::DriveResponse response_;
  int count_ = 0;
};

/// Drivers of equal networks, all at once.
class Crowd {
 public:
  Crowd(LocalServer& server, const std::string& name, int networks, v1::Durability durability) {
    for (int k = 0; k < networks; ++k) {
      const std::string id = absl::StrCat(name, "-", k);
      server.MakeChain(id, kSizes, durability);
      drivers_.push_back(std::make_unique<Driver>(server.address(), id, 1));
    }
  }

  void Run(int frames) {
    const double begin = WallSeconds();
    std::vector<std::thread> threads;
    threads.reserve(drivers_.size());
    for (const auto& driver : drivers_) {
      threads.emplace_back([&driver, frames] { driver->Run(frames); });
    }
    for (std::thread& thread : threads) thread.join();
    seconds_ += WallSeconds() - begin;
    frames_ += static_cast<double>(frames) * static_cast<double>(drivers_.size());
  }
  void Forget() { seconds_ = frames_ = 0; }

  double per_second() const { return frames_ / seconds_; }

 private:
  std::vector<std::unique_ptr<Driver>> drivers_;
  double seconds_ = 0;
  double frames_ = 0;
};

/// range(0): networks. One iteration is a turn of each durability.
void Frames(benchmark::State& state) {
  const int networks = static_cast<int>(state.range(0));
  const int frames = std::max(10, kFramesPerTurn / networks);
  const Folder folder;
  state.counters["sync_us"] = SyncMicroseconds(folder);
  LocalServer server(folder / "data");
  Crowd none(server, "none", networks, v1::DURABILITY_NONE);
  Crowd async(server, "async", networks, v1::DURABILITY_ASYNC);
  Crowd sync(server, "sync", networks, v1::DURABILITY_SYNC);
  const std::array<Crowd*, 3> all = {&none, &async, &sync};
  for (Crowd* crowd : all) {
    crowd->Run(frames);
    crowd->Forget();
  }
  for (auto _ : state) {
    for (Crowd* crowd : all) crowd->Run(frames);
  }
  state.counters["none_frames/s"] = none.per_second();
  state.counters["async_frames/s"] = async.per_second();
  state.counters["sync_frames/s"] = sync.per_second();
  state.counters["async_ratio"] = async.per_second() / none.per_second();
  state.counters["sync_ratio"] = sync.per_second() / none.per_second();
}
BENCHMARK(Frames)->ArgName("networks")->Arg(1)->Arg(16)->Arg(64)->MinTime(5.0)->UseRealTime();

/// Waits until the network is back, and asks for its answer.
void Await(const std::string& address, const std::string& id) {
  v1::GetNetworkSchemaRequest request;
  request.set_name(absl::StrCat("networks/", id));
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  v1::GetNetworkSchemaResponse response;
  const auto stub = v1::NetworkService::NewStub(Connect(address));
  if (!stub->GetNetworkSchema(&context, request, &response).ok()) std::abort();
}

/// In `killed` what a server that is killed leaves: a copy of what is on disk when every frame was
/// answered. In `data` what it leaves when it is shut down.
void MakeDirectories(const Folder& folder, int networks, int frames) {
  LocalServer server(folder / "data");
  for (int k = 0; k < networks; ++k) {
    const std::string id = absl::StrCat("net-", k);
    server.MakeChain(id, kSizes, v1::DURABILITY_SYNC);
    Driver(server.address(), id, kStepsPerFrame).Run(frames);
  }
  std::filesystem::copy(folder / "data", folder / "killed",
                        std::filesystem::copy_options::recursive);
  server.ShutDown();
}

/// range(0): networks. range(1): frames of each. One iteration is a start of each kind.
void Restart(benchmark::State& state) {
  const int networks = static_cast<int>(state.range(0));
  const Folder folder;
  MakeDirectories(folder, networks, static_cast<int>(state.range(1)));
  double killed = 0, shut_down = 0;
  for (auto _ : state) {
    for (const auto& [name, seconds] : {std::pair("killed", &killed), {"data", &shut_down}}) {
      const std::string copy = folder / "copy";
      std::filesystem::copy(folder / name, copy, std::filesystem::copy_options::recursive);
      const double begin = WallSeconds();
      const LocalServer server(copy);
      for (int k = 0; k < networks; ++k) Await(server.address(), absl::StrCat("net-", k));
      *seconds += WallSeconds() - begin;
      std::filesystem::remove_all(copy);
    }
  }
  const auto starts = static_cast<double>(state.iterations());
  const double steps = static_cast<double>(networks * state.range(1)) * kStepsPerFrame;
  state.counters["killed_ms"] = 1e3 * killed / starts;
  state.counters["shutdown_ms"] = 1e3 * shut_down / starts;
  state.counters["steps"] = steps;
  state.counters["replayed/s"] = steps * starts / killed;
}
BENCHMARK(Restart)
    ->ArgNames({"networks", "frames"})
    ->ArgsProduct({{1, 16, 64, 256}, {0, 10, 100}})
    ->Args({1, 1000})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace prospero::server

BENCHMARK_MAIN();
