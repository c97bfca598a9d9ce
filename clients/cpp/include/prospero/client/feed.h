#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "prospero/v1/simulation_service.pb.h"

namespace prospero::client {

struct Connection;

/// How a sensor feeds an input.
struct FeedOptions {
  v1::FeedOpen::Between between = v1::FeedOpen::BETWEEN_HOLD;  ///< two frames
  v1::FeedOpen::Late late = v1::FeedOpen::LATE_DROP;           ///< what happens to late frames
  absl::optional<absl::Duration> max_age = {};  ///< of frames with `captured_at`; none: any
  bool preempt = false;                         ///< take the input from a present feed
  int32_t max_pending = 0;  ///< frames for later steps that the server keeps; 0 means 64
  size_t queue = 64;        ///< frames that wait here to be sent; then the oldest gives way
};

/// Where in time a frame belongs.
struct FrameStamp {
  absl::optional<int64_t> at_step = {};         ///< none: the next step
  absl::optional<absl::Time> captured_at = {};  ///< when the sensor took it
};

/// What became of the frames.
struct FeedSummary {
  v1::FeedResponse server;  ///< as the server counted
  int64_t dropped = 0;      ///< frames that gave way to newer ones before they were sent
};

/// A sensor that pushes frames into one input at its own rate; not in LOCKSTEP.
///
/// Push never waits: a thread of the feed sends. When `queue` frames wait, because the network or
/// the line is slower than the sensor, the oldest gives way and is counted.
///
/// Movable. Push may be called from any thread, Close from one, after the last Push. The destructor
/// ends the feed at once; frames that wait are lost.
class Feed {
 public:
  Feed(Feed&&) noexcept;
  Feed& operator=(Feed&&) noexcept;
  ~Feed();

  /// The input that it writes.
  const v1::VariableSchema& variable() const;

  /// Sends one frame: the variable's whole value, row-major, converted to its number format.
  /// INVALID_ARGUMENT for another number of values, and nothing is sent; otherwise what has ended
  /// the feed, such as FAILED_PRECONDITION (INPUT_FED, CLOCK_MISMATCH) or ABORTED (FEED_TAKEN),
  /// once it is known.
  absl::Status Push(absl::Span<const float> values, const FrameStamp& stamp = {});
  absl::Status Push(absl::Span<const double> values, const FrameStamp& stamp = {});

  /// Frames that gave way to newer ones so far.
  int64_t dropped() const;

  /// Lets the frames that wait go out and tells what became of all of them, or what has ended the
  /// feed before.
  absl::StatusOr<FeedSummary> Close();

 private:
  friend class Network;
  class Stream;
  explicit Feed(std::unique_ptr<Stream> stream);

  std::unique_ptr<Stream> stream_;
};

}  // namespace prospero::client
