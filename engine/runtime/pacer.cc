#include "engine/runtime/pacer.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace prospero {
namespace {

/// A period longer than this [ns], some 36 years, does not come to its end.
constexpr long double kLongestNs = static_cast<long double>(int64_t{1} << 60);
/// In one answer.
constexpr int64_t kMostSteps = int64_t{1} << 40;
constexpr int64_t kLeastToleranceNs = 2'000'000;
constexpr int64_t kMaxCatchUpNs = 1'000'000'000;

int64_t ToNs(Clock::Time::duration duration) { return std::chrono::nanoseconds(duration).count(); }

}  // namespace

Pacer::Fixed Pacer::FromTime(Clock::Time time) { return FromNs(ToNs(time.time_since_epoch())); }

Clock::Time Pacer::ToTime(Fixed time) {
  return Clock::Time(std::chrono::nanoseconds(static_cast<int64_t>((time + kHalf) >> 64)));
}

Pacer::Pacer(double dt, const ClockSpec& spec) : dt_(dt) { Adopt(spec); }

void Pacer::Adopt(const ClockSpec& spec) {
  spec_ = spec;
  const long double period = std::min(
      static_cast<long double>(dt_) * 1e6L / static_cast<long double>(spec.speed), kLongestNs);
  period_ns_ = static_cast<double>(period);
  period_ = std::max<Fixed>(static_cast<Fixed>(std::ldexp(period, 64)), 1);
  tolerance_ = spec.tolerance.has_value() ? FromNs(spec.tolerance->count())
                                          : std::max(2 * period_, FromNs(kLeastToleranceNs));
  max_catch_up_ =
      FromNs(spec.max_catch_up.value_or(std::chrono::nanoseconds(kMaxCatchUpNs)).count());
  bundle_ns_ = std::min(kBundleNs, static_cast<int64_t>(tolerance_ >> 65));
}

void Pacer::Start(Clock::Time now) {
  due_ = FromTime(now) + period_;
  looked_ = now;
  late_ = false;
  lag_ms_ = 0.0;
}

void Pacer::Restart(const ClockSpec& spec, Clock::Time now) {
  Adopt(spec);
  Start(now);
}

int64_t Pacer::Due(Clock::Time now) {
  const Fixed time = FromTime(now) + kHalf;  // As due_at() is rounded.
  looked_ = now;
  const Fixed lag = std::max<Fixed>(FromTime(now) - due_, 0);
  lag_ms_ = static_cast<double>(lag >> 64) * 1e-6;
  if (lag > tolerance_) {
    Overran(time, lag);
  } else {
    late_ = false;
  }
  if (due_ > time) return 0;
  return static_cast<int64_t>(std::min<Fixed>((time - due_) / period_ + 1, kMostSteps));
}

void Pacer::Overran(Fixed now, Fixed lag) {
  const int64_t skipped_before = skipped_;
  switch (spec_.overrun) {
    case Overrun::kSkip:
      SkipBefore(now - period_ + 1);
      break;
    case Overrun::kCatchUp:
      SkipBefore(now - kHalf - max_catch_up_);
      break;
    case Overrun::kSlowDown:
      due_ += lag;
      break;
  }
  // One that goes on while steps are caught up with is one.
  if (!late_ || skipped_ > skipped_before) ++overruns_;
  late_ = spec_.overrun == Overrun::kCatchUp;
}

void Pacer::SkipBefore(Fixed time) {
  if (due_ >= time) return;
  const Fixed steps = (time - due_ + period_ - 1) / period_;
  due_ += steps * period_;
  skipped_ += static_cast<int64_t>(steps);
}

void Pacer::Made(int64_t steps) { due_ += steps * period_; }

Clock::Time Pacer::wake_at() const {
  return std::max(due_at(), looked_ + std::chrono::nanoseconds(bundle_ns_));
}

Clock::Time Pacer::deadline() const {
  return ToTime(std::max(FromTime(wake_at()), due_) + period_);
}

void SpeedGauge::Look(Clock::Time now, int64_t epoch, int64_t step) {
  if (count_ > 0 && (epoch != epoch_ || step < mark(0).step)) count_ = 0;
  epoch_ = epoch;
  // The oldest mark that is less than a window old; the last one, if all are older.
  while (count_ > 1 && now - mark(count_ - 1).time > kWindow) --count_;
  if (count_ > 0) {
    const Mark& from = mark(count_ - 1);
    const double wall = std::chrono::duration<double, std::milli>(now - from.time).count();
    if (wall > 0.0) speed_ = static_cast<double>(step - from.step) * dt_ / wall;
  } else {
    speed_ = 0.0;
  }
  if (count_ > 0 && now - mark(0).time < kWindow / (kMarks - 1)) return;
  newest_ = (newest_ + 1) % kMarks;
  marks_[newest_] = {now, step};
  count_ = std::min(count_ + 1, kMarks);
}

}  // namespace prospero
