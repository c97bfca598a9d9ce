// What a subscription may not ask for.

#include <functional>
#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/subscribers.h"

namespace prospero::server {
namespace {

using grpc::StatusCode;
using testing::Contains;
using testing::Pair;

TEST(Watch, NamesTheFieldThatIsWrong) {
  TestServer server([](Server::Options& o) { o.limits.max_message_bytes = 1 << 20; });
  server.Make("a", SmallSpec());
  const auto end = [&](const std::function<void(v1::Subscription&)>& spoil) {
    v1::Subscription subscription = To("a", {"loss"});
    spoil(subscription);
    Watcher watcher(server, subscription);
    return watcher.End();
  };
  using S = v1::Subscription;
  const auto bad = StatusCode::INVALID_ARGUMENT;
  const std::string first = "subscription.selections[0].";
  EXPECT_TRUE(
      IsError(end([](S& s) { s.set_network("x"); }), bad, "INVALID_FIELD", "subscription.network"));
  EXPECT_TRUE(IsError(end([](S& s) { s.set_network("networks/x"); }), StatusCode::NOT_FOUND,
                      "NETWORK_NOT_FOUND"));
  EXPECT_TRUE(IsError(end([](S& s) { s.clear_selections(); }), bad, "INVALID_FIELD",
                      "subscription.selections"));
  EXPECT_TRUE(IsError(end([](S& s) { s.set_start(S::START_CURSOR); }), bad, "INVALID_FIELD",
                      "subscription.cursor"));
  EXPECT_TRUE(IsError(end([](S& s) {
                        s.set_start(S::START_CURSOR);
                        s.mutable_cursor()->set_epoch(-1);
                      }),
                      bad, "INVALID_FIELD", "subscription.cursor.epoch"));
  EXPECT_TRUE(IsError(end([](S& s) {
                        s.set_start(S::START_CURSOR);
                        s.mutable_cursor()->set_step(-1);
                      }),
                      bad, "INVALID_FIELD", "subscription.cursor.step"));
  EXPECT_TRUE(IsError(end([](S& s) {
                        s.set_start(S::START_CURSOR);
                        s.mutable_cursor();
                        s.set_cursor_selection(1);
                      }),
                      bad, "INVALID_FIELD", "subscription.cursor_selection"));
  EXPECT_TRUE(IsError(end([](S& s) { s.set_cursor_selection(0); }), bad, "INVALID_FIELD",
                      "subscription.cursor_selection"));
  EXPECT_TRUE(IsError(end([](S& s) { s.set_delivery(static_cast<S::Delivery>(7)); }), bad,
                      "INVALID_FIELD", "subscription.delivery"));
  EXPECT_TRUE(IsError(end([](S& s) { s.set_retained_bytes(-1); }), bad, "INVALID_FIELD",
                      "subscription.retained_bytes"));
  const grpc::Status retained = end([](S& s) { s.set_retained_bytes(int64_t{1} << 40); });
  EXPECT_TRUE(IsError(retained, StatusCode::RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED",
                      "subscription.retained_bytes"));
  EXPECT_THAT(DetailsOf(retained).metadata, Contains(Pair("limit", "max_retained_bytes")));
  EXPECT_TRUE(IsError(end([](S& s) { s.set_start(static_cast<S::Start>(9)); }), bad,
                      "INVALID_FIELD", "subscription.start"));
  EXPECT_TRUE(
      IsError(end([](S& s) { s.mutable_cursor(); }), bad, "INVALID_FIELD", "subscription.cursor"));
  EXPECT_TRUE(IsError(end([](S& s) { s.set_max_pending(-1); }), bad, "INVALID_FIELD",
                      "subscription.max_pending"));
  const grpc::Status many = end([](S& s) { s.set_max_pending(1'000'000); });
  EXPECT_TRUE(
      IsError(many, StatusCode::RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED", "subscription.max_pending"));
  EXPECT_THAT(DetailsOf(many).metadata, Contains(Pair("limit", "max_pending_samples")));
  EXPECT_TRUE(IsError(end([](S& s) { s.mutable_heartbeat()->set_nanos(-1); }), bad, "INVALID_FIELD",
                      "subscription.heartbeat"));
  const auto selection = [&](const std::function<void(v1::Selection&)>& spoil) {
    return end([&](S& s) { spoil(*s.mutable_selections(0)); });
  };
  EXPECT_TRUE(IsError(selection([](auto& s) { s.clear_variables(); }), bad, "INVALID_FIELD",
                      first + "variables"));
  EXPECT_TRUE(IsError(selection([](auto& s) { s.add_variables("x.*"); }), bad, "UNKNOWN_VARIABLE",
                      first + "variables[1]"));
  EXPECT_TRUE(IsError(selection([](auto& s) { s.add_uids(0); }), bad, "UNKNOWN_VARIABLE",
                      first + "uids[0]"));
  EXPECT_TRUE(IsError(selection([](auto& s) { s.set_every_steps(-1); }), bad, "INVALID_FIELD",
                      first + "every_steps"));
  EXPECT_TRUE(IsError(
      selection([](auto& s) { s.set_max_rate_hz(std::numeric_limits<double>::quiet_NaN()); }), bad,
      "INVALID_FIELD", first + "max_rate_hz"));
  EXPECT_TRUE(
      IsError(selection([](auto& s) { s.set_aggregation(static_cast<v1::Aggregation>(8)); }), bad,
              "INVALID_FIELD", first + "aggregation"));
  EXPECT_TRUE(IsError(selection([](auto& s) {
                        s.add_variables("*.W.norm");
                        s.set_aggregation(v1::AGGREGATION_MEAN);
                      }),
                      bad, "INVALID_FIELD", first + "aggregation"));
  EXPECT_TRUE(IsError(selection([](auto& s) { s.mutable_on_change()->set_threshold(-1); }), bad,
                      "INVALID_FIELD", first + "on_change.threshold"));
  EXPECT_TRUE(IsError(selection([](auto& s) { s.mutable_slice()->set_start(1); }), bad,
                      "INVALID_FIELD", first + "slice.start"));
  EXPECT_TRUE(IsError(selection([](auto& s) { s.mutable_slice()->set_count(2); }), bad,
                      "INVALID_FIELD", first + "slice.count"));
  EXPECT_TRUE(IsError(selection([](auto& s) { s.mutable_slice()->set_stride(-1); }), bad,
                      "INVALID_FIELD", first + "slice.stride"));
}

}  // namespace
}  // namespace prospero::server
