// The closed loop through Drive against a bare gRPC echo: the same messages, with 16 floats in
// and 16 floats out, over loopback TCP, in one process and in turns, so that both see the same
// machine. Prints how the round trips' times are spread and what they are to each other.
//
// Why: a robot waits for each answer, so what counts is what we add to a message's own way. The
// goal is at most 1.2 times the echo's median and 1.5 times its 99th percentile.
//
//   drive_bench [--round_trips=20000] [--json=file]

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "prospero/v1/simulation_service.grpc.pb.h"
#include "tests/bench/local_server.h"
#include "tests/bench/stopwatch.h"

namespace prospero::server {
namespace {

constexpr int kFloats = 16;
constexpr int kChunk = 250;    // round trips before it is the other one's turn
constexpr int kWarmUp = 2000;  // of each, not counted

/// Sends the bytes of every request back, and does nothing else.
class Echo final : public v1::SimulationService::CallbackService {
  class Reactor final : public grpc::ServerBidiReactor<v1::DriveRequest, v1::DriveResponse> {
   public:
    Reactor() { StartRead(&request_); }
    void OnReadDone(bool ok) override {
      if (!ok) return Finish(grpc::Status::OK);
      if (request_.has_attach()) {
        response_.mutable_attached();
      } else {
        v1::Block* const output = response_.mutable_advanced()->outputs_size() > 0
                                      ? response_.mutable_advanced()->mutable_outputs(0)
                                      : response_.mutable_advanced()->add_outputs();
        output->set_data(request_.advance().inputs(0).data());
      }
      StartWrite(&response_);
    }
    void OnWriteDone(bool ok) override {
      if (ok) StartRead(&request_);
    }
    void OnDone() override { delete this; }

   private:
    v1::DriveRequest request_;
    v1::DriveResponse response_;
  };

  grpc::ServerBidiReactor<v1::DriveRequest, v1::DriveResponse>* Drive(
      grpc::CallbackServerContext* /*context*/) override {
    return new Reactor();
  }
};

/// One driver, and the times of its round trips [us].
class Loop {
 public:
  Loop(const std::string& address, const v1::DriveAttach& attach) : stream_(address, attach) {
    v1::Block* const block = request_.mutable_advance()->add_inputs();
    const v1::DriveAttached& attached = stream_.attached();
    block->set_uid(attached.inputs_size() > 0 ? attached.inputs(0).uid() : 1);
    block->set_data(std::string(kFloats * sizeof(float), '\0'));
  }

  void Run(int count, bool counted) {
    for (int i = 0; i < count; ++i) {
      const double begin = WallSeconds();
      stream_.Write(request_);
      stream_.Read(&response_);
      const double time = 1e6 * (WallSeconds() - begin);
      const bool sound = response_.advanced().outputs_size() == 1 &&
                         response_.advanced().outputs(0).data().size() == kFloats * sizeof(float);
      if (!sound) std::abort();
      if (counted) times_.push_back(time);
    }
  }

  std::vector<double> SortedTimes() const {
    std::vector<double> times = times_;
    std::sort(times.begin(), times.end());
    return times;
  }

 private:
  DriveStream stream_;
  v1::DriveRequest request_;
  v1::DriveResponse response_;
  std::vector<double> times_;
};

struct Spread {
  std::vector<double> times;  ///< [us], sorted
  double Quantile(double q) const {
    return times[static_cast<size_t>(q * static_cast<double>(times.size() - 1))];
  }
};

struct Rank {
  const char* name;
  double q;
};
constexpr std::array<Rank, 5> kRanks = {
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1.0}}};

/// How many times lie in [edge, next edge), from 8 us up in steps of a quarter of an octave; the
/// first and the last take all that is beyond.
class Histogram {
 public:
  static constexpr int kBuckets = 48;
  static double Edge(int bucket) { return 8 * std::exp2(bucket / 4.0); }

