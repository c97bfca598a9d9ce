#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/core/variable.h"
#include "engine/runtime/cursor.h"
#include "engine/runtime/feed.h"

namespace prospero {

/// What one input is in each step, given the frames of its feed and when they came. It knows
/// neither threads nor time, and allocates only when it is made. With s the step to come:
///
///   HOLD    x(s) = the newest frame's values, from the first frame on
///   ZERO    x(s) = a frame's values in its step, else 0, from the first frame on
///   LINEAR  x(s) = a + (b − a)(s − s_a)/(s_b − s_a)
///
/// In LINEAR a frame b with a step is reached in that step, s_b, from where the input was when the
/// frame became the next one, (s_a, a). A frame without, or a late one, comes in step s_a and is
/// reached in step s_b = s_a + d, where d steps lie between it and the frame before. The first
/// frame has nothing to come from and holds at once.
class PortFeed {
 public:
  PortFeed(const Variable& variable, Between between, Late late, int64_t max_pending);

  enum class Taken : uint8_t { kKept, kDropped, kRefused };
  /// A frame that came before step `next`, with the size of the variable; its age does not count
  /// here. Its values are swapped for others of no meaning. There must be room: pending() <
  /// max_pending.
  Taken Take(FeedFrame& frame, int64_t next);

  enum class Value : uint8_t {
    kNone,   ///< no frame has come: the input is not the feed's yet
    kZero,   ///< zero, or absent
    kGiven,  ///< values()
  };
  /// What the input is in the step to come. To be called once for each step, in their order.
  Value Advance(Cursor cursor);
  /// The same for a step in which somebody else writes the input: frames that are due wait for the
  /// first step that is theirs; with ZERO they give way.
  void Yield(Cursor cursor);
  const char* values() const { return now_.data(); }
  /// The next step is `step`, whatever the last one was. No frame with a step may be pending.
  void BeginEpoch(int64_t step);

  /// Frames for later steps.
  int64_t pending() const { return static_cast<int64_t>(size_); }
  /// Frames that have not taken effect.
  bool has_frames() const { return size_ > 0 || has_next_; }

  /// applied, late, replaced, first_applied, last_applied.
  const FeedSummary& counts() const { return counts_; }

 private:
  struct Stamped {
    int64_t step = 0;
    std::string values;
  };

  /// Makes `values` the frame of the step to come; `exact`: to be reached in that step.
  void SetNext(std::string& values, bool exact);
  /// Moves frames whose step has come.
  void TakeDue(int64_t step);
  void MoveOn(int64_t step);
  void FollowLine(int64_t step);
  void Interpolate(const std::string& to, double fraction);

  const DataType type_;
  const size_t bytes_;
  const Between between_;
  const Late late_;
  std::vector<Stamped> ring_;  ///< frames for later steps
  size_t first_ = 0;
  size_t size_ = 0;

  std::string next_;  ///< the frame for the step to come
  bool has_next_ = false;
  bool next_is_exact_ = false;

  std::string now_;  ///< x of the last step
  bool begun_ = false;
  int64_t last_frame_ = 0;  ///< step of the newest frame that has come

  // LINEAR.
  enum class Line : uint8_t { kNone, kToFrame, kToStamped };
  Line line_ = Line::kNone;
  std::string from_;        ///< a
  std::string to_;          ///< b of kToFrame
  int64_t from_step_ = 0;   ///< s_a
  int64_t line_steps_ = 0;  ///< s_b − s_a of kToFrame

  FeedSummary counts_;
};

}  // namespace prospero
