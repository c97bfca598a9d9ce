#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "engine/runtime/cursor.h"
#include "engine/runtime/samples.h"

namespace prospero {

enum class Aggregation : uint8_t { kLast, kMean, kMinMax };

/// Part of a variable, flattened row-major.
struct Slice {
  int64_t start = 0;
  int64_t count = 0;  ///< 0: to the end
  int64_t stride = 1;
  friend bool operator==(const Slice&, const Slice&) = default;
};

/// Some variables, with a common rhythm.
struct Selection {
  std::vector<int> variables = {};  ///< indices in the network's table
  int64_t every_steps = 1;          ///< a sample when cursor.step is divisible by it
  double max_rate_hz = 0.0;         ///< and at most this many per second of wall time; 0: no bound
  Aggregation aggregation = Aggregation::kLast;
  absl::optional<Slice> slice = {};
  /// Of the samples so found, only the first of each epoch and those with a value that lies
  /// farther than this from the last sample that was not left out.
  absl::optional<double> on_change = {};
  friend bool operator==(const Selection&, const Selection&) = default;
};

/// What an observer wants. Those with equal selections share a recording.
struct ObserverSpec {
  enum class Start : uint8_t {
    kNow,       ///< the next sample that is taken
    kSnapshot,  ///< the present values of each selection, then the next sample
    kBehind,    ///< the first sample behind `behind`
  };
  enum class Delivery : uint8_t {
    kLatest,    ///< the oldest samples give way, and a gap tells it
    kReliable,  ///< every sample that is retained; then the observer ends
  };
  std::vector<Selection> selections = {};
  Start start = Start::kNow;
  Place behind = {};
  Delivery delivery = Delivery::kLatest;
  int64_t capacity = 1024;  ///< kLatest: samples kept for a slow reader, of those retained
  int64_t retained_bytes = int64_t{16} << 20;  ///< the largest of those that share counts
};

/// Samples that will not come.
struct Gap {
  enum class Reason : uint8_t {
    kSlowReader,
    kEvicted,  ///< not retained when the observer came: `first` is what it asked for
  };
  Cursor first;
  Cursor last;
  int64_t count = 0;  ///< 0: not known
  Reason reason = Reason::kSlowReader;
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
    kStorageDegraded,
    kStorageRestored,
  };
  Kind kind;
  Cursor cursor;
  std::string message;
  std::string variable = {};  ///< the input's name, where there is one
};

/// What an observer finds waiting: a gap, if there is one, lies before the samples.
struct Observed {
  /// How the observation began. Comes once, first.
  struct Opened {
    Cursor cursor;                  ///< where the network stood
    absl::optional<Cursor> oldest;  ///< every later sample is retained; empty: begun now
  };
  struct Told {
    Event event;
    size_t after = 0;  ///< how many of the samples below came before it
  };
  absl::optional<Opened> opened;
  absl::optional<Gap> gap;
  Samples samples;
  std::vector<Told> events;
  /// With this, every sample up to here was taken or told by a gap. Empty: not even those that
  /// the observation starts with.
  absl::optional<Cursor> progress;
  /// Not OK: nothing more will come.
  absl::Status end;
};

/// One reader of a recording, which copies values after steps and never touches the network. A
/// reader costs the network next to nothing, however slow. Made by Instance::Observe. All methods
/// are thread-safe.
class Observer {
 public:
  virtual ~Observer() = default;

  /// Hands out at most `max_samples` of what is waiting, and beyond the first no more than fit in
  /// `max_bytes`. Returns false when nothing is; then `on_ready` is called, once, when something
  /// has come: an event, the end, or, if max_samples > 0, a sample. `out` is cleared before, but
  /// its progress and end hold in any case. Events come whatever max_samples is.
  virtual bool Take(int64_t max_samples, int64_t max_bytes, Observed* out) = 0;
  bool Take(int64_t max_samples, Observed* out) { return Take(max_samples, INT64_MAX, out); }

  /// Not OK once it has ended: the network was deleted (kAborted) or the server shuts down
  /// (kUnavailable), and what is waiting can still be taken; or what it wants next is no longer
  /// retained (kOutOfRange: CURSOR_EVICTED, metadata oldest_epoch and oldest_step; kReliable only)
  /// or has never been (kOutOfRange: CURSOR_AHEAD).
  virtual absl::Status end() const = 0;

  /// Stops observing. A barrier: `on_ready` does not run after it has returned. Must not
  /// be called from `on_ready`.
  virtual void Cancel() = 0;
};

}  // namespace prospero