  explicit Histogram(const std::vector<double>& times) {
    for (const double time : times) {
      const double bucket = std::floor(4 * std::log2(time / 8));
      ++counts_[static_cast<size_t>(std::clamp(bucket, 0.0, kBuckets - 1.0))];
    }
  }
  int64_t operator[](int bucket) const { return counts_[static_cast<size_t>(bucket)]; }
  std::string ToJson() const { return absl::StrCat("[", absl::StrJoin(counts_, ","), "]"); }

 private:
  std::array<int64_t, kBuckets> counts_{};
};

void Print(const Spread& drive, const Spread& echo) {
  const Histogram a(drive.times), b(echo.times);
  std::printf("%10s %10s %10s\n", "from [us]", "drive", "echo");
  for (int k = 0; k < Histogram::kBuckets; ++k) {
    if (a[k] + b[k] == 0) continue;
    std::printf("%10.1f %10ld %10ld\n", Histogram::Edge(k), static_cast<long>(a[k]),
                static_cast<long>(b[k]));
  }
  std::printf("\n%10s %10s %10s %10s\n", "", "drive [us]", "echo [us]", "ratio");
  for (const auto& [name, q] : kRanks) {
    std::printf("%10s %10.1f %10.1f %10.2f\n", name, drive.Quantile(q), echo.Quantile(q),
                drive.Quantile(q) / echo.Quantile(q));
  }
}

std::string ToJson(const Spread& spread) {
  std::string json = "{";
  for (const auto& [name, q] : kRanks) {
    absl::StrAppend(&json, "\"", name, "_us\":", spread.Quantile(q), ",");
  }
  return absl::StrCat(json, "\"counts\":", Histogram(spread.times).ToJson(), "}");
}

void WriteJson(const std::string& path, const Spread& drive, const Spread& echo) {
  std::vector<double> edges;
  for (int k = 0; k < Histogram::kBuckets; ++k) edges.push_back(Histogram::Edge(k));
  std::ofstream(path) << "{\"round_trips\":" << drive.times.size() << ",\"edges_us\":["
                      << absl::StrJoin(edges, ",") << "],\"drive\":" << ToJson(drive)
                      << ",\"echo\":" << ToJson(echo) << "}\n";
}

void Run(int round_trips, const std::string& json) {
  LocalServer server;
  server.MakeChain("bench", {kFloats, kFloats, kFloats});
  Echo echo;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&echo);
  const std::unique_ptr<grpc::Server> bare = builder.BuildAndStart();

  v1::DriveAttach attach;
  attach.set_network("networks/bench");
  attach.add_inputs("p0");
  Spread spreads[2];
  {
    Loop loop(server.address(), attach);
    Loop reference(absl::StrCat("127.0.0.1:", port), attach);
    loop.Run(kWarmUp, false);
    reference.Run(kWarmUp, false);
    for (int done = 0; done < round_trips; done += kChunk) {
      loop.Run(kChunk, true);
      reference.Run(kChunk, true);
    }
    spreads[0].times = loop.SortedTimes();
    spreads[1].times = reference.SortedTimes();
  }
  bare->Shutdown();
  Print(spreads[0], spreads[1]);
  if (!json.empty()) WriteJson(json, spreads[0], spreads[1]);
}

}  // namespace
}  // namespace prospero::server

int main(int argc, char** argv) {
  int round_trips = 20'000;
  std::string json;
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument = argv[i];
    if (absl::ConsumePrefix(&argument, "--json=")) {
      json = std::string(argument);
    } else if (!absl::ConsumePrefix(&argument, "--round_trips=") ||
               !absl::SimpleAtoi(argument, &round_trips) || round_trips < 1) {
      std::fprintf(stderr, "usage: drive_bench [--round_trips=20000] [--json=file]\n");
      return EXIT_FAILURE;
    }
  }
  prospero::server::Run(round_trips, json);
  return EXIT_SUCCESS;
}
