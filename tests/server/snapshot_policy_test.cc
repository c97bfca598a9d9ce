// Snapshots that the server takes, and removes, by itself.

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/snapshots.h"
#include "tests/server/support.h"

namespace prospero::server {
namespace {

using grpc::StatusCode;
using testing::Contains;

v1::UpdateNetworkRequest PolicyUpdate(int64_t every_s, int32_t keep) {
  v1::UpdateNetworkRequest request = UpdateOf("a", {"snapshot_policy"});
  v1::SnapshotPolicy* const policy = request.mutable_network()->mutable_snapshot_policy();
  policy->mutable_every()->set_seconds(every_s);
  policy->set_keep(keep);
  return request;
}

std::vector<std::string> Automatic(TestServer& server) {
  std::vector<std::string> ids;
  for (const std::string& id : SnapshotsOf(server, "a")) {
    if (id.rfind("auto-", 0) == 0) ids.push_back(id);
  }
  return ids;
}

TEST(SnapshotPolicy, TakesSnapshotsAndKeepsTheNewest) {
  TestServer server;
  server.Make("a", SmallSpec(), v1::Clock::MODE_FREE);
  Keep(server, "a", "mine");
  ASSERT_TRUE(Update(server, PolicyUpdate(1, 1)).ok());
  Start(server, "a");
  std::vector<std::string> first;
  while (first.empty()) first = Automatic(server);
  std::vector<std::string> next = first;
  while (next.empty() || next.back() == first.back()) next = Automatic(server);
  v1::Snapshot snapshot;
  ASSERT_TRUE(GetSnapshot(server, "a", next.front(), &snapshot).ok());
  EXPECT_EQ(snapshot.origin(), v1::Snapshot::ORIGIN_POLICY);
  EXPECT_LE(next.size(), 2U);  // The older one goes when the newer one is there.
  EXPECT_THAT(SnapshotsOf(server, "a"), Contains("mine"));
}

TEST(SnapshotPolicy, IsToldAndTakenAway) {
  TestServer server;
  server.Make("a", SmallSpec());
  ASSERT_TRUE(Update(server, PolicyUpdate(60, 3)).ok());
  EXPECT_EQ(server.Get("a").snapshot_policy().every().seconds(), 60);
  EXPECT_EQ(server.Get("a").snapshot_policy().keep(), 3);
  ASSERT_TRUE(Update(server, UpdateOf("a", {"snapshot_policy"})).ok());
  EXPECT_FALSE(server.Get("a").has_snapshot_policy());
}

TEST(SnapshotPolicy, IsRefusedWhenItMakesNoSense) {
  TestServer server;
  server.Make("a", SmallSpec());
  EXPECT_TRUE(IsError(Update(server, PolicyUpdate(0, 1)), StatusCode::INVALID_ARGUMENT,
                      "INVALID_FIELD", "network.snapshot_policy.every"));
  EXPECT_TRUE(IsError(Update(server, PolicyUpdate(366 * 86400, 1)), StatusCode::INVALID_ARGUMENT,
                      "INVALID_FIELD", "network.snapshot_policy.every"));
  EXPECT_TRUE(IsError(Update(server, PolicyUpdate(60, 1001)), StatusCode::INVALID_ARGUMENT,
                      "INVALID_FIELD", "network.snapshot_policy.keep"));
  v1::CreateNetworkRequest request = CreateRequest("b");
  request.mutable_network()->mutable_snapshot_policy()->set_keep(-1);
  EXPECT_TRUE(IsError(Create(server, request), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD",
                      "network.snapshot_policy.keep"));
}

TEST(SnapshotPolicy, LetsSnapshotsExpire) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::CreateSnapshotRequest request = SnapshotRequest("a", "short");
  request.mutable_ttl()->set_nanos(1'000'000);
  v1::CreateSnapshotResponse response;
  ASSERT_TRUE(Keep(server, request, &response).ok());
  EXPECT_TRUE(response.snapshot().has_expire_time());
  Keep(server, "a", "long");
  while (GetSnapshot(server, "a", "short").ok()) {
  }
  EXPECT_THAT(SnapshotsOf(server, "a"), testing::ElementsAre("long"));
}

}  // namespace
}  // namespace prospero::server
