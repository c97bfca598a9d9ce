#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "prospero/v1/simulation_service.grpc.pb.h"
#include "server/server.h"

namespace prospero::server {

/// A prosperod in this process, on loopback. Whatever goes wrong ends the program.
class LocalServer {
 public:
  /// workers: threads that step networks; 0: the cores. It keeps nothing.
  explicit LocalServer(int workers = 0);
  /// Keeps its networks in this directory.
  explicit LocalServer(const std::string& data_dir);

  const std::string& address() const { return server_->address(); }
  /// Shuts it down as prosperod does: every network has a checkpoint then.
  void ShutDown();
  /// Makes networks/<id>: a chain as Chain() in chains.h, float32, batch 1, SGD.
  void MakeChain(const std::string& id, const std::vector<int64_t>& sizes,
                 v1::Durability durability = v1::DURABILITY_NONE);

 private:
  void Start(int workers, StorageOptions storage);

  std::unique_ptr<Logger> log_;
  std::unique_ptr<Server> server_;
};

/// A connection of its own, without a bound on the messages' size.
std::shared_ptr<grpc::Channel> Connect(const std::string& address);

/// One driver. Whatever goes wrong ends the program.
class DriveStream {
 public:
  DriveStream(const std::string& address, const v1::DriveAttach& attach);
  ~DriveStream();

  const v1::DriveAttached& attached() const { return attached_; }
  /// Sends a request; answers come in order.
  void Write(const v1::DriveRequest& request);
  /// Waits for the next answer, which must not be an error.
  void Read(v1::DriveResponse* response);

 private:
  grpc::ClientContext context_;
  std::unique_ptr<v1::SimulationService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::DriveRequest, v1::DriveResponse>> stream_;
  v1::DriveAttached attached_;
};

}  // namespace prospero::server
