// A client that drives a network until it is killed: tests kill it.
//
//   tireless_driver HOST:PORT NETWORK INPUT VALUES HEARTBEAT_MS
//
// It gives the input VALUES ones in every step, and says "driving" after the first answer.

#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "prospero/v1/simulation_service.grpc.pb.h"

int main(int argc, char** argv) {
  namespace v1 = prospero::v1;
  if (argc != 6) return 2;
  const auto stub = v1::SimulationService::NewStub(
      grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  const auto stream = stub->Drive(&context);
  v1::DriveRequest request;
  request.mutable_attach()->set_network(argv[2]);
  request.mutable_attach()->add_inputs(argv[3]);
  request.mutable_attach()->mutable_heartbeat()->set_nanos(std::atoi(argv[5]) * 1'000'000);
  v1::DriveResponse response;
  if (!stream->Write(request) || !stream->Read(&response) || !response.has_attached()) return 1;

  const std::vector<double> ones(static_cast<size_t>(std::atoi(argv[4])), 1.0);
  v1::DriveRequest advance;
  v1::Block* block = advance.mutable_advance()->add_inputs();
  block->set_uid(response.attached().inputs(0).uid());
  block->mutable_data()->resize(ones.size() * sizeof(double));
  std::memcpy(block->mutable_data()->data(), ones.data(), block->data().size());
  for (bool told = false; stream->Write(advance);) {
    do {
      if (!stream->Read(&response)) return 1;
    } while (response.has_notice());
    if (!told) std::puts(response.has_advanced() ? "driving" : "refused");
    if (!told) std::fflush(stdout);
    told = true;
  }
  return 1;
}
