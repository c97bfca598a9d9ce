#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/network.h"
#include "engine/runtime/clock.h"
#include "engine/runtime/clock_spec.h"
#include "engine/runtime/cursor.h"
#include "engine/runtime/drive.h"
#include "engine/runtime/feed.h"
#include "engine/runtime/journal.h"
#include "engine/runtime/observer.h"
#include "engine/runtime/recording_options.h"
#include "engine/runtime/safety.h"
#include "engine/runtime/snapshot.h"

namespace prospero {

class Admission;
class Scheduler;

enum class RunState : uint8_t { kRunning, kPaused, kFailed };

/// What can be told about an instance without waiting for it.
struct InstanceStatus {
  RunState state = RunState::kPaused;
  ClockSpec clock;
  Cursor cursor;
  bool learning = true;  ///< what is wished; while unsafe plasticity may be frozen all the same
  bool driven = false;
  bool unsafe = false;   ///< its safety is in force
  absl::Status failure;  ///< kFailed only: reason DIVERGED, metadata `step` and `variable`
  int64_t observers = 0;
  int64_t step_cost_ns = -1;  ///< -1: not known yet
  int64_t recordings = 0;     ///< those retained for observers who left, too
};

/// New values for one variable, packed; or one value for all of it.
struct Assignment {
  int variable = 0;
  std::string values;
};

/// The right to drive a network; at most one at a time. Made by Instance::Attach, given
/// back by Detach or by dropping it. Thread-safe.
class Driver {
 public:
  virtual ~Driver() = default;

  /// Hands a job over. Jobs run in the order they came. A bad job (shapes, values that are not
  /// finite, limits) is finished with its error and changes nothing. A job that is small on an idle
  /// network is done here and now, on this thread: so done() may run inside Submit, and the caller
  /// must hold no lock that done() takes. Once the lease is over, jobs are refused inside Submit.
  virtual void Submit(DriveJob* job) = 0;

  /// Jobs submitted and not yet done.
  virtual int64_t in_flight() const = 0;

  /// A job is running, or could: it is not one that waits for its step.
  virtual bool at_work() const = 0;

  /// Gives the lease back. Jobs that have not begun are finished with kCancelled; a running one is
  /// broken off between two steps. A barrier: after it no done() and no on_event runs. Must not be
  /// called from either. Observers are told `why`, what the first call says.
  virtual void Detach(absl::string_view why) = 0;
  void Detach() { Detach("it gave the lease back"); }
};

struct DriverOptions {
  /// Input variables it may write; a job that writes others is refused.
  std::vector<int> inputs = {};
  bool preempt = false;
  /// Observers are not told that it comes and goes: it is there for one job only.
  bool passing = false;
  /// Called for events (started, paused, epoch changed, draining, lease lost). After kLeaseLost and
  /// after the network ended every further job is refused. Must not block.
  std::function<void(const Event&)> on_event = {};
  /// The network has ended (deleted, draining): no job will run any more. Must not block.
  std::function<void(const absl::Status&)> on_end = {};
};

/// The actor around one network: it owns it, advances it, and is the only one to touch it.
/// All methods are thread-safe and return without waiting for the network; orders run on
/// its strand, between two steps, and then call `done`, once, on some worker or on the calling
/// thread.
///
/// For an instance let S(k) be its k-th slice: at most 256 steps or 1 ms, whichever ends
/// first. S(k) happens before S(k+1), and never two run at once. An order posted before
/// S(k) began is seen by S(k) or an earlier one. Inside a slice nothing is locked per step.
class Instance : public std::enable_shared_from_this<Instance> {
 public:
  struct Options {
    double dt = 0.1;  ///< [ms]
    uint64_t seed = 0;
    /// Has been checked. kLockstep starts running, the others paused. kRealtime is not asked of
    /// the admission here: what may be refused is made with another clock and gets it by SetClock.
    ClockSpec clock = {};
    int64_t max_pending_orders = 1024;
    int64_t max_steps_per_job = 1'000'000;
    int64_t max_job_bytes = int64_t{64} << 20;  ///< of the results of one job
    int64_t max_observers = 256;
    int64_t max_feed_bytes = int64_t{64} << 20;  ///< of the frames one feed keeps
    RecordingOptions recording = {};
    const Clock* time = &Clock::Real();          ///< the scheduler's
    Admission* admission = nullptr;              ///< of REALTIME clocks; null: all are let in
    std::shared_ptr<Journal> journal = nullptr;  ///< null: nothing is written down
  };
  template <class T>
  using Done = std::function<void(absl::StatusOr<T>)>;

  /// The scheduler must outlive the instance, and holds it until End.
  static std::shared_ptr<Instance> Make(std::unique_ptr<Network> network, Scheduler* scheduler,
                                        Options options);

  /// As Make, with the network brought back from `origin`; it takes as long as the steps since the
  /// base. What goes wrong after some good pieces (a piece or a snapshot that cannot be had, does
  /// not fit, or makes no sense) ends the replay there and is said in `loss`, kDataLoss, reason
  /// DATA_LOSS: then the network stands where the good ones left it. A network that had failed when
  /// the last piece came, or whose base had, has failed again. Errors: of CheckFits for the
  /// base; kCancelled when it was broken off.
  static absl::StatusOr<std::shared_ptr<Instance>> Recover(std::unique_ptr<Network> network,
                                                           Scheduler* scheduler, Options options,
                                                           const Origin& origin,
                                                           absl::Status* loss);
  virtual ~Instance() = default;

