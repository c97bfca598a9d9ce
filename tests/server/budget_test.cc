#include "server/budget.h"

#include <map>
#include <string>
#include <utility>

#include "engine/core/errors.h"
#include "gtest/gtest.h"

namespace prospero::server {
namespace {

TEST(Budget, GivesOutWhatItHasAndTakesItBack) {
  Budget budget(100);
  absl::StatusOr<Budget::Reservation> most = budget.Reserve(80);
  ASSERT_TRUE(most.ok());
  EXPECT_EQ(Reason(budget.Reserve(21).status()), "LIMIT_EXCEEDED");
  EXPECT_TRUE(budget.Reserve(20).ok()) << "and gives it back at once";
  EXPECT_EQ(budget.reserved(), 80);
  *most = Budget::Reservation();
  EXPECT_EQ(budget.reserved(), 0);
}

TEST(Budget, SaysWhatWasWantedAndWhatIsTaken) {
  Budget budget(100);
  const absl::StatusOr<Budget::Reservation> most = budget.Reserve(80);
  const absl::Status refused = budget.Reserve(21).status();
  EXPECT_EQ(refused.message(),
            "must keep within max_total_bytes = 100, wanted 21 beside 80 that are taken");
  std::map<std::string, std::string> metadata;
  VisitMetadata(refused, [&](absl::string_view key, absl::string_view value) {
    metadata[std::string(key)] = std::string(value);
  });
  EXPECT_EQ(metadata,
            (std::map<std::string, std::string>{
                {"limit", "max_total_bytes"}, {"max", "100"}, {"wanted", "21"}, {"taken", "80"}}));
}

TEST(Budget, FollowsAReservationThatMoves) {
  Budget budget(100);
  Budget::Reservation kept;
  {
    Budget::Reservation made = *budget.Reserve(30);
    kept = std::move(made);
  }
  EXPECT_EQ(budget.reserved(), 30);
  EXPECT_EQ(kept.bytes(), 30);
}

TEST(Budget, IsNotFooledByNumbersThatOverflow) {
  Budget budget(INT64_MAX);
  const absl::StatusOr<Budget::Reservation> all = budget.Reserve(INT64_MAX);
  ASSERT_TRUE(all.ok());
  EXPECT_FALSE(budget.Reserve(1).ok());
}

}  // namespace
}  // namespace prospero::server
