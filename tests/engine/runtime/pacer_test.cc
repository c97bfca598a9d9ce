#include "engine/runtime/pacer.h"

#include <cmath>
#include <limits>

#include "engine/core/errors.h"
#include "gtest/gtest.h"

namespace prospero {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr Clock::Time kStart{std::chrono::hours(1000)};

Clock::Time After(double ms) {
  return kStart + nanoseconds(static_cast<int64_t>(std::llround(ms * 1e6)));
}
double MsOf(Clock::Time time) { return static_cast<double>((time - kStart).count()) * 1e-6; }

ClockSpec Realtime(double speed = 1.0, Overrun overrun = Overrun::kSkip) {
  ClockSpec clock(ClockMode::kRealtime);
  clock.speed = speed;
  clock.overrun = overrun;
  return clock;
}

/// A grid of 1 ms.
Pacer Started(const ClockSpec& clock, double dt = 1.0) {
  Pacer pacer(dt, clock);
  pacer.Start(kStart);
  return pacer;
}

/// Makes all that is due.
int64_t Make(Pacer& pacer, double at_ms) {
  const int64_t steps = pacer.Due(After(at_ms));
  pacer.Made(steps);
  return steps;
}

TEST(Pacer, AStepIsDueAtTheEndOfEachPeriod) {
  Pacer pacer = Started(Realtime());
  EXPECT_EQ(pacer.due_at(), After(1));
  EXPECT_EQ(Make(pacer, 0.999), 0);
  EXPECT_EQ(Make(pacer, 1.0), 1);
  EXPECT_EQ(pacer.due_at(), After(2));
  EXPECT_EQ(Make(pacer, 1.999), 0);
  EXPECT_EQ(Make(pacer, 3.5), 2);
  EXPECT_EQ(pacer.due_at(), After(4));
  EXPECT_EQ(pacer.wake_at(), After(4));
  EXPECT_EQ(pacer.deadline(), After(5));
  EXPECT_EQ(pacer.overruns(), 0);
}

TEST(Pacer, StepsThatAreNotMadeStayDue) {
  Pacer pacer = Started(Realtime());
  EXPECT_EQ(pacer.Due(After(2.5)), 2);
  pacer.Made(1);
  EXPECT_EQ(pacer.due_at(), After(2));
  EXPECT_EQ(pacer.Due(After(2.5)), 1);
}

TEST(Pacer, DoesNotDriftOverABillionSteps) {
  Pacer pacer = Started(Realtime(3.0), 0.1);
  constexpr int64_t kSteps = 1'000'000'000;
  for (int64_t made = 0; made < kSteps; made += 1'000'000) pacer.Made(1'000'000);
  // Step n is due at (n + 1) * 10^5 / 3 ns; here 10^9 + 1 times.
  const int64_t exact = (kSteps + 1) / 3 * 100'000 + (kSteps + 1) % 3 * 100'000 / 3;
  EXPECT_NEAR(static_cast<double>((pacer.due_at() - kStart).count() - exact), 0.0, 1.0);
}

TEST(Pacer, StepsComeAsOftenAsTimeHasPassed) {
  Pacer pacer = Started(Realtime(3.0), 0.1);
  int64_t made = 0;
  for (int look = 1; look <= 100'000; ++look) {
    made += Make(pacer, 0.7 * look);
    EXPECT_EQ(pacer.skipped(), 0);
  }
  EXPECT_EQ(made, 2'100'000);  // 70 s at 30 steps per ms; the last one is due at its end.
}

TEST(Pacer, SpeedDividesThePeriod) {
  EXPECT_EQ(MsOf(Started(Realtime(0.25)).due_at()), 4.0);
  EXPECT_EQ(Started(Realtime(1e6), 10.0).due_at(), kStart + nanoseconds(10));
  EXPECT_NEAR(Started(Realtime(2.0), 0.1).rate_hz(), 20'000.0, 1e-9);
  EXPECT_GT(MsOf(Started(Realtime(1e-6), 1e6).due_at()), 1e11);
  EXPECT_GT(MsOf(Started(Realtime(1e-6), 1e300).due_at()), 1e12);  // Never comes, and is in order.
  Pacer fast = Started(Realtime(1e6), 1e-300);
  EXPECT_GT(fast.Due(After(1)), 0);
  EXPECT_TRUE(std::isinf(fast.rate_hz()) || fast.rate_hz() > 1e300);
}

TEST(Pacer, ShortPeriodsAreBundledWithinTheTolerance) {
  Pacer pacer = Started(Realtime(), 0.01);
  EXPECT_EQ(pacer.Due(After(0.05)), 5);
  pacer.Made(5);
  EXPECT_EQ(pacer.due_at(), After(0.06));
  EXPECT_EQ(pacer.wake_at(), After(0.15));
  ClockSpec strict = Realtime();
  strict.tolerance = microseconds(40);
  Pacer prompt = Started(strict, 0.01);
  EXPECT_EQ(prompt.Due(After(0.05)), 5);
  prompt.Made(5);
  EXPECT_EQ(prompt.wake_at(), After(0.07));
}

TEST(Pacer, LagWithinTheToleranceIsMadeUpFor) {
  for (const Overrun overrun : {Overrun::kSkip, Overrun::kCatchUp, Overrun::kSlowDown}) {
    Pacer pacer = Started(Realtime(1.0, overrun));
    EXPECT_EQ(Make(pacer, 3.0), 3);  // The first one is 2 ms late, which is the default.
    EXPECT_EQ(pacer.lag_ms(), 2.0);
    EXPECT_EQ(Make(pacer, 4.0), 1);
    EXPECT_EQ(pacer.lag_ms(), 0.0);
    EXPECT_EQ(pacer.overruns(), 0);
    EXPECT_EQ(pacer.skipped(), 0);
  }
}

TEST(Pacer, TheDefaultToleranceIsTwoPeriodsOr2Ms) {
  Pacer slow = Started(Realtime(), 10.0);
  EXPECT_EQ(Make(slow, 30.0), 3);
  EXPECT_EQ(slow.overruns(), 0);
  Pacer quick = Started(Realtime(), 0.1);
  EXPECT_EQ(Make(quick, 2.1), 21);
  EXPECT_EQ(quick.overruns(), 0);
}

TEST(Pacer, SkipMakesTheStepOfThePresentPeriodAndStaysOnTheGrid) {
  Pacer pacer = Started(Realtime());
  EXPECT_EQ(Make(pacer, 5.25), 1);  // That of 5; those of 1 to 4 are left out.
  EXPECT_EQ(pacer.overruns(), 1);
  EXPECT_EQ(pacer.skipped(), 4);
  EXPECT_EQ(pacer.lag_ms(), 4.25);
  EXPECT_EQ(pacer.due_at(), After(6));
  EXPECT_EQ(Make(pacer, 6), 1);
  EXPECT_EQ(pacer.overruns(), 1);
}

TEST(Pacer, SkipGoesOnWhenEveryStepIsLate) {
  ClockSpec clock = Realtime();
  clock.tolerance = nanoseconds(0);
  Pacer pacer = Started(clock);
  for (int k = 1; k <= 10; ++k) EXPECT_EQ(Make(pacer, k + 0.1), 1);
  EXPECT_EQ(pacer.overruns(), 10);
  EXPECT_EQ(pacer.skipped(), 0);
}

TEST(Pacer, CatchUpMakesWhatWasMissedUpToALimit) {
  ClockSpec clock = Realtime(1.0, Overrun::kCatchUp);
  clock.max_catch_up = milliseconds(10);
  Pacer pacer = Started(clock);
  EXPECT_EQ(pacer.Due(After(8)), 8);
  EXPECT_EQ(pacer.overruns(), 1);
  pacer.Made(4);
  EXPECT_EQ(pacer.Due(After(9)), 5);  // Still late: the same overrun.
  EXPECT_EQ(pacer.overruns(), 1);
  pacer.Made(5);
  EXPECT_EQ(pacer.Due(After(10)), 1);
  pacer.Made(1);
  EXPECT_EQ(pacer.Due(After(31)), 11);  // Those of 21 to 31.
  EXPECT_EQ(pacer.overruns(), 2);
  EXPECT_EQ(pacer.skipped(), 10);
}

TEST(Pacer, SlowDownMovesTheGridByTheLag) {
  Pacer pacer = Started(Realtime(1.0, Overrun::kSlowDown));
  EXPECT_EQ(Make(pacer, 5.25), 1);
  EXPECT_EQ(pacer.overruns(), 1);
  EXPECT_EQ(pacer.skipped(), 0);
  EXPECT_EQ(pacer.due_at(), After(6.25));
  EXPECT_EQ(Make(pacer, 6.24), 0);
}

TEST(Pacer, AStartSetsTheGridAndKeepsTheCounts) {
  Pacer pacer = Started(Realtime());
  Make(pacer, 5.25);
  pacer.Start(After(100.5));
  EXPECT_EQ(pacer.due_at(), After(101.5));
  EXPECT_EQ(pacer.skipped(), 4);
  pacer.Restart(Realtime(2.0), After(200));
  EXPECT_EQ(pacer.due_at(), After(200.5));
  EXPECT_EQ(pacer.overruns(), 1);
}

TEST(SpeedGauge, TellsModelTimeByWallTimeOverTheLastSecond) {
  SpeedGauge gauge(/*dt=*/0.5);
  gauge.Look(After(0), 0, 0);
  EXPECT_EQ(gauge.speed(), 0.0);
  for (int ms = 10; ms <= 3000; ms += 10) gauge.Look(After(ms), 0, 4 * ms);
  EXPECT_NEAR(gauge.speed(), 2.0, 1e-12);
  for (int ms = 3010; ms <= 4200; ms += 10) gauge.Look(After(ms), 0, 12'000 + (ms - 3000));
  EXPECT_NEAR(gauge.speed(), 0.5, 1e-12);
  gauge.Look(After(4300), 1, 5);  // Another epoch.
  EXPECT_EQ(gauge.speed(), 0.0);
  gauge.Look(After(4310), 1, 25);
  EXPECT_NEAR(gauge.speed(), 1.0, 1e-12);
  gauge.Look(After(64'310), 1, 25);  // Nothing for a minute.
  EXPECT_LT(gauge.speed(), 1e-3);
}

TEST(ClockSpec, NamesTheFieldThatIsWrong) {
  const auto field = [](const ClockSpec& clock) { return FieldPath(clock.Check()); };
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  for (const double speed : {0.0, -1.0, 1e-7, 1.1e6, kNan}) {
    EXPECT_EQ(field(Realtime(speed)), "speed") << speed;
  }
  ClockSpec clock = Realtime(1.0, Overrun::kCatchUp);
  EXPECT_TRUE(clock.Check().ok());
  clock.tolerance = std::chrono::seconds(10);
  clock.max_catch_up = std::chrono::seconds(60);
  EXPECT_TRUE(clock.Check().ok());
  clock.max_catch_up = std::chrono::seconds(61);
  EXPECT_EQ(field(clock), "max_catch_up");
  clock.overrun = Overrun::kSlowDown;  // Which does not use it.
  EXPECT_TRUE(clock.Check().ok());
  EXPECT_FALSE(clock.Normal().max_catch_up.has_value());
  clock.tolerance = std::chrono::seconds(11);
  EXPECT_EQ(field(clock), "tolerance");
  clock.mode = ClockMode::kFree;
  EXPECT_TRUE(clock.Check().ok());
  EXPECT_EQ(clock.Normal(), ClockSpec(ClockMode::kFree));
}

}  // namespace
}  // namespace prospero
