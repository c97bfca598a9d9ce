#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "engine/runtime/cursor.h"

namespace prospero {

/// What an input is between two frames of its feed.
enum class Between : uint8_t {
  kHold,    ///< the last frame's values
  kLinear,  ///< on the straight line from one frame to the next
  kZero,    ///< zero, or absent if it can be: a frame holds for one step
};

/// What happens to a frame that comes after its step, or too old.
enum class Late : uint8_t { kDrop, kApply, kRefuse };

/// Values of one input at one moment.
struct FeedFrame {
  std::string values;               ///< the variable's whole value, packed
  absl::optional<int64_t> at_step;  ///< cursor.step before the step it is for; none: the next one
  bool too_old = false;             ///< late, whatever its step
};

/// What became of the frames of a feed.
struct FeedSummary {
  int64_t received = 0;
  int64_t applied = 0;  ///< took effect, late ones too
  int64_t late = 0;     ///< whatever was done with them
  int64_t invalid = 0;  ///< of a wrong size, or with values that are not allowed
  int64_t replaced =
      0;  ///< gave way to newer ones, or to a driver's, before a step could take them
  absl::optional<Cursor> first_applied = {};  ///< cursor before the step
  absl::optional<Cursor> last_applied = {};
};

struct FeedOptions {
  int input = -1;  ///< index in the network's table
  Between between = Between::kHold;
  Late late = Late::kDrop;
  /// Takes the input from a present feed, which ends with FEED_TAKEN.
  bool preempt = false;
  /// Frames with later steps that are kept, >= 1.
  int64_t max_pending = 64;
  /// The feed has ended by itself: OK after Finish, else why. Called once, perhaps on the strand.
  /// Must not block.
  std::function<void(const absl::Status&)> on_end = {};
};

/// A sensor's way into one input of a network whose clock runs by itself; made by
/// Instance::OpenFeed. Frames take effect in the order they came. Thread-safe.
class Feed {
 public:
  virtual ~Feed() = default;

  /// Leaves a frame for the network and never waits for it. A frame with a wrong size or with
  /// values that are not allowed is counted and dropped, and that is no error. Errors after which
  /// no frame is taken, and the caller should Close: kInvalidArgument ("at_step") unless steps
  /// grow from frame to frame; kResourceExhausted (LIMIT_EXCEEDED) beyond max_pending; kOutOfRange
  /// (FRAME_LATE); why the feed has ended.
  virtual absl::Status Push(FeedFrame frame) = 0;

  /// No frame comes any more: the feed ends with OK when those that came have taken effect.
  virtual void Finish() = 0;

  virtual FeedSummary summary() const = 0;

  /// Ends the feed now. The input keeps its value; a target is absent. A barrier: after it
  /// `on_end` does not run. Must not be called from `on_end`.
  virtual void Close() = 0;
};

}  // namespace prospero
