#include "server/catalog.h"

#include <memory>
#include <string>

#include "engine/core/errors.h"
#include "gtest/gtest.h"

namespace prospero::server {
namespace {

std::shared_ptr<Pending> MakePending(const std::string& id) {
  v1::Network network;
  network.set_name("networks/" + id);
  network.set_state(v1::Network::STATE_RUNNING);
  return std::make_shared<Pending>(network);
}

/// A catalogue that expects network "a".
struct Expecting {
  Expecting() { catalog.Expect("a", pending); }
  Catalog catalog{/*max_networks=*/2};
  const std::shared_ptr<Pending> pending = MakePending("a");
  int calls = 0;
  void Wait(const std::string& id) {
    catalog.WhenSettled(id, [this] { ++calls; });
  }
};

TEST(CatalogTest, LetsOnlyThoseWaitWhoNameANetworkThatIsBroughtBack) {
  Expecting world;
  world.Wait("b");
  EXPECT_EQ(world.calls, 1) << "nobody brings back b";
  world.Wait("a");
  EXPECT_EQ(world.calls, 1);
  world.catalog.Arrive("a", nullptr);
  EXPECT_EQ(world.calls, 2);
  world.Wait("a");
  EXPECT_EQ(world.calls, 3) << "it is there";
}

TEST(CatalogTest, TellsOfANetworkThatIsBroughtBackWhatItKnows) {
  Expecting world;
  EXPECT_EQ(Reason(world.catalog.Find("a").status()), "NETWORK_RECOVERING");
  EXPECT_EQ(world.catalog.Take("a").status().code(), absl::StatusCode::kAlreadyExists);
  world.pending->Report(40, 0.5);
  const auto listed = world.catalog.After("", 10);
  ASSERT_EQ(listed.size(), 1U);
  const v1::Network network = listed[0].Summarize();
  EXPECT_EQ(network.state(), v1::Network::STATE_RECOVERING);
  EXPECT_EQ(network.recovery().steps(), 40);
  EXPECT_EQ(network.recovery().progress(), 0.5);
  EXPECT_TRUE(world.catalog.All().empty());
}

TEST(CatalogTest, LetsThoseGoWhoWaitForANetworkThatIsDamaged) {
  Expecting world;
  world.Wait("a");
  world.pending->Condemn(Error(absl::StatusCode::kDataLoss, "NETWORK_DAMAGED", "nothing is left"));
  world.catalog.GiveUp("a");
  EXPECT_EQ(world.calls, 1);
  EXPECT_EQ(Reason(world.catalog.Find("a").status()), "NETWORK_DAMAGED");
  EXPECT_EQ(world.pending->Describe().state(), v1::Network::STATE_DAMAGED);
  EXPECT_EQ(world.pending->Describe().failure().message(), "nothing is left");
  world.catalog.Remove("a");
  EXPECT_EQ(Reason(world.catalog.Find("a").status()), "NETWORK_NOT_FOUND");
}

TEST(CatalogTest, LetsEverybodyGoAtTheEnd) {
  Expecting world;
  world.catalog.Expect("b", MakePending("b"));
  world.Wait("a");
  world.Wait("b");
  world.catalog.StopWaiting();
  EXPECT_EQ(world.calls, 2);
  world.Wait("a");
  EXPECT_EQ(world.calls, 3);
}

}  // namespace
}  // namespace prospero::server
