#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "prospero/client/array.h"
#include "prospero/v1/simulation_service.pb.h"

namespace prospero::client {

struct Connection;

/// Values for one input variable: one row, which holds for all steps of the frame, or one row
/// for each step. Numbers of the other format than the network's are converted. It borrows.
struct Input {
  Input(absl::string_view port_name, absl::Span<const float> row_values)
      : port(port_name), values(row_values) {}
  Input(absl::string_view port_name, absl::Span<const double> row_values)
      : port(port_name), values(row_values) {}

  /// A variable ("output.beta"), or a population: an input population stands for its rates, an
  /// output population for its target.
  absl::string_view port;
  std::variant<absl::Span<const float>, absl::Span<const double>> values;
};

/// How the steps of one frame are taken.
struct FrameOptions {
  absl::optional<int64_t> at_step = {};  ///< refuse unless the network stands at this step
  int64_t output_every = 1;  ///< return every n-th step [steps], the last one among them
};

/// The answer to one frame.
struct Advanced {
  uint64_t tag = 0;                 ///< of the frame: what Send returned
  Cursor cursor;                    ///< after the last step
  int64_t steps = 0;                ///< taken
  std::vector<Array> outputs;       ///< in the order of Drive::outputs(); a row per returned step
  absl::optional<double> loss;      ///< mean over the steps that had a target; none: no step had
  absl::Duration queued;            ///< between arrival and the first step
  absl::Duration stepping;          ///< spent in the steps
  std::vector<v1::Notice> notices;  ///< that came before this answer

  /// The output of that name ("hidden.u", or "output" for "output.r"); null: none.
  const Array* Find(absl::string_view name) const { return client::Find(outputs, name); }
};

constexpr absl::Duration kDefaultHeartbeat = absl::Seconds(2);

/// What to drive.
struct AttachOptions {
  /// Input variables or populations to write. Empty: all.
  std::vector<std::string> inputs = {};
  /// Variables to return, by name or glob. Empty: the rates of the output populations.
  std::vector<std::string> outputs = {};
  /// Take the lease from a present driver.
  bool preempt = false;
  /// Silence after which the server takes the lease back. A thread of the client gives signs of
  /// life, also while the caller computes or waits: what is noticed is a process that was killed
  /// or stopped, and a line that is cut. None: kDefaultHeartbeat with the clocks FREE and REALTIME,
  /// and never with LOCKSTEP, where a network stands still without its driver. Zero: never.
  absl::optional<absl::Duration> heartbeat = {};
  /// Frames that may be unanswered before Send waits for an answer.
  int max_in_flight = 64;
};

/// The closed loop: an open Drive stream, which holds the driver lease of its network.
///
/// Advance is one round trip. Send and Receive are its halves, for training at full speed: the
/// frames in flight hide the latency. Answers come in the order of the frames, one for each.
///
/// A refused frame is an error of Receive (or Advance) that leaves open() true: nothing changed,
/// and the stream goes on. After an error that ends the stream open() is false, and every call
/// returns that error.
///
/// Movable. One thread at a time; only Cancel may be called from any thread. The destructor
/// cancels what is in flight and gives the lease back.
class Drive {
 public:
  Drive(Drive&&) noexcept;
  Drive& operator=(Drive&&) noexcept;
  ~Drive();

  /// Where the network stood after the last answer.
  Cursor cursor() const;
  double dt_ms() const;  ///< [ms]
  /// The variables that may be written, and those that are returned.
  const std::vector<std::shared_ptr<const v1::VariableSchema>>& inputs() const;
  const std::vector<std::shared_ptr<const v1::VariableSchema>>& outputs() const;
  /// The greatest `steps` of a frame.
  int64_t max_steps() const;
  /// False when the stream has ended.
  bool open() const;

  /// Sends a frame and waits for its answer. FAILED_PRECONDITION while other frames are in
  /// flight; NOT_FOUND for a port that was not attached; otherwise the server's errors, such as
  /// INVALID_ARGUMENT for a wrong number of values.
  absl::StatusOr<Advanced> Advance(absl::Span<const Input> inputs, int64_t steps = 1,
                                   const FrameOptions& options = {});
  absl::StatusOr<Advanced> Advance(std::initializer_list<Input> inputs, int64_t steps = 1,
                                   const FrameOptions& options = {});

  /// Sends a frame without waiting and returns its tag. With `max_in_flight` frames unanswered
  /// it first waits for an answer and keeps it for Receive.
  absl::StatusOr<uint64_t> Send(absl::Span<const Input> inputs, int64_t steps = 1,
                                const FrameOptions& options = {});
  absl::StatusOr<uint64_t> Send(std::initializer_list<Input> inputs, int64_t steps = 1,
                                const FrameOptions& options = {});

  /// The oldest answer not yet received; waits for it. FAILED_PRECONDITION when nothing is in
  /// flight.
  absl::StatusOr<Advanced> Receive();

  /// Frames sent whose answers were not yet received.
  int64_t in_flight() const;

  /// Lets the frames in flight finish, drops their answers and gives the lease back. The
  /// network stands free when this returns.
  absl::Status Finish();

  /// Breaks the stream off: a waiting call returns CANCELLED. Frames in flight may or may not
  /// have been taken. Any thread.
  void Cancel();

 private:
  friend class Network;
  class Stream;
  explicit Drive(std::unique_ptr<Stream> stream);
  static absl::StatusOr<Drive> Attach(std::shared_ptr<Connection> connection,
                                      const std::string& network, const AttachOptions& options);

  std::unique_ptr<Stream> stream_;
};

}  // namespace prospero::client
