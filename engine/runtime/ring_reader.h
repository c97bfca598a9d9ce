#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "engine/runtime/observer.h"
#include "engine/runtime/samples.h"

namespace prospero {

/// Where one reader stands in a SampleRing, whose mutex guards all that changes here.
struct RingReader : std::enable_shared_from_this<RingReader> {
  enum class Want : uint8_t { kNothing, kEvents, kSamples };

  RingReader(const ObserverSpec& spec, std::function<void()> ready)
      : start(spec.start),
        behind(spec.behind),
        reliable(spec.delivery == ObserverSpec::Delivery::kReliable),
        capacity(spec.capacity),
        on_ready(std::move(ready)) {}

  const ObserverSpec::Start start;
  const Place behind;
  const bool reliable;
  const int64_t capacity;
  const std::function<void()> on_ready;

  /// To be told; not empty between Join and the first Take.
  absl::optional<Observed::Opened> opened;
  bool joined = false;
  /// Samples of its own that come first, and how many of them were taken.
  std::shared_ptr<const SampleChunk> present;
  size_t present_taken = 0;
  /// Number of its next sample, and that sample's cursor; empty when it is still to be made.
  int64_t next = 0;
  absl::optional<Cursor> next_cursor;
  bool at_head = false;  ///< it stands in the ring's list of those
  /// What lay behind the place asked for was evicted.
  bool resumed_late = false;
  /// Samples before this were retained when the reader came, so its capacity does not count.
  int64_t catch_up = 0;
  int64_t next_event = 0;
  /// Of the last sample that was taken or told by a gap.
  Cursor told;
  absl::optional<Cursor> progress;
  absl::Status end;

  Want want = Want::kSamples;  ///< what it waits for
  int calling = 0;             ///< threads in on_ready
  bool cancelled = false;
};

}  // namespace prospero
