#include "server/list_filter.h"

#include "gtest/gtest.h"
#include "server/page_token.h"

namespace prospero::server {
namespace {

TEST(ListFilter, JoinsConditionsByAnd) {
  v1::Network network;
  network.set_state(v1::Network::STATE_PAUSED);
  (*network.mutable_labels())["team"] = "a b";
  const auto accepts = [&network](const char* text) {
    const absl::StatusOr<ListFilter> filter = ListFilter::Parse(text);
    EXPECT_TRUE(filter.ok()) << filter.status();
    return filter->Accepts(network);
  };
  EXPECT_TRUE(accepts(""));
  EXPECT_TRUE(accepts("  state=PAUSED "));
  EXPECT_TRUE(accepts("labels.team = \"a b\" AND state != RUNNING AND labels:team"));
  EXPECT_FALSE(accepts("labels.team = \"a b\" AND state = RUNNING"));
  EXPECT_TRUE(accepts("labels.other != \"x\""));
  EXPECT_FALSE(accepts("labels.other = \"x\""));
  EXPECT_FALSE(accepts("labels:other"));
}

TEST(PageToken, HoldsForItsFilterOnly) {
  const std::string token = MakePageToken("lab-1", "state = RUNNING");
  EXPECT_EQ(*ReadPageToken(token, "state = RUNNING"), "lab-1");
  EXPECT_FALSE(ReadPageToken(token, "state = PAUSED").ok());
  EXPECT_FALSE(ReadPageToken(token + "A", "state = RUNNING").ok());
  EXPECT_EQ(*ReadPageToken("", "state = PAUSED"), "");
}

}  // namespace
}  // namespace prospero::server
