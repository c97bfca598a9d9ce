// What the C++ client keeps of networks, against prosperod itself.

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "live_server.h"
#include "prospero/client/client.h"

namespace prospero::client {
namespace {

using testing::ElementsAre;

/// The outputs of three steps.
std::vector<double> Step(const Network& network) {
  const auto result = network.Step(
      {.steps = 3, .inputs = {{"input", MakeTensor(std::vector<double>{1.0}, {1, 1})}}});
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? ToDoubles(result->outputs.at("output.r")) : std::vector<double>();
}

std::vector<std::string> Ids(const Network& network) {
  std::vector<std::string> ids;
  const auto snapshots = network.ListSnapshots();
  EXPECT_TRUE(snapshots.ok()) << snapshots.status();
  for (const v1::Snapshot& snapshot : *snapshots) {
    ids.push_back(snapshot.name().substr(snapshot.name().rfind('/') + 1));
  }
  return ids;
}

TEST(CppClient, GoesOnFromASnapshot) {
  const Network network = Create(Connect(), Integrator(), {});
  Step(network);
  const auto snapshot = network.CreateSnapshot({.id = "one", .description = "first"});
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->cursor().step(), 3);
  EXPECT_EQ(snapshot->description(), "first");
  const std::vector<double> expected = Step(network);
  const auto restored = network.Restore("one");
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->cursor().step(), 3);
  EXPECT_EQ(Step(network), expected);
  EXPECT_EQ(Reason(network.Restore("none").status()), "SNAPSHOT_NOT_FOUND");
  EXPECT_EQ(Reason(network.Delete()), "HAS_SNAPSHOTS");
  EXPECT_TRUE(network.Delete(/*force=*/true).ok());
}

TEST(CppClient, ListsAndRemovesSnapshots) {
  const Network network = Create(Connect(), Integrator(), {});
  ASSERT_TRUE(network.CreateSnapshot({.id = "b"}).ok());
  ASSERT_TRUE(network.CreateSnapshot({.id = "a", .ttl = absl::Hours(1)}).ok());
  EXPECT_THAT(Ids(network), ElementsAre("a", "b"));
  EXPECT_TRUE(network.DeleteSnapshot("b").ok());
  EXPECT_TRUE(network.DeleteSnapshot(network.name() + "/snapshots/a").ok());
  EXPECT_THAT(Ids(network), ElementsAre());
  EXPECT_TRUE(network.Delete().ok());
}

TEST(CppClient, ExportsAFileOrNothing) {
  const Network network = Create(Connect(), Integrator(), {});
  const auto snapshot = network.CreateSnapshot({.id = "one"});
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  const std::string path = testing::TempDir() + "prospero-export.safetensors";
  const absl::Status exported = network.Export("one", path);
  ASSERT_TRUE(exported.ok()) << exported;
  EXPECT_EQ(static_cast<int64_t>(std::filesystem::file_size(path)), snapshot->size_bytes());
  std::remove(path.c_str());
  EXPECT_EQ(Reason(network.Export("none", path)), "SNAPSHOT_NOT_FOUND");
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
  EXPECT_FALSE(network.Export("one", testing::TempDir() + "no/such/folder").ok());
  EXPECT_TRUE(network.Delete(/*force=*/true).ok());
}

TEST(CppClient, SaysHowANetworkIsKept) {
  v1::SnapshotPolicy policy;
  policy.mutable_every()->set_seconds(3600);
  const Network network = Create(Connect(), Integrator(),
                                 {.durability = v1::DURABILITY_NONE, .snapshot_policy = policy});
  EXPECT_EQ(network.Get()->durability(), v1::DURABILITY_NONE);
  EXPECT_EQ(network.Get()->snapshot_policy().every().seconds(), 3600);
  ASSERT_TRUE(network.Update({.snapshot_policy = v1::SnapshotPolicy()}).ok());
  EXPECT_FALSE(network.Get()->snapshot_policy().has_every());
  EXPECT_TRUE(network.Delete().ok());
}

}  // namespace
}  // namespace prospero::client
