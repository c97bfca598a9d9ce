#pragma once

#include <grpcpp/grpcpp.h>

#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "prospero/v1/network_service.grpc.pb.h"
#include "prospero/v1/server_service.grpc.pb.h"
#include "prospero/v1/simulation_service.grpc.pb.h"
#include "prospero/v1/state_service.grpc.pb.h"
#include "server/server.h"

namespace prospero::server {

/// A server of this process on a free loopback port, and clients of it. Every call through its
/// stubs has a deadline of a minute.
class TestServer {
 public:
  explicit TestServer(const std::function<void(Server::Options&)>& change = nullptr);
  ~TestServer();

  const std::string& address() const { return server_->address(); }
  Server& server() { return *server_; }
  /// A connection of its own.
  std::shared_ptr<grpc::Channel> NewChannel() const;

  v1::NetworkService::Stub& networks() { return *networks_; }
  v1::SimulationService::Stub& simulation() { return *simulation_; }
  v1::ServerService::Stub& info() { return *info_; }
  v1::StateService::Stub& state() { return *state_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  /// Makes a network; the test fails if that fails.
  v1::Network Make(const std::string& id, const v1::NetworkSpec& spec,
                   v1::Clock::Mode clock = v1::Clock::MODE_LOCKSTEP);
  v1::Network Get(const std::string& id);
  grpc::Status Delete(const std::string& id);
  /// uid of a variable, by its name.
  std::map<std::string, v1::VariableSchema> Schema(const std::string& id);

 private:
  std::unique_ptr<Logger> log_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::NetworkService::Stub> networks_;
  std::unique_ptr<v1::SimulationService::Stub> simulation_;
  std::unique_ptr<v1::ServerService::Stub> info_;
  std::unique_ptr<v1::StateService::Stub> state_;
};

/// A context with a deadline of a minute.
std::unique_ptr<grpc::ClientContext> Context();

/// Calls a method of a stub: Call(stub, &Stub::Method, request, &response).
template <class Stub, class Request, class Response>
grpc::Status Call(Stub& stub,
                  grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                  const Request& request, Response* response) {
  const auto context = Context();
  return (stub.*method)(context.get(), request, response);
}

// Calls that many tests make.

/// Of a small network; empty: the server chooses the id.
v1::CreateNetworkRequest CreateRequest(const std::string& id);
grpc::Status Create(TestServer& server, const v1::CreateNetworkRequest& request,
                    v1::CreateNetworkResponse* response = nullptr);
v1::UpdateNetworkRequest UpdateOf(const std::string& id, const std::vector<std::string>& paths);
grpc::Status Update(TestServer& server, const v1::UpdateNetworkRequest& request,
                    v1::UpdateNetworkResponse* response = nullptr);
/// Steps a small network with a fixed input and target, and returns its output.
std::string Drift(TestServer& server, const std::string& id, int64_t steps);

/// Lets the network run. The test fails if it may not.
void Start(TestServer& server, const std::string& id);
/// Returns when observers of the network can see all steps that were answered: an order comes
/// behind the slice that made them.
void AwaitPublished(TestServer& server, const std::string& id);

/// One unary call with any bytes.
grpc::Status CallRaw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                     const std::string& request, std::string* response = nullptr);

/// What an error says to programs.
struct Details {
  std::string reason;
  std::string field;
  std::map<std::string, std::string> metadata;
};
Details DetailsOf(const google::rpc::Status& status);
Details DetailsOf(const grpc::Status& status);

/// Has that code and reason, and names that field (empty: none).
testing::AssertionResult IsError(const grpc::Status& status, grpc::StatusCode code,
                                 const std::string& reason, const std::string& field = "");
testing::AssertionResult IsError(const google::rpc::Status& status, grpc::StatusCode code,
                                 const std::string& reason, const std::string& field = "");

/// in [size] -> hidden [5] -> out [2], FLOAT64, tanh, with biases; everything learns.
v1::NetworkSpec SmallSpec(int64_t inputs = 3);
/// The same network, that diverges when it learns from a target.
v1::NetworkSpec ExplosiveSpec();

template <class T>
std::string Bytes(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <class T>
std::vector<T> Values(const std::string& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

v1::Tensor Doubles(const std::vector<int64_t>& shape, const std::vector<double>& values);

/// A Drive stream, as a client sees it. Notices are kept aside.
class TestDriver {
 public:
  /// Attaches; `opened()` says whether that succeeded, else `End()` says why not.
  TestDriver(v1::SimulationService::Stub& stub, const v1::DriveAttach& attach);
  TestDriver(v1::SimulationService::Stub& stub, const std::string& network);
  /// Cancels the call if it is not over.
  ~TestDriver();

  bool opened() const { return opened_; }
  const v1::DriveAttached& attached() const { return attached_; }
  uint32_t uid(const std::string& variable) const;

  bool Send(const v1::DriveAdvance& advance);
  bool SendRaw(const v1::DriveRequest& request) { return stream_->Write(request); }
  /// The next answer; empty at the end of the stream.
  v1::DriveResponse Receive();
  v1::DriveResponse Advance(const v1::DriveAdvance& advance);
  const std::vector<v1::Notice>& notices() const { return notices_; }

  void HalfClose() { stream_->WritesDone(); }
  void Cancel() { context_->TryCancel(); }
  /// Reads the stream to its end and says how it ended.
  grpc::Status End();

 private:
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::DriveRequest, v1::DriveResponse>> stream_;
  v1::DriveAttached attached_;
  std::vector<v1::Notice> notices_;
  bool opened_ = false;
  bool over_ = false;
};

// A signal to learn, and what it should become, for the small network.
std::vector<double> InputAt(int64_t step);
std::vector<double> TargetAt(int64_t step);

/// The rows of steps [first, first + count).
std::vector<double> Rows(int64_t first, int64_t count, std::vector<double> (*row)(int64_t step));

/// An advance of `count` steps with an input and a target of its own for each.
v1::DriveAdvance Lesson(const TestDriver& driver, int64_t first, int64_t count);

v1::DriveAttach AttachTo(const std::string& id);

/// Adds a block.
template <class T>
void AddBlock(v1::DriveAdvance* advance, uint32_t uid, const std::vector<T>& values) {
  v1::Block* block = advance->add_inputs();
  block->set_uid(uid);
  block->set_data(Bytes(values));
}

}  // namespace prospero::server
