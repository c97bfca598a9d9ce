#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "prospero/client/array.h"
#include "prospero/v1/simulation_service.pb.h"

namespace prospero::client {

struct Connection;

/// Some variables, with a common rhythm.
struct Selection {
  std::vector<std::string> variables = {};  ///< names or globs: "output.r", "*.W.norm"
  int64_t every_steps = 1;                  ///< a sample every n steps [steps]
  double max_rate_hz = 0.0;                 ///< at most this many per second of wall time; 0: any
  v1::Aggregation aggregation = v1::AGGREGATION_LAST;
  int64_t slice_start = 0;   ///< of each variable, flattened row-major
  int64_t slice_count = 0;   ///< 0: to the end
  int64_t slice_stride = 1;  ///< [values]
  /// Of the samples due, only those in which some value has moved by more than this since the last
  /// one that came; 0: any change. None: all.
  absl::optional<double> on_change = {};
};

/// How samples are delivered.
struct SubscribeOptions {
  bool start_with_snapshot = false;  ///< begin with the present values, at once
  /// Begin behind this place instead, out of what is retained: Subscription::position() of a
  /// stream that was cut off.
  absl::optional<Cursor> start_behind = {};
  /// RELIABLE: every sample, as long as it is retained; a reader who falls behind that ends with
  /// OUT_OF_RANGE (CURSOR_EVICTED). LATEST: old samples give way to new ones, and a Gap tells.
  v1::Subscription::Delivery delivery = v1::Subscription::DELIVERY_LATEST;
  int64_t retained_bytes = 0;  ///< that the server keeps for later; 0: its choice
  int32_t max_pending = 0;     ///< samples the server keeps for a slow reader; 0: its choice
  absl::Duration heartbeat = absl::ZeroDuration();  ///< a sign of life after silence; 0: none
  int64_t credit_window = 1024;  ///< samples that may be on their way to this reader
};

/// Values of a selection's variables at one step.
struct Sample {
  uint32_t selection = 0;  ///< index into the selections asked for
  Cursor cursor;
  std::vector<Array> values;  ///< in the order of Subscription::variables(selection)

  /// Null: none of that name.
  const Array* Find(absl::string_view name) const { return client::Find(values, name); }
};

/// Samples that will not come: this reader was too slow, or they are no longer retained.
struct Gap {
  v1::SubscriptionEvent::Gap::Reason reason = v1::SubscriptionEvent::Gap::REASON_UNSPECIFIED;
  Cursor first;  ///< of the first sample lost
  Cursor last;   ///< of the last one
  int64_t count = 0;
};

/// Progress: every sample up to here was sent, or told by a gap.
struct Heartbeat {
  Cursor cursor;
};

using Event = std::variant<Sample, Gap, v1::Notice, Heartbeat>;

/// Watches variables of a network without disturbing it: an open Subscribe stream.
///
/// Credits are granted as samples are taken, so a reader that stops reading stops being sent
/// to; the server then drops the oldest samples and says so with a Gap.
///
/// Movable. One thread at a time; only Cancel may be called from any thread. The destructor
/// ends the stream.
class Subscription {
 public:
  Subscription(Subscription&&) noexcept;
  Subscription& operator=(Subscription&&) noexcept;
  ~Subscription();

  /// Where the network stood when the stream opened.
  Cursor cursor() const;
  double dt_ms() const;  ///< [ms]
  /// What the samples of a selection carry; shapes are after slice and aggregation.
  const std::vector<std::shared_ptr<const v1::VariableSchema>>& variables(size_t selection) const;

  /// Waits for the next event. An error is the end of the stream: ABORTED (NETWORK_DELETED),
  /// CANCELLED after Cancel, UNAVAILABLE when the server went away; it is returned again by
  /// every later call.
  absl::StatusOr<Event> Next();

  /// Waits for the next sample and passes over everything else; lost() tells what was missed.
  absl::StatusOr<Sample> NextSample();

  /// Samples lost so far, by the gaps that Next or NextSample went through.
  int64_t lost() const;

  /// All samples up to here came, or a gap has told of them: another stream can go on behind it
  /// (SubscribeOptions::start_behind). None: before the first sample of a snapshot.
  absl::optional<Cursor> position() const;

  /// Ends the stream: a waiting call returns CANCELLED. Any thread.
  void Cancel();

 private:
  friend class Network;
  class Stream;
  explicit Subscription(std::unique_ptr<Stream> stream);
  static absl::StatusOr<Subscription> Open(std::shared_ptr<Connection> connection,
                                           const std::string& network,
                                           const std::vector<Selection>& selections,
                                           const SubscribeOptions& options);

  std::unique_ptr<Stream> stream_;
};

}  // namespace prospero::client
