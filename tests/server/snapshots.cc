#include "tests/server/snapshots.h"

#include <algorithm>
#include <utility>

namespace prospero::server {

using State = v1::StateService::Stub;

std::string SnapshotNameIn(const std::string& id, const std::string& snapshot) {
  return "networks/" + id + "/snapshots/" + snapshot;
}

v1::CreateSnapshotRequest SnapshotRequest(const std::string& id, const std::string& snapshot) {
  v1::CreateSnapshotRequest request;
  request.set_network("networks/" + id);
  request.set_snapshot_id(snapshot);
  return request;
}

grpc::Status Keep(TestServer& server, const v1::CreateSnapshotRequest& request,
                  v1::CreateSnapshotResponse* response) {
  v1::CreateSnapshotResponse unused;
  return Call(server.state(), &State::CreateSnapshot, request, response ? response : &unused);
}

v1::Snapshot Keep(TestServer& server, const std::string& id, const std::string& snapshot) {
  v1::CreateSnapshotResponse response;
  const grpc::Status status = Keep(server, SnapshotRequest(id, snapshot), &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.snapshot();
}

grpc::Status GetSnapshot(TestServer& server, const std::string& id, const std::string& snapshot,
                         v1::Snapshot* found, bool verify) {
  v1::GetSnapshotRequest request;
  request.set_name(SnapshotNameIn(id, snapshot));
  request.set_verify(verify);
  v1::GetSnapshotResponse response;
  const grpc::Status status = Call(server.state(), &State::GetSnapshot, request, &response);
  if (found != nullptr) *found = response.snapshot();
  return status;
}

std::vector<std::string> SnapshotsOf(TestServer& server, const std::string& id) {
  v1::ListSnapshotsRequest request;
  request.set_network("networks/" + id);
  request.set_page_size(2);
  std::vector<std::string> ids;
  do {
    v1::ListSnapshotsResponse response;
    const grpc::Status status = Call(server.state(), &State::ListSnapshots, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    for (const v1::Snapshot& snapshot : response.snapshots()) {
      ids.push_back(snapshot.name().substr(snapshot.name().rfind('/') + 1));
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return ids;
}

grpc::Status DeleteSnapshot(TestServer& server, const std::string& id,
                            const std::string& snapshot) {
  v1::DeleteSnapshotRequest request;
  request.set_name(SnapshotNameIn(id, snapshot));
  v1::DeleteSnapshotResponse response;
  return Call(server.state(), &State::DeleteSnapshot, request, &response);
}

grpc::Status Restore(TestServer& server, const std::string& id, const std::string& snapshot,
                     v1::Network* network) {
  v1::RestoreSnapshotRequest request;
  request.set_name(SnapshotNameIn(id, snapshot));
  v1::RestoreSnapshotResponse response;
  const grpc::Status status = Call(server.state(), &State::RestoreSnapshot, request, &response);
  if (network != nullptr) *network = response.network();
  return status;
}

grpc::Status Export(TestServer& server, const std::string& name, std::string* file, int64_t offset,
                    int32_t chunk_bytes) {
  v1::ExportSnapshotRequest request;
  request.set_name(name);
  request.set_offset(offset);
  request.set_chunk_bytes(chunk_bytes);
  const auto context = Context();
  const auto stream = server.state().ExportSnapshot(context.get(), request);
  v1::ExportSnapshotResponse chunk;
  while (stream->Read(&chunk)) {
    EXPECT_EQ(chunk.offset(), offset + static_cast<int64_t>(file->size()));
    *file += chunk.data();
    EXPECT_GE(chunk.size_bytes(), offset + static_cast<int64_t>(file->size()));
  }
  return stream->Finish();
}

TestUpload::TestUpload(TestServer& server, const v1::ImportSnapshotRequest::Open& open)
    : context_(Context()), writer_(server.state().ImportSnapshot(context_.get(), &response_)) {
  v1::ImportSnapshotRequest request;
  *request.mutable_open() = open;
  writer_->Write(request);
}

TestUpload::~TestUpload() {
  if (over_) return;
  context_->TryCancel();
  writer_->Finish();
}

bool TestUpload::Send(const std::string& data) {
  v1::ImportSnapshotRequest request;
  request.mutable_chunk()->set_data(data);
  return writer_->Write(request);
}

grpc::Status TestUpload::End(v1::Snapshot* snapshot) {
  over_ = true;
  writer_->WritesDone();
  const grpc::Status status = writer_->Finish();
  if (snapshot != nullptr) *snapshot = response_.snapshot();
  return status;
}

v1::ImportSnapshotRequest::Open OpenOf(const std::string& id, const std::string& snapshot,
                                       int64_t size) {
  v1::ImportSnapshotRequest::Open open;
  open.set_network("networks/" + id);
  open.set_snapshot_id(snapshot);
  open.set_upload_id("upload of " + snapshot);
  open.set_size_bytes(size);
  return open;
}

grpc::Status Import(TestServer& server, const v1::ImportSnapshotRequest::Open& open,
                    const std::string& file, v1::Snapshot* snapshot) {
  constexpr size_t kChunk = 1000;
  TestUpload upload(server, open);
  for (size_t at = static_cast<size_t>(open.offset()); at < file.size(); at += kChunk) {
    if (!upload.Send(file.substr(at, kChunk))) break;
  }
  return upload.End(snapshot);
}

}  // namespace prospero::server
