#include "engine/runtime/port_feed.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

namespace prospero {
namespace {

/// x = a + (b − a) fraction.
template <class Real>
void Mix(const std::string& a, const std::string& b, double fraction, std::string& x) {
  for (size_t at = 0; at < x.size(); at += sizeof(Real)) {
    Real from, to;
    std::memcpy(&from, a.data() + at, sizeof(Real));
    std::memcpy(&to, b.data() + at, sizeof(Real));
    const auto mixed =
        static_cast<Real>(std::lerp(static_cast<double>(from), static_cast<double>(to), fraction));
    std::memcpy(x.data() + at, &mixed, sizeof(Real));
  }
}

}  // namespace

PortFeed::PortFeed(const Variable& variable, Between between, Late late, int64_t max_pending)
    : type_(variable.type),
      bytes_(static_cast<size_t>(variable.bytes())),
      between_(between),
      late_(late),
      ring_(static_cast<size_t>(max_pending)),
      next_(bytes_, '\0'),
      now_(bytes_, '\0'),
      from_(bytes_, '\0'),
      to_(bytes_, '\0') {}

PortFeed::Taken PortFeed::Take(FeedFrame& frame, int64_t next) {
  assert(frame.values.size() == bytes_);
  const bool late = frame.at_step.value_or(next) < next;
  if (late) {
    ++counts_.late;
    if (late_ == Late::kRefuse) return Taken::kRefused;
    if (late_ == Late::kDrop) return Taken::kDropped;
  }
  if (late || frame.at_step.value_or(next) == next) {
    SetNext(frame.values, /*exact=*/!late && frame.at_step.has_value());
    return Taken::kKept;
  }
  assert(size_ < ring_.size());
  Stamped& slot = ring_[(first_ + size_++) % ring_.size()];
  slot.step = *frame.at_step;
  slot.values.swap(frame.values);
  return Taken::kKept;
}

void PortFeed::BeginEpoch(int64_t step) {
  line_ = Line::kNone;
  last_frame_ = step;
}

void PortFeed::SetNext(std::string& values, bool exact) {
  if (has_next_) ++counts_.replaced;
  next_.swap(values);
  has_next_ = true;
  next_is_exact_ = exact;
}

void PortFeed::TakeDue(int64_t step) {
  while (size_ > 0 && ring_[first_].step <= step) {
    Stamped& due = ring_[first_];
    first_ = (first_ + 1) % ring_.size();
    --size_;
    if (line_ == Line::kToStamped) line_ = Line::kNone;
    if (has_next_ && !next_is_exact_) {
      ++counts_.replaced;  // What has come since is newer.
    } else {
      SetNext(due.values, /*exact=*/true);
    }
  }
}

PortFeed::Value PortFeed::Advance(Cursor cursor) {
  TakeDue(cursor.step);
  const bool fresh = has_next_;
  if (fresh) {
    ++counts_.applied;
    if (!counts_.first_applied.has_value()) counts_.first_applied = cursor;
    counts_.last_applied = cursor;
  }
  if (between_ == Between::kLinear) {
    MoveOn(cursor.step);
  } else if (fresh) {
    now_.swap(next_);
  }
  if (fresh) last_frame_ = cursor.step;
  has_next_ = false;
  begun_ = begun_ || fresh;
  if (!begun_) return Value::kNone;
  return between_ == Between::kZero && !fresh ? Value::kZero : Value::kGiven;
}

void PortFeed::Yield(Cursor cursor) {
  TakeDue(cursor.step);
  if (between_ != Between::kZero || !has_next_) return;
  has_next_ = false;
  begun_ = true;
  ++counts_.replaced;
}

void PortFeed::MoveOn(int64_t step) {
  if (has_next_ && (!begun_ || next_is_exact_)) {
    line_ = Line::kNone;
    now_.swap(next_);
    return;
  }
  if (line_ == Line::kNone && begun_ && size_ > 0) {
    line_ = Line::kToStamped;
    from_.assign(now_);
    from_step_ = step - 1;
  }
  FollowLine(step);
  if (!has_next_) return;
  // The line so far has led to where the new one begins.
  line_ = Line::kToFrame;
  from_.assign(now_);
  to_.swap(next_);
  from_step_ = step;
  line_steps_ = std::max<int64_t>(step - last_frame_, 1);
}

void PortFeed::FollowLine(int64_t step) {
  const auto gone = static_cast<double>(step - from_step_);
  if (line_ == Line::kToStamped) {
    const Stamped& goal = ring_[first_];
    Interpolate(goal.values, gone / static_cast<double>(goal.step - from_step_));
  } else if (line_ == Line::kToFrame && step - from_step_ >= line_steps_) {
    line_ = Line::kNone;
    now_.swap(to_);
  } else if (line_ == Line::kToFrame) {
    Interpolate(to_, gone / static_cast<double>(line_steps_));
  }
}

void PortFeed::Interpolate(const std::string& to, double fraction) {
  if (type_ == DataType::kFloat32) {
    Mix<float>(from_, to, fraction, now_);
  } else {
    Mix<double>(from_, to, fraction, now_);
  }
}

}  // namespace prospero
