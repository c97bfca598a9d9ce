#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "engine/runtime/cursor.h"

namespace prospero {

enum class Aggregation : uint8_t { kLast, kMean, kMinMax };

/// Part of a variable, flattened row-major.
struct Slice {
  int64_t start = 0;
  int64_t count = 0;  ///< 0: to the end
  int64_t stride = 1;
};

/// Some variables, with a common rhythm.
struct Selection {
  std::vector<int> variables = {};  ///< indices in the network's table
  int64_t every_steps = 1;          ///< a sample when cursor.step is divisible by it
  double max_rate_hz = 0.0;         ///< and at most this many per second of wall time; 0: no bound
  Aggregation aggregation = Aggregation::kLast;
  absl::optional<Slice> slice = {};
};

/// What an observer wants.
struct ObserverSpec {
  std::vector<Selection> selections = {};
  bool start_with_snapshot = false;  ///< the present values of each selection come first
  int64_t capacity = 1024;           ///< samples kept for a slow reader, then the oldest go
};

/// One sample of one selection.
struct ObservedSample {
  uint32_t selection = 0;
  Cursor cursor;
  std::vector<std::string> values;  ///< one for each variable, packed
};

/// Samples that were dropped for a reader too slow.
struct Gap {
  Cursor first;
  Cursor last;
  int64_t count = 0;
};

/// Something that happened to the network and that drivers and observers are told.
struct Event {
  enum class Kind : uint8_t {
    kStarted,
    kPaused,
    kEpochChanged,
    kLeaseLost,
    kDraining,
    kInputSilent,
    kInputReturned,
    kLearningFrozen,
    kLearningResumed,
    kDriverCame,
    kDriverLeft,
    kDriverMissing,
    kClockChanged,
    kOverrun,
  };
  Kind kind;
  Cursor cursor;
  std::string message;
  std::string variable = {};  ///< the input's name, where there is one
};

/// What an observer finds waiting, in order of time: a gap, if there is one, lies before
/// the samples.
struct Observed {
  absl::optional<Gap> gap;
  std::vector<ObservedSample> samples;
  std::vector<Event> events;
  Cursor cursor;  ///< where the network stands
};

/// One reader's window on a network. It copies values after steps and never touches the
/// network. Made by Instance::Observe. All methods are thread-safe.
class Observer {
 public:
  virtual ~Observer() = default;

  /// Moves at most `max_samples` of what is waiting to `out` (which is cleared). Returns false when
  /// nothing is.
  virtual bool Take(int64_t max_samples, Observed* out) = 0;

  /// Not OK once the network has ended (deleted: kAborted; diverged: kAborted, reason
  /// DIVERGED is an event of the network and ends no observer; draining: kUnavailable). What is
  /// waiting can still be taken.
  virtual absl::Status end() const = 0;

  /// Stops observing. A barrier: `on_ready` does not run after it has returned. Must not
  /// be called from `on_ready`.
  virtual void Cancel() = 0;
};

}  // namespace prospero
