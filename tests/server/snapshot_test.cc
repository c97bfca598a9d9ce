// Snapshots of a network, taken, listed, put back and removed.

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
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
using Stub = v1::NetworkService::Stub;

/// A folder that goes with the test.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "prospero-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }
  /// The files below it whose path has `part` in it.
  std::vector<std::string> Files(const std::string& part) const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
      const std::string path = entry.path().string();
      if (entry.is_regular_file() && path.find(part) != std::string::npos) files.push_back(path);
    }
    return files;
  }

 private:
  std::string path_;
};

auto On(const Folder& folder) {
  return [&folder](Server::Options& options) {
    options.storage.ephemeral = false;
    options.storage.data_dir = folder.path();
  };
}

void FlipByte(const std::string& path, int64_t at) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(at);
  const char byte = static_cast<char>(file.get() ^ 1);
  file.seekp(at);
  file.put(byte);
}

TEST(Snapshot, GoesOnBitForBit) {
  TestServer server;
  server.Make("a", SmallSpec());
  Drift(server, "a", 100);
  const v1::Snapshot snapshot = Keep(server, "a", "before");
  EXPECT_EQ(snapshot.name(), "networks/a/snapshots/before");
  EXPECT_EQ(snapshot.cursor().step(), 100);
  EXPECT_EQ(snapshot.origin(), v1::Snapshot::ORIGIN_CALL);
  EXPECT_GT(snapshot.size_bytes(), 0);
  EXPECT_TRUE(snapshot.has_create_time());
  EXPECT_FALSE(snapshot.has_expire_time());
  const std::string first = Drift(server, "a", 50);
  Drift(server, "a", 500);
  v1::Network network;
  ASSERT_TRUE(Restore(server, "a", "before", &network).ok());
  EXPECT_EQ(network.cursor().step(), 100);
  EXPECT_GT(network.cursor().epoch(), snapshot.cursor().epoch());
  EXPECT_EQ(Drift(server, "a", 50), first);
}

TEST(Snapshot, OfTheSameStateAreTheSameButForTheirMetadata) {
  TestServer server;
  server.Make("a", SmallSpec());
  Drift(server, "a", 10);
  std::string one, two;
  EXPECT_EQ(Keep(server, "a", "one").size_bytes(), Keep(server, "a", "two").size_bytes());
  ASSERT_TRUE(Export(server, SnapshotNameIn("a", "one"), &one).ok());
  ASSERT_TRUE(Export(server, SnapshotNameIn("a", "two"), &two).ok());
  uint64_t header = 0;
  std::memcpy(&header, one.data(), sizeof header);
  EXPECT_EQ(one.substr(8 + header), two.substr(8 + header));
}

TEST(Snapshot, KeepsClockLabelsAndSafetyOutOfTheState) {
  TestServer server;
  server.Make("a", SmallSpec());
  Keep(server, "a", "before");
  v1::UpdateNetworkRequest update = UpdateOf("a", {"labels", "clock"});
  (*update.mutable_network()->mutable_labels())["team"] = "b";
  update.mutable_network()->mutable_clock()->set_mode(v1::Clock::MODE_FREE);
  ASSERT_TRUE(Update(server, update).ok());
  v1::Network network;
  ASSERT_TRUE(Restore(server, "a", "before", &network).ok());
  EXPECT_EQ(network.labels().at("team"), "b");
  EXPECT_EQ(network.clock().mode(), v1::Clock::MODE_FREE);
}

