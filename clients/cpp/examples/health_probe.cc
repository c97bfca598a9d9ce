// Asks a server by the standard health protocol whether it serves: exit status 0 when it does.
// For container health checks, where nothing else that speaks gRPC is at hand.
//
//   health_probe HOST:PORT [timeout in seconds]

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

// HealthCheckResponse{status: SERVING} on the wire: field 1, varint 1.
const std::string kServing = "\x08\x01";

/// The answer's bytes, or the error.
grpc::Status Check(const std::string& target, std::chrono::seconds timeout, std::string& answer) {
  grpc::GenericStub stub(grpc::CreateChannel(target, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  grpc::CompletionQueue queue;
  grpc::ByteBuffer response;
  grpc::Status status;
  const grpc::Slice whole_server("");  // an empty request asks for the server as a whole
  const auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check",
                                          grpc::ByteBuffer(&whole_server, 1), &queue);
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  std::vector<grpc::Slice> slices;
  if (status.ok() && response.Dump(&slices).ok()) {
    for (const auto& slice : slices) answer.append(slice.begin(), slice.end());
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s HOST:PORT [seconds]\n", argv[0]);
    return 2;
  }
  const std::chrono::seconds timeout(argc > 2 ? std::atoi(argv[2]) : 3);
  std::string answer;
  const grpc::Status status = Check(argv[1], timeout, answer);
  if (!status.ok()) {
    std::fprintf(stderr, "%s: %s\n", argv[1], status.error_message().c_str());
    return 1;
  }
  std::printf("%s: %s\n", argv[1], answer == kServing ? "serving" : "not serving");
  return answer == kServing ? 0 : 1;
}
