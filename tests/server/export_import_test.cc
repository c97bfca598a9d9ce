// Snapshots as files, on their way from and to a server.

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/snapshots.h"
#include "tests/server/support.h"

namespace prospero::server {
namespace {

using grpc::StatusCode;
using testing::ElementsAre;
using testing::IsEmpty;
using State = v1::StateService::Stub;

/// The file of a snapshot of network "a", after some steps.
std::string FileOf(TestServer& server, int64_t steps) {
  if (steps > 0) Drift(server, "a", steps);
  Keep(server, "a", "source");
  std::string file;
  const grpc::Status status = Export(server, SnapshotNameIn("a", "source"), &file);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return file;
}

grpc::Status Received(TestServer& server, const v1::ImportSnapshotRequest::Open& open,
                      v1::GetUploadResponse* response) {
  v1::GetUploadRequest request;
  request.set_network(open.network());
  request.set_upload_id(open.upload_id());
  return Call(server.state(), &State::GetUpload, request, response);
}

TEST(ExportSnapshot, GivesTheSameBytesFromAnyPlaceInAnyChunks) {
  TestServer server;
  server.Make("a", SmallSpec());
  const std::string file = FileOf(server, 10);
  v1::Snapshot snapshot;
  ASSERT_TRUE(GetSnapshot(server, "a", "source", &snapshot).ok());
  EXPECT_EQ(static_cast<int64_t>(file.size()), snapshot.size_bytes());
  for (const size_t offset : {size_t{0}, size_t{1}, file.size() / 2, file.size() - 1}) {
    for (const int32_t chunk : {1000, 4096, 1 << 30}) {
      std::string rest;
      ASSERT_TRUE(Export(server, snapshot.name(), &rest, static_cast<int64_t>(offset), chunk).ok());
      EXPECT_EQ(rest, file.substr(offset));
    }
  }
  std::string none;
  EXPECT_TRUE(Export(server, snapshot.name(), &none, snapshot.size_bytes()).ok());
  EXPECT_TRUE(none.empty());
}

TEST(ExportSnapshot, RefusesPlacesOutsideTheFile) {
  TestServer server;
  server.Make("a", SmallSpec());
  const std::string file = FileOf(server, 1);
  const std::string name = SnapshotNameIn("a", "source");
  std::string rest;
  EXPECT_TRUE(IsError(Export(server, name, &rest, static_cast<int64_t>(file.size()) + 1),
                      StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "offset"));
  EXPECT_TRUE(IsError(Export(server, name, &rest, -1), StatusCode::INVALID_ARGUMENT,
                      "INVALID_FIELD", "offset"));
  EXPECT_TRUE(IsError(Export(server, name, &rest, 0, -1), StatusCode::INVALID_ARGUMENT,
                      "INVALID_FIELD", "chunk_bytes"));
  EXPECT_TRUE(IsError(Export(server, SnapshotNameIn("a", "none"), &rest), StatusCode::NOT_FOUND,
                      "SNAPSHOT_NOT_FOUND"));
  EXPECT_TRUE(IsError(Export(server, "networks/a", &rest), StatusCode::INVALID_ARGUMENT,
                      "INVALID_FIELD", "name"));
}

TEST(ExportSnapshot, ComesToItsEndThoughTheSnapshotIsDeleted) {
  TestServer server;
  server.Make("a", SmallSpec(200));
  const std::string file = FileOf(server, 0);
  v1::ExportSnapshotRequest request;
  request.set_name(SnapshotNameIn("a", "source"));
  request.set_chunk_bytes(100);
  const auto context = Context();
  const auto stream = server.state().ExportSnapshot(context.get(), request);
  v1::ExportSnapshotResponse chunk;
  ASSERT_TRUE(stream->Read(&chunk));
  ASSERT_TRUE(DeleteSnapshot(server, "a", "source").ok());
  std::string received = chunk.data();
  while (stream->Read(&chunk)) received += chunk.data();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(received, file);
}

TEST(ExportSnapshot, EndsWithAClientThatLeaves) {
  TestServer server;
  server.Make("a", SmallSpec(2000));
  FileOf(server, 0);
  v1::ExportSnapshotRequest request;
  request.set_name(SnapshotNameIn("a", "source"));
  request.set_chunk_bytes(10);
  const auto context = Context();
  const auto stream = server.state().ExportSnapshot(context.get(), request);
  v1::ExportSnapshotResponse chunk;
  ASSERT_TRUE(stream->Read(&chunk));
  context->TryCancel();
  while (stream->Read(&chunk)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
  EXPECT_TRUE(server.server().Drain(absl::InfiniteDuration()));
}

TEST(ImportSnapshot, MovesANetworkBitForBit) {
  TestServer here;
  here.Make("a", SmallSpec());
  const std::string file = FileOf(here, 100);
  const std::string expected = Drift(here, "a", 50);
  TestServer there;
  there.Make("b", SmallSpec());
  v1::ImportSnapshotRequest::Open open = OpenOf("b", "moved", static_cast<int64_t>(file.size()));
  open.set_description("from another server");
  v1::Snapshot snapshot;
  const grpc::Status status = Import(there, open, file, &snapshot);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(snapshot.name(), "networks/b/snapshots/moved");
  EXPECT_EQ(snapshot.origin(), v1::Snapshot::ORIGIN_IMPORT);
  EXPECT_EQ(snapshot.cursor().step(), 100);
  EXPECT_EQ(snapshot.description(), "from another server");
  EXPECT_EQ(snapshot.size_bytes(), static_cast<int64_t>(file.size()));
  ASSERT_TRUE(Restore(there, "b", "moved").ok());
  EXPECT_EQ(Drift(there, "b", 50), expected);
  std::string again;
  ASSERT_TRUE(Export(there, snapshot.name(), &again).ok());
  EXPECT_EQ(again, file);
}

TEST(ImportSnapshot, GoesOnWhereAStreamBroke) {
  TestServer server;
  server.Make("a", SmallSpec());
  const std::string file = FileOf(server, 10);
  v1::ImportSnapshotRequest::Open open = OpenOf("a", "copy", static_cast<int64_t>(file.size()));
  const size_t half = file.size() / 2;
  {
    TestUpload upload(server, open);
    ASSERT_TRUE(upload.Send(file.substr(0, half)));
    v1::GetUploadResponse there;
    while (there.received_bytes() < static_cast<int64_t>(half)) {
      const grpc::Status found = Received(server, open, &there);
      ASSERT_TRUE(found.ok() || IsError(found, StatusCode::NOT_FOUND, "UPLOAD_NOT_FOUND"));
    }
    EXPECT_EQ(there.size_bytes(), open.size_bytes());
  }
  EXPECT_THAT(SnapshotsOf(server, "a"), ElementsAre("source"));
  open.set_offset(static_cast<int64_t>(half) - 10);  // A little of it again.
  grpc::Status status = Import(server, open, file);
  while (DetailsOf(status).reason == "UPLOAD_BUSY") status = Import(server, open, file);
  ASSERT_TRUE(status.ok()) << status.error_message();
  v1::Snapshot copy;
  ASSERT_TRUE(GetSnapshot(server, "a", "copy", &copy, /*verify=*/true).ok());
  EXPECT_FALSE(copy.has_damage());
  v1::GetUploadResponse there;
  EXPECT_TRUE(IsError(Received(server, open, &there), StatusCode::NOT_FOUND, "UPLOAD_NOT_FOUND"));
}

TEST(ImportSnapshot, KeepsAnUnfinishedUpload) {
  TestServer server;
  server.Make("a", SmallSpec());
  const std::string file = FileOf(server, 10);
  v1::ImportSnapshotRequest::Open open = OpenOf("a", "copy", static_cast<int64_t>(file.size()));
  TestUpload upload(server, open);
  ASSERT_TRUE(upload.Send(file.substr(0, 100)));
  EXPECT_TRUE(IsError(upload.End(), StatusCode::INVALID_ARGUMENT, "BAD_SEQUENCE"));
  v1::GetUploadResponse there;
  ASSERT_TRUE(Received(server, open, &there).ok());
  EXPECT_EQ(there.received_bytes(), 100);
  open.set_offset(101);
  EXPECT_TRUE(IsError(Import(server, open, file), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD",
                      "open.offset"));
  open.set_offset(100);
  EXPECT_TRUE(Import(server, open, file).ok());
}

TEST(ImportSnapshot, HasOneWriterAtATime) {
  TestServer server;
  server.Make("a", SmallSpec());
  const std::string file = FileOf(server, 10);
  const v1::ImportSnapshotRequest::Open open =
      OpenOf("a", "copy", static_cast<int64_t>(file.size()));
  TestUpload first(server, open);
  ASSERT_TRUE(first.Send(file.substr(0, 100)));
  v1::GetUploadResponse there;
  while (!Received(server, open, &there).ok()) {
  }
  EXPECT_TRUE(IsError(Import(server, open, file), StatusCode::UNAVAILABLE, "UPLOAD_BUSY"));
  ASSERT_TRUE(first.Send(file.substr(100)));
  EXPECT_TRUE(first.End().ok());
  EXPECT_TRUE(IsError(Import(server, open, file), StatusCode::ALREADY_EXISTS, "SNAPSHOT_EXISTS"));
}

TEST(ImportSnapshot, RefusesAFileThatIsDamagedOrNone) {
  TestServer server;
  server.Make("a", SmallSpec());
  const std::string file = FileOf(server, 10);
  std::vector<std::string> bad = {std::string(file.size(), 'x'), file.substr(0, file.size() - 1),
                                  file + "x", file, file};
  bad[3][20] = static_cast<char>(bad[3][20] ^ 1);
  bad[4][file.size() - 1] = static_cast<char>(bad[4][file.size() - 1] ^ 1);
  for (const std::string& bytes : bad) {
    const v1::ImportSnapshotRequest::Open open =
        OpenOf("a", "copy", static_cast<int64_t>(bytes.size()));
    EXPECT_TRUE(IsError(Import(server, open, bytes), StatusCode::INVALID_ARGUMENT, "BAD_SNAPSHOT"));
    v1::GetUploadResponse there;
    EXPECT_TRUE(IsError(Received(server, open, &there), StatusCode::NOT_FOUND, "UPLOAD_NOT_FOUND"));
  }
  EXPECT_THAT(SnapshotsOf(server, "a"), ElementsAre("source"));
}

TEST(ImportSnapshot, RefusesTheFileOfAnotherNetwork) {
  TestServer server;
  server.Make("a", SmallSpec());
  server.Make("b", SmallSpec(4));
  const std::string file = FileOf(server, 10);
  const v1::ImportSnapshotRequest::Open open =
      OpenOf("b", "copy", static_cast<int64_t>(file.size()));
  EXPECT_TRUE(
      IsError(Import(server, open, file), StatusCode::FAILED_PRECONDITION, "SNAPSHOT_MISMATCH"));
  EXPECT_THAT(SnapshotsOf(server, "b"), IsEmpty());
}

TEST(ImportSnapshot, ChecksSizesBeforeAnythingIsWritten) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::ImportSnapshotRequest::Open open = OpenOf("a", "copy", int64_t{1} << 40);
  EXPECT_TRUE(IsError(Import(server, open, ""), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD",
                      "open.size_bytes"));
  open.set_size_bytes(0);
  EXPECT_TRUE(IsError(Import(server, open, ""), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD",
                      "open.size_bytes"));
  open.set_size_bytes(10);
  EXPECT_TRUE(IsError(Import(server, open, "eleven bytes"), StatusCode::INVALID_ARGUMENT,
                      "INVALID_FIELD", "chunk.data"));
  open.set_upload_id(std::string(129, 'u'));
  EXPECT_TRUE(IsError(Import(server, open, ""), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD",
                      "open.upload_id"));
  open.set_upload_id("u");
  open.set_snapshot_id("Bad");
  EXPECT_TRUE(IsError(Import(server, open, ""), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD",
                      "open.snapshot_id"));
  open.set_snapshot_id("copy");
  open.set_network("networks/none");
  EXPECT_TRUE(IsError(Import(server, open, ""), StatusCode::NOT_FOUND, "NETWORK_NOT_FOUND"));
}

TEST(ImportSnapshot, KeepsToItsSequence) {
  TestServer server;
  server.Make("a", SmallSpec());
  const auto context = Context();
  v1::ImportSnapshotResponse response;
  const auto writer = server.state().ImportSnapshot(context.get(), &response);
  v1::ImportSnapshotRequest request;
  request.mutable_chunk()->set_data("x");
  writer->Write(request);
  writer->WritesDone();
  EXPECT_TRUE(IsError(writer->Finish(), StatusCode::INVALID_ARGUMENT, "BAD_SEQUENCE"));
}

}  // namespace
}  // namespace prospero::server