  /// Names, shapes and types may be read by any thread at any time, values only on the strand.
  virtual const VariableTable& variables() const = 0;
  virtual const Options& options() const = 0;
  virtual InstanceStatus status() const = 0;

  // Orders. kResourceExhausted (MAILBOX_FULL) at once when too many are waiting.
  // The cursor says from which step on the order holds.
  virtual void Start(Done<Cursor> done) = 0;  ///< kFailedPrecondition when failed
  /// kFailedPrecondition when failed. A running job is broken off.
  virtual void Pause(Done<Cursor> done) = 0;
  /// Running or paused, it stays so. The grid of a REALTIME clock begins anew. No change when it is
  /// so already. The error of ClockSpec::Check; kResourceExhausted (REALTIME_OVERLOAD), and no
  /// change, when the admission refuses it. A network whose steps' cost is not known is rehearsed
  /// for that (rehearsal.h): it takes some 20 ms and as much memory as its arrays, and changes
  /// nothing; kFailedPrecondition when it has failed.
  virtual void SetClock(const ClockSpec& clock, Done<Cursor> done) = 0;
  /// What SetClock would say.
  virtual void TryClock(const ClockSpec& clock, Done<Cursor> done) = 0;
  virtual void SetLearning(bool learning, Done<Cursor> done) = 0;
  /// All or nothing. Sizes and values are checked before, roles too: inputs, parameters and
  /// weights can be assigned. kInvalidArgument has the variable's name as its field.
  virtual void Assign(std::vector<Assignment> assignments, Done<Cursor> done) = 0;
  /// The epoch grows. A failed network goes on (running or paused as its clock starts)
  /// when its state and weights were reset.
  virtual void Reset(ResetScopes scopes, bool step, absl::optional<uint64_t> seed,
                     Done<Cursor> done) = 0;
  /// Memory for it is set aside here, before the order: the strand only copies. What happened
  /// before is in the journal when `done` is called, on the strand.
  virtual void TakeSnapshot(Done<std::shared_ptr<const Snapshot>> done) = 0;
  /// The epoch grows; a failed network goes on. The error of CheckFits (snapshot.h), and no
  /// change, when it does not fit or holds values that are not allowed. The journal knows the
  /// snapshot by `key`.
  virtual void RestoreSnapshot(std::shared_ptr<const Snapshot> snapshot, std::string key,
                               Done<Cursor> done) = 0;

  /// From here on changes are written to another journal, or to none (null). What happened before
  /// is in the old one.
  virtual void SetJournal(std::shared_ptr<Journal> journal, Done<Cursor> done) = 0;
  /// Not OK: what the network does cannot be kept at present. Jobs and Assign, SetLearning, Reset
  /// and RestoreSnapshot are refused with `status`, which observers and the driver are told; with
  /// `stand_still` the network makes no step by itself either. OK: all is as before. For it the
  /// mailbox is never full.
  virtual void SetStorage(absl::Status status, bool stand_still) = 0;

  /// How the network stops when what comes from outside stops; an empty spec: it does not. Counting
  /// begins now. kInvalidArgument as CheckSafety.
  virtual void SetSafety(SafetySpec spec, Done<Cursor> done) = 0;

  /// A feed of one input. kInvalidArgument ("input", "max_pending"); kFailedPrecondition
  /// (CLOCK_MISMATCH in LOCKSTEP, INPUT_FED when there is a feed and !preempt); kResourceExhausted
  /// (LIMIT_EXCEEDED) when the frames to be kept may take more than max_feed_bytes. The feed ends
  /// when the clock becomes LOCKSTEP; with EPOCH_CHANGED when the network is reset or restored and
  /// frames with steps have come; when the network ends.
  virtual absl::StatusOr<std::shared_ptr<Feed>> OpenFeed(FeedOptions options) = 0;

  /// kFailedPrecondition (LEASE_HELD) when there is a driver and !preempt.
  virtual absl::StatusOr<std::shared_ptr<Driver>> Attach(DriverOptions options) = 0;

  /// `on_ready` is called, on the strand or as RecordingOptions.defer says, when there is something
  /// after a Take that found nothing, or before the first one. It must not block.
  /// kResourceExhausted (LIMIT_EXCEEDED) beyond max_observers, or as RecordingOptions.memory says;
  /// kInvalidArgument names the field.
  virtual absl::StatusOr<std::shared_ptr<Observer>> Observe(ObserverSpec spec,
                                                            std::function<void()> on_ready) = 0;
  /// Lets go, soon, of recordings that have had no reader for RecordingOptions.retention. To be
  /// called now and then: a network that does nothing does not look at the time.
  virtual void DropExpired() = 0;

  /// Ends the network: drivers, observers and waiting orders get `why`. A barrier: after it no
  /// slice runs. Must not be called from a callback of this instance.
  virtual void End(absl::Status why) = 0;
  /// Tells drivers and observers that the server shuts down; no new driver is let in.
  virtual void Drain() = 0;
};

}  // namespace prospero
