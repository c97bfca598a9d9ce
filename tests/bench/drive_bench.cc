// The closed loop through Drive against a bare gRPC echo: the same messages, with 16 floats in
// and 16 floats out, over loopback TCP, in one process and in turns, so that both see the same
// machine. Prints median and 99th percentile of the round trip and their ratios.
//
//   drive_bench [round trips of each, default 20000]

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "prospero/v1/network_service.grpc.pb.h"
#include "prospero/v1/simulation_service.grpc.pb.h"
#include "server/models/gle.h"
#include "server/server.h"

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

/// One Drive stream, and the times of its round trips [us].
class Loop {
 public:
  Loop(const std::string& address, const std::string& network)
      : stub_(v1::SimulationService::NewStub(
            grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))),
        stream_(stub_->Drive(&context_)) {
    v1::DriveRequest attach;
    attach.mutable_attach()->set_network(network);
    v1::DriveResponse response;
    if (!stream_->Write(attach) || !stream_->Read(&response)) std::abort();
    v1::Block* const block = request_.mutable_advance()->add_inputs();
    block->set_uid(response.attached().inputs_size() > 0 ? response.attached().inputs(0).uid() : 1);
    block->set_data(std::string(kFloats * sizeof(float), '\0'));
  }
  ~Loop() {
    stream_->WritesDone();
    stream_->Finish();
  }

  void Run(int count, bool counted) {
    for (int i = 0; i < count; ++i) {
      const auto start = std::chrono::steady_clock::now();
      if (!stream_->Write(request_) || !stream_->Read(&response_)) std::abort();
      const std::chrono::duration<double, std::micro> time =
          std::chrono::steady_clock::now() - start;
      const bool sound = response_.advanced().outputs_size() == 1 &&
                         response_.advanced().outputs(0).data().size() == kFloats * sizeof(float);
      if (!sound) std::abort();
      if (counted) times_.push_back(time.count());
    }
  }

  double Quantile(double q) {
    std::sort(times_.begin(), times_.end());
    return times_[static_cast<size_t>(q * static_cast<double>(times_.size() - 1))];
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<v1::SimulationService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::DriveRequest, v1::DriveResponse>> stream_;
  v1::DriveRequest request_;
  v1::DriveResponse response_;
  std::vector<double> times_;
};

/// 16 inputs, 16 neurons, 16 outputs, learning switched on, float32.
void MakeNetwork(const std::string& address) {
  v1::CreateNetworkRequest request;
  request.set_network_id("bench");
  v1::NetworkSpec* const spec = request.mutable_network()->mutable_spec();
  spec->set_dt_ms(0.1);
  const auto add = [spec](const char* name, v1::GlePopulation::Role role) {
    v1::GlePopulation* const population = spec->mutable_gle()->add_populations();
    population->set_name(name);
    population->set_size(kFloats);
    population->set_role(role);
    if (role == v1::GlePopulation::ROLE_INPUT) return;
    population->set_activation(v1::ACTIVATION_TANH);
    population->add_tau_m_ms(1.0);
  };
  add("in", v1::GlePopulation::ROLE_INPUT);
  add("hidden", v1::GlePopulation::ROLE_HIDDEN);
  add("out", v1::GlePopulation::ROLE_OUTPUT);
  for (const auto& [pre, post] : {std::pair("in", "hidden"), std::pair("hidden", "out")}) {
    v1::GleProjection* const projection = spec->mutable_gle()->add_projections();
    projection->set_pre(pre);
    projection->set_post(post);
    projection->mutable_plasticity()->set_learning_rate(1e-3);
  }
  const auto stub =
      v1::NetworkService::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  v1::CreateNetworkResponse response;
  if (!stub->CreateNetwork(&context, request, &response).ok()) std::abort();
}

int Run(int round_trips) {
  const std::unique_ptr<Logger> log = *Logger::Make({});
  Server::Options options;
  options.listen = "127.0.0.1:0";
  options.kinds = {GleKind()};
  options.log = log.get();
  const std::unique_ptr<Server> server = *Server::Start(std::move(options));
  MakeNetwork(server->address());

  Echo echo;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&echo);
  const std::unique_ptr<grpc::Server> bare = builder.BuildAndStart();

  {
    Loop loop(server->address(), "networks/bench");
    Loop reference("127.0.0.1:" + std::to_string(port), "");
    loop.Run(kWarmUp, false);
    reference.Run(kWarmUp, false);
    for (int done = 0; done < round_trips; done += kChunk) {
      loop.Run(kChunk, true);
      reference.Run(kChunk, true);
    }
    std::printf("%-8s %10s %10s\n", "", "p50 [us]", "p99 [us]");
    for (const auto& [name, times] : {std::pair("drive", &loop), std::pair("echo", &reference)}) {
      std::printf("%-8s %10.1f %10.1f\n", name, times->Quantile(0.5), times->Quantile(0.99));
    }
    std::printf("%-8s %10.2f %10.2f\n", "ratio", loop.Quantile(0.5) / reference.Quantile(0.5),
                loop.Quantile(0.99) / reference.Quantile(0.99));
  }
  bare->Shutdown();
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace prospero::server

int main(int argc, char** argv) {
  return prospero::server::Run(argc > 1 ? std::atoi(argv[1]) : 20'000);
}
