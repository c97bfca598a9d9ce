#include "server/stage_latency.h"

#include <chrono>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace prospero::server {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::ElementsAre;

v1::StageLatency Told(const StageHistogram& histogram) {
  return histogram.ToProto(v1::StageLatency::STAGE_STEP);
}

TEST(StageHistogram, HasBucketsThatGrowByAFourthRootOfTwo) {
  const auto& bounds = StageHistogram::Bounds();
  EXPECT_EQ(bounds[0], 1000);
  EXPECT_EQ(bounds[1], 1189);
  EXPECT_EQ(bounds[4], 2000);
  EXPECT_EQ(bounds[40], 1'024'000);
}

TEST(StageHistogram, CountsADurationBelowTheEndOfItsBucket) {
  StageHistogram histogram;
  histogram.Count(nanoseconds(0));
  histogram.Count(nanoseconds(999));
  histogram.Count(nanoseconds(1000));
  histogram.Count(nanoseconds(1189));
  const v1::StageLatency told = Told(histogram);
  EXPECT_EQ(told.stage(), v1::StageLatency::STAGE_STEP);
  EXPECT_THAT(told.buckets(), ElementsAre(2, 1, 1));
  EXPECT_EQ(told.count(), 4);
  EXPECT_EQ(told.sum_ns(), 3188);
  EXPECT_EQ(told.max_ns(), 1189);
}

TEST(StageHistogram, PutsWhatIsVeryLongIntoTheLastBucket) {
  StageHistogram histogram;
  histogram.Count(seconds(1000));
  const v1::StageLatency told = Told(histogram);
  ASSERT_EQ(told.buckets_size(), static_cast<int>(StageHistogram::kBounds) + 1);
  EXPECT_EQ(told.buckets(told.buckets_size() - 1), 1);
}

TEST(StageHistogram, TakesATimeThatRanBackwardsForNone) {
  StageHistogram histogram;
  histogram.Count(nanoseconds(-5));
  EXPECT_THAT(Told(histogram).buckets(), ElementsAre(1));
  EXPECT_EQ(Told(histogram).sum_ns(), 0);
}

TEST(StageHistogram, TellsNoBucketsWhenNothingWasCounted) {
  EXPECT_EQ(Told(StageHistogram()).buckets_size(), 0);
}

}  // namespace
}  // namespace prospero::server
