#pragma once

#include <string>
#include <vector>

#include "tests/server/support.h"

namespace prospero::server {

// Calls of StateService that many tests make. `id` is a network's, `snapshot` a snapshot's.

std::string SnapshotNameIn(const std::string& id, const std::string& snapshot);

v1::CreateSnapshotRequest SnapshotRequest(const std::string& id, const std::string& snapshot);
grpc::Status Keep(TestServer& server, const v1::CreateSnapshotRequest& request,
                  v1::CreateSnapshotResponse* response = nullptr);
/// The test fails if that fails.
v1::Snapshot Keep(TestServer& server, const std::string& id, const std::string& snapshot);

grpc::Status GetSnapshot(TestServer& server, const std::string& id, const std::string& snapshot,
                         v1::Snapshot* found = nullptr, bool verify = false);
/// Ids, the newest first.
std::vector<std::string> SnapshotsOf(TestServer& server, const std::string& id);
grpc::Status DeleteSnapshot(TestServer& server, const std::string& id, const std::string& snapshot);
grpc::Status Restore(TestServer& server, const std::string& id, const std::string& snapshot,
                     v1::Network* network = nullptr);

/// The whole file, or what comes from `offset` on, in chunks of that size.
grpc::Status Export(TestServer& server, const std::string& name, std::string* file,
                    int64_t offset = 0, int32_t chunk_bytes = 0);

/// An upload, message by message.
class TestUpload {
 public:
  TestUpload(TestServer& server, const v1::ImportSnapshotRequest::Open& open);
  ~TestUpload();
  bool Send(const std::string& data);
  void Cancel() { context_->TryCancel(); }
  /// Half-closes and says how it ended.
  grpc::Status End(v1::Snapshot* snapshot = nullptr);

 private:
  std::unique_ptr<grpc::ClientContext> context_;
  v1::ImportSnapshotResponse response_;
  std::unique_ptr<grpc::ClientWriter<v1::ImportSnapshotRequest>> writer_;
  bool over_ = false;
};

v1::ImportSnapshotRequest::Open OpenOf(const std::string& id, const std::string& snapshot,
                                       int64_t size);
/// A whole file in chunks of 1000 bytes.
grpc::Status Import(TestServer& server, const v1::ImportSnapshotRequest::Open& open,
                    const std::string& file, v1::Snapshot* snapshot = nullptr);

}  // namespace prospero::server