TEST(Snapshot, HealsAFailedNetworkAndIsNotTakenOfIt) {
  TestServer server;
  server.Make("a", ExplosiveSpec());
  Keep(server, "a", "good");
  v1::StepRequest request;
  request.set_network("networks/a");
  request.set_steps(100'000);
  request.set_output_every(100'000);
  (*request.mutable_inputs())["in"] = Doubles({1, 3}, {0.5, -0.25, 1.0});
  (*request.mutable_inputs())["out"] = Doubles({1, 2}, {0.3, -0.3});
  v1::StepResponse response;
  Call(server.simulation(), &v1::SimulationService::Stub::Step, request, &response);
  ASSERT_EQ(server.Get("a").state(), v1::Network::STATE_FAILED);
  EXPECT_TRUE(IsError(Keep(server, SnapshotRequest("a", "bad")), StatusCode::FAILED_PRECONDITION,
                      "NETWORK_FAILED"));
  v1::Network network;
  ASSERT_TRUE(Restore(server, "a", "good", &network).ok());
  EXPECT_EQ(network.state(), v1::Network::STATE_RUNNING);
  EXPECT_EQ(network.cursor().step(), 0);
  EXPECT_THAT(SnapshotsOf(server, "a"), ElementsAre("good"));
}

TEST(Snapshot, AreListedTheNewestFirstPageByPage) {
  TestServer server;
  server.Make("a", SmallSpec());
  server.Make("b", SmallSpec());
  for (const char* id : {"z", "a", "m", "k", "b"}) Keep(server, "a", id);
  Keep(server, "b", "other");
  EXPECT_THAT(SnapshotsOf(server, "a"), ElementsAre("b", "k", "m", "a", "z"));
  v1::ListSnapshotsRequest request;
  request.set_network("networks/a");
  request.set_page_size(-1);
  v1::ListSnapshotsResponse response;
  EXPECT_TRUE(IsError(Call(server.state(), &State::ListSnapshots, request, &response),
                      StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "page_size"));
  request.set_page_size(2);
  ASSERT_TRUE(Call(server.state(), &State::ListSnapshots, request, &response).ok());
  request.set_network("networks/b");
  request.set_page_token(response.next_page_token());
  EXPECT_TRUE(IsError(Call(server.state(), &State::ListSnapshots, request, &response),
                      StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "page_token"));
}

TEST(Snapshot, IsGoneOnceItIsDeleted) {
  TestServer server;
  server.Make("a", SmallSpec());
  Keep(server, "a", "one");
  ASSERT_TRUE(DeleteSnapshot(server, "a", "one").ok());
  EXPECT_THAT(SnapshotsOf(server, "a"), IsEmpty());
  const grpc::Status gone = GetSnapshot(server, "a", "one");
  EXPECT_TRUE(IsError(gone, StatusCode::NOT_FOUND, "SNAPSHOT_NOT_FOUND"));
  EXPECT_EQ(DetailsOf(gone).metadata["snapshot"], "networks/a/snapshots/one");
  EXPECT_TRUE(
      IsError(DeleteSnapshot(server, "a", "one"), StatusCode::NOT_FOUND, "SNAPSHOT_NOT_FOUND"));
  EXPECT_TRUE(IsError(Restore(server, "a", "one"), StatusCode::NOT_FOUND, "SNAPSHOT_NOT_FOUND"));
  v1::DeleteSnapshotRequest request;
  request.set_name(SnapshotNameIn("a", "one"));
  request.set_allow_missing(true);
  v1::DeleteSnapshotResponse response;
  EXPECT_TRUE(Call(server.state(), &State::DeleteSnapshot, request, &response).ok());
  Keep(server, "a", "one");  // The id is free again.
}

TEST(Snapshot, RefusesWhatMakesNoSense) {
  TestServer server;
  server.Make("a", SmallSpec());
  const auto refused = [&server](const v1::CreateSnapshotRequest& request) {
    return Keep(server, request);
  };
  v1::CreateSnapshotRequest request = SnapshotRequest("a", "-bad");
  EXPECT_TRUE(
      IsError(refused(request), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "snapshot_id"));
  request = SnapshotRequest("a", "");
  request.set_description(std::string(1025, 'x'));
  EXPECT_TRUE(
      IsError(refused(request), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "description"));
  request = SnapshotRequest("a", "");
  request.mutable_ttl();
  EXPECT_TRUE(IsError(refused(request), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "ttl"));
  EXPECT_TRUE(
      IsError(refused(SnapshotRequest("none", "")), StatusCode::NOT_FOUND, "NETWORK_NOT_FOUND"));
  v1::RestoreSnapshotRequest restore;
  restore.set_name("networks/a");
  v1::RestoreSnapshotResponse response;
  EXPECT_TRUE(IsError(Call(server.state(), &State::RestoreSnapshot, restore, &response),
                      StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "name"));
  EXPECT_THAT(SnapshotsOf(server, "a"), IsEmpty());
}

TEST(Snapshot, OfOneIdIsTakenOnce) {
  TestServer server;
  server.Make("a", SmallSpec());
  std::vector<grpc::Status> answers(8);
  std::vector<std::thread> threads;
  for (grpc::Status& answer : answers) {
    threads.emplace_back([&server, &answer] { answer = Keep(server, SnapshotRequest("a", "x")); });
  }
  for (std::thread& thread : threads) thread.join();
  int taken = 0;
  for (const grpc::Status& answer : answers) {
    if (answer.ok()) {
      ++taken;
    } else {
      EXPECT_TRUE(IsError(answer, StatusCode::ALREADY_EXISTS, "SNAPSHOT_EXISTS"));
    }
  }
  EXPECT_EQ(taken, 1);
  EXPECT_THAT(SnapshotsOf(server, "a"), ElementsAre("x"));
}

TEST(Snapshot, StaysWithinTheLimit) {
  TestServer server([](Server::Options& options) { options.limits.max_snapshots_per_network = 2; });
  server.Make("a", SmallSpec());
  Keep(server, "a", "one");
  Keep(server, "a", "two");
  const grpc::Status status = Keep(server, SnapshotRequest("a", "three"));
  EXPECT_TRUE(IsError(status, StatusCode::RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED"));
  EXPECT_EQ(DetailsOf(status).metadata["limit"], "max_snapshots_per_network");
  ASSERT_TRUE(DeleteSnapshot(server, "a", "one").ok());
  Keep(server, "a", "three");
}

TEST(Snapshot, IsTakenOnceForOneRequest) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::CreateSnapshotRequest request = SnapshotRequest("a", "");
  request.set_request_id("r1");
  v1::CreateSnapshotResponse first, second;
  ASSERT_TRUE(Keep(server, request, &first).ok());
  ASSERT_TRUE(Keep(server, request, &second).ok());
  EXPECT_EQ(first.SerializeAsString(), second.SerializeAsString());
  EXPECT_EQ(SnapshotsOf(server, "a").size(), 1U);
}

TEST(Snapshot, IsPutBackOnlyIntoTheNetworkThatTheCallerKnows) {
  TestServer server;
  const v1::Network made = server.Make("a", SmallSpec());
  Keep(server, "a", "one");
  v1::RestoreSnapshotRequest request;
  request.set_name(SnapshotNameIn("a", "one"));
  request.set_etag(made.etag());
  v1::RestoreSnapshotResponse response;
  ASSERT_TRUE(Call(server.state(), &State::RestoreSnapshot, request, &response).ok());
  EXPECT_NE(response.network().etag(), made.etag());
  EXPECT_TRUE(IsError(Call(server.state(), &State::RestoreSnapshot, request, &response),
                      StatusCode::ABORTED, "ETAG_MISMATCH"));
}

TEST(Snapshot, KeepsItsNetworkFromBeingDeletedByMistake) {
  TestServer server;
  server.Make("a", SmallSpec());
  Keep(server, "a", "one");
  const grpc::Status status = server.Delete("a");
  EXPECT_TRUE(IsError(status, StatusCode::FAILED_PRECONDITION, "HAS_SNAPSHOTS"));
  EXPECT_EQ(DetailsOf(status).metadata["snapshots"], "1");
  Drift(server, "a", 1);
  v1::DeleteNetworkRequest request;
  request.set_name("networks/a");
  request.set_force(true);
  v1::DeleteNetworkResponse response;
  ASSERT_TRUE(Call(server.networks(), &Stub::DeleteNetwork, request, &response).ok());
  server.Make("a", SmallSpec());
  EXPECT_THAT(SnapshotsOf(server, "a"), IsEmpty());  // It is another network.
}

TEST(Snapshot, CanBeCloned) {
  TestServer server;
  server.Make("a", SmallSpec());
  Drift(server, "a", 100);
  Keep(server, "a", "one");
  const std::string expected = Drift(server, "a", 50);
  v1::CloneNetworkRequest request;
  request.set_name("networks/a");
  request.set_network_id("b");
  request.set_snapshot(SnapshotNameIn("a", "one"));
  v1::CloneNetworkResponse response;
  const grpc::Status cloned = Call(server.networks(), &Stub::CloneNetwork, request, &response);
  ASSERT_TRUE(cloned.ok()) << cloned.error_message();
  EXPECT_EQ(response.network().cursor().step(), 100);
  EXPECT_EQ(Drift(server, "b", 50), expected);
  server.Make("c", SmallSpec());
  request.set_name("networks/c");
  request.set_network_id("d");
  EXPECT_TRUE(IsError(Call(server.networks(), &Stub::CloneNetwork, request, &response),
                      StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "snapshot"));
}

TEST(Snapshot, OutlivesTheServer) {
  const Folder folder;
  std::string expected;
  {
    TestServer server(On(folder));
    server.Make("a", SmallSpec());
    Drift(server, "a", 20);
    Keep(server, "a", "one");
    Keep(server, "a", "two");
    expected = Drift(server, "a", 30);
  }
  TestServer server(On(folder));
  EXPECT_THAT(SnapshotsOf(server, "a"), ElementsAre("two", "one"));
  EXPECT_EQ(server.Get("a").cursor().step(), 50);
  ASSERT_TRUE(Restore(server, "a", "one").ok());
  EXPECT_EQ(Drift(server, "a", 30), expected);
}

TEST(Snapshot, SaysThatItsFileIsDamaged) {
  const Folder folder;
  TestServer server(On(folder));
  server.Make("a", SmallSpec());
  Keep(server, "a", "one");
  v1::Snapshot snapshot;
  ASSERT_TRUE(GetSnapshot(server, "a", "one", &snapshot, /*verify=*/true).ok());
  EXPECT_FALSE(snapshot.has_damage());
  const std::vector<std::string> files = folder.Files("/s-");
  ASSERT_EQ(files.size(), 1U);
  FlipByte(files[0], snapshot.size_bytes() - 3);
  Drift(server, "a", 10);
  const grpc::Status status = Restore(server, "a", "one");
  EXPECT_TRUE(IsError(status, StatusCode::DATA_LOSS, "SNAPSHOT_DAMAGED"));
  EXPECT_EQ(DetailsOf(status).metadata["snapshot"], snapshot.name());
  EXPECT_EQ(server.Get("a").cursor().step(), 10);
  ASSERT_TRUE(GetSnapshot(server, "a", "one", &snapshot).ok());
  EXPECT_EQ(DetailsOf(snapshot.damage()).reason, "SNAPSHOT_DAMAGED");
  FlipByte(files[0], snapshot.size_bytes() - 3);
  ASSERT_TRUE(GetSnapshot(server, "a", "one", &snapshot, /*verify=*/true).ok());
  EXPECT_FALSE(snapshot.has_damage());
  ASSERT_TRUE(DeleteSnapshot(server, "a", "one").ok());
  EXPECT_THAT(folder.Files("/s-"), IsEmpty());
}

TEST(Snapshot, LeavesNoFilesOfADeletedNetwork) {
  const Folder folder;
  TestServer server(On(folder));
  server.Make("a", SmallSpec());
  Keep(server, "a", "one");
  ASSERT_TRUE(Restore(server, "a", "one").ok());
  EXPECT_THAT(folder.Files(".safetensors"), testing::Not(IsEmpty()));
  v1::DeleteNetworkRequest request;
  request.set_name("networks/a");
  request.set_force(true);
  v1::DeleteNetworkResponse response;
  ASSERT_TRUE(Call(server.networks(), &Stub::DeleteNetwork, request, &response).ok());
  while (!folder.Files(".safetensors").empty()) {
    // They go once it is on disk that nobody needs them.
  }
}

TEST(Snapshot, IsPutBackForGoodAlsoWithoutAJournal) {
  const Folder folder;
  std::string expected;
  {
    TestServer server(On(folder));
    v1::CreateNetworkRequest request = CreateRequest("a");
    request.mutable_network()->set_durability(v1::DURABILITY_NONE);
    *request.mutable_network()->mutable_spec() = SmallSpec();
    ASSERT_TRUE(Create(server, request).ok());
    Drift(server, "a", 20);
    Keep(server, "a", "one");
    expected = Drift(server, "a", 30);
    ASSERT_TRUE(Restore(server, "a", "one").ok());
    ASSERT_TRUE(DeleteSnapshot(server, "a", "one").ok());
  }
  TestServer server(On(folder));
  EXPECT_THAT(SnapshotsOf(server, "a"), IsEmpty());
  EXPECT_EQ(server.Get("a").cursor().step(), 20);
  EXPECT_EQ(Drift(server, "a", 30), expected);
}

}  // namespace
}  // namespace prospero::server
