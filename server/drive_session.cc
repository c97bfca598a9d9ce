#include "server/drive_session.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "engine/core/errors.h"
#include "engine/runtime/instance.h"
#include "server/convert/drive.h"
#include "server/convert/field.h"
#include "server/convert/network.h"
#include "server/convert/subscription.h"
#include "server/convert/variable.h"
#include "server/network_calls.h"
#include "server/reactor.h"
#include "server/stage_latency.h"

namespace prospero::server {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr size_t kSlots = 4;  ///< requests in flight; then reading stops
constexpr absl::Duration kShortestWait = absl::Milliseconds(1);
constexpr size_t kMaxNotices = 64;  ///< kept for a client that does not read

absl::Status Protocol(absl::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, "BAD_SEQUENCE", message);
}

/// A request on its way: read, run, written.
struct Slot {
  enum class State : uint8_t { kFree, kRunning, kDone };
  State state = State::kFree;
  uint64_t tag = 0;
  bool report_latency = false;
  SteadyClock::duration decoding = {};
  DriveJob job;
  v1::DriveResponse response;
};

/// One driver.
///
/// The slots are a ring: requests take the one behind the last, answers leave from the first.
/// A slot is its request's until done() has filled the answer, then under mu_. The job's done()
/// and the driver's events come from a strand, or from inside Submit or Detach; where a frame is
/// acknowledged only when it is on disk, the answer is filled in on the committer's thread.
///
/// The lease is given back before the stream ends, so that a client who has seen the end can
/// attach again at once. Only a reaction may do that, or an alarm: it waits for the strand.
class DriveSession final : public BidiStream<v1::DriveRequest, v1::DriveResponse> {
 public:
  DriveSession(Host* host, grpc::CallbackServerContext* context)
      : BidiStream(context, CallLog(host, LogLevel::kInfo, "Drive", *context)), host_(*host) {
    for (Slot& slot : slots_) {
      slot.job.done = [this, &slot](DriveJob&) { OnJobDone(&slot); };
    }
    MutexLock lock(mu_);
    Read();
  }

 private:
  // Reactions.
  void WhenSettled(const v1::DriveRequest& request, std::function<void()> then) override {
    request.has_attach() ? host_.AwaitNetwork(request.attach().network(), std::move(then)) : then();
  }
  void OnRequest(v1::DriveRequest* request) override ABSL_LOCKS_EXCLUDED(mu_);
  void OnHalfClose() override ABSL_LOCKS_EXCLUDED(mu_);
  void OnWritten() override ABSL_LOCKS_EXCLUDED(mu_) { Settle(); }
  const v1::DriveResponse* Next(bool* more) override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Leave() override ABSL_LOCKS_EXCLUDED(mu_);

  absl::Status Attach(const v1::DriveAttach& attach) ABSL_LOCKS_EXCLUDED(mu_);
  void Welcome(std::shared_ptr<Driver> driver) ABSL_LOCKS_EXCLUDED(mu_);
  void Advance(v1::DriveAdvance* advance, SteadyClock::time_point arrived) ABSL_LOCKS_EXCLUDED(mu_);
  /// Takes the times of an answer that is ready, and tells all so far if it is asked to.
  void CountLatency(Slot* slot, SteadyClock::duration encoding) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // From the engine.
  void OnJobDone(Slot* slot) ABSL_LOCKS_EXCLUDED(mu_);
  /// Once what the job did may be told.
  void Answer(Slot* slot) ABSL_LOCKS_EXCLUDED(mu_);
  void OnEvent(const Event& event) ABSL_LOCKS_EXCLUDED(mu_);
  void OnNetworkEnd(const absl::Status& why) ABSL_LOCKS_EXCLUDED(mu_);

  /// No more requests are taken; the stream ends with `status` when all are answered.
  void Conclude(absl::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// Ends the stream if it is concluded and nothing is left to do. Not from the engine.
  void Settle() ABSL_LOCKS_EXCLUDED(mu_);
  bool Idle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return used_ == 0 && notices_.empty() && !writing();
  }
  void ReadOn() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (!conclusion_.has_value() && used_ < kSlots) Read();
  }
  Slot& SlotAt(size_t position) { return slots_[position % kSlots]; }

  void WatchHeart() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void CheckHeart() ABSL_LOCKS_EXCLUDED(mu_);
  /// It is not the client we wait for: so many requests wait that no heartbeat is read behind them;
  /// or, of a client that has sent none yet, one is at work or on its way to the disk, and does not
  /// only wait for its step.
  bool Busy() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Host& host_;

  // Set while attaching, constant afterwards.
  std::shared_ptr<Record> record_;
  Ports ports_;
  absl::Duration heartbeat_ = absl::ZeroDuration();

  std::shared_ptr<Driver> driver_ ABSL_GUARDED_BY(mu_);
  bool attached_ ABSL_GUARDED_BY(mu_) = false;
  bool welcomed_ ABSL_GUARDED_BY(mu_) = false;  ///< `attached` has been written
  v1::DriveResponse welcome_ ABSL_GUARDED_BY(mu_);

  std::array<Slot, kSlots> slots_;
  std::atomic<int> keeping_ = 0;  ///< slots whose jobs are done and on their way to the disk
  size_t first_ ABSL_GUARDED_BY(mu_) = 0;  ///< to be answered next
  size_t used_ ABSL_GUARDED_BY(mu_) = 0;
  Slot* answering_ ABSL_GUARDED_BY(mu_) = nullptr;         ///< whose answer is being written
  SteadyClock::time_point answered_ ABSL_GUARDED_BY(mu_);  ///< when that was handed to gRPC
  DriveLatency latency_ ABSL_GUARDED_BY(mu_);

  std::deque<v1::Notice> notices_ ABSL_GUARDED_BY(mu_);
  v1::DriveResponse notice_ ABSL_GUARDED_BY(mu_);

  absl::optional<absl::Status> conclusion_ ABSL_GUARDED_BY(mu_);
  bool settling_ ABSL_GUARDED_BY(mu_) = false;
  /// When the last request came or was done, whichever is later.
  SteadyClock::time_point last_sign_ ABSL_GUARDED_BY(mu_);
  bool has_heart_ ABSL_GUARDED_BY(mu_) = false;  ///< the client has sent a heartbeat
  std::unique_ptr<grpc::Alarm> heart_ ABSL_GUARDED_BY(mu_);
};

void DriveSession::OnRequest(v1::DriveRequest* request) {
  const auto arrived = SteadyClock::now();
  bool attached = false;
  {
    MutexLock lock(mu_);
    if (conclusion_.has_value()) return;
    attached = attached_;
    last_sign_ = arrived;
  }
  absl::Status status;
  if (!attached && request->has_attach()) {
    status = Attach(request->attach());
  } else if (attached && request->has_advance()) {
    Advance(request->mutable_advance(), arrived);
  } else if (attached && request->has_heartbeat()) {
    MutexLock lock(mu_);
    has_heart_ = true;
  } else if (request->has_attach()) {
    status = Protocol("attach must come once, as the first message");
  } else if (request->has_advance() || request->has_heartbeat()) {
    status = Protocol("attach must come first");
  } else {
    status = Protocol(attached ? "every message but the first must be an advance or a heartbeat"
                               : "the first message must be an attach");
  }
  {
    MutexLock lock(mu_);
    if (!status.ok()) Conclude(std::move(status));
  }
  Settle();
}

absl::Status DriveSession::Attach(const v1::DriveAttach& attach) {
  {
    MutexLock lock(mu_);
    log().set_network(attach.network());
  }
  if (absl::Status open = host_.CheckOpen(); !open.ok()) return open;
  absl::StatusOr<std::shared_ptr<Record>> record =
      FindNetwork(host_, attach.network(), "attach.network");
  if (!record.ok()) return record.status();
  absl::StatusOr<Ports> ports = ResolvePorts(attach, (*record)->instance().variables());
  if (!ports.ok()) return UnderField(ports.status(), "attach");
  const absl::StatusOr<absl::Duration> heartbeat =
      NonNegative(attach.heartbeat(), "attach.heartbeat");
  if (!heartbeat.ok()) return heartbeat.status();

  record_ = *std::move(record);
  ports_ = *std::move(ports);
  heartbeat_ = *heartbeat;
  DriverOptions options;
  options.inputs = ports_.inputs;
  options.preempt = attach.preempt();
  options.on_event = [this](const Event& event) { OnEvent(event); };
  options.on_end = [this](const absl::Status& why) { OnNetworkEnd(why); };
  absl::StatusOr<std::shared_ptr<Driver>> driver = record_->instance().Attach(std::move(options));
  if (!driver.ok()) return driver.status();
  record_->Use();
  Welcome(*std::move(driver));
  return absl::OkStatus();
}

void DriveSession::Welcome(std::shared_ptr<Driver> driver) {
  const Instance& instance = record_->instance();
  const VariableTable& table = instance.variables();
  bool gone = false;
  {
    MutexLock lock(mu_);
    driver_ = std::move(driver);
    attached_ = true;
    gone = broken();
    v1::DriveAttached* attached = welcome_.mutable_attached();
    *attached->mutable_cursor() = ToProto(instance.status().cursor);
    attached->set_dt_ms(instance.options().dt);
    for (const int index : ports_.inputs) *attached->add_inputs() = ToProto(table[index], index);
    for (const int index : ports_.outputs) *attached->add_outputs() = ToProto(table[index], index);
    attached->set_max_steps_per_advance(host_.limits.max_steps_per_advance);
    WatchHeart();
    Pump();
  }
  if (gone) Leave();
}

void DriveSession::Advance(v1::DriveAdvance* advance, SteadyClock::time_point arrived) {
  std::shared_ptr<Driver> driver;
  Slot* slot = nullptr;
  {
    MutexLock lock(mu_);
    driver = driver_;
    slot = &SlotAt(first_ + used_++);
    slot->state = Slot::State::kRunning;
    slot->tag = advance->tag();
    slot->report_latency = advance->report_latency();
  }
  DriveJob& job = slot->job;
  job.steps_done = 0;
  job.status = driver == nullptr
                   ? absl::CancelledError("the lease was given back")
                   : FillJob(advance, ports_, record_->instance().variables(), host_.limits, &job);
  slot->decoding = SteadyClock::now() - arrived;
  if (job.status.ok()) return driver->Submit(&job);
  job.cursor = record_->instance().status().cursor;
  OnJobDone(slot);
}

void DriveSession::OnJobDone(Slot* slot) {
  const bool changed = slot->job.status.ok() || slot->job.steps_done > 0;
  if (!changed) return Answer(slot);
  ++keeping_;
  Hold();
  record_->keeper().AwaitFrame([this, slot](const absl::Status& kept) {
    if (!kept.ok()) slot->job.status = kept;
    --keeping_;
    Answer(slot);
    Release();
  });
}

void DriveSession::Answer(Slot* slot) {
  const auto begin = SteadyClock::now();
  if (!slot->job.status.ok()) slot->job.status = UnderField(slot->job.status, "advance");
  FillResponse(slot->tag, &slot->job, &slot->response);
  const auto end = SteadyClock::now();
  MutexLock lock(mu_);
  if (slot->response.has_advanced()) CountLatency(slot, end - begin);
  slot->state = Slot::State::kDone;
  last_sign_ = end;
  Pump();
}

void DriveSession::CountLatency(Slot* slot, SteadyClock::duration encoding) {
  latency_.decode.Count(slot->decoding);
  latency_.queue.Count(std::chrono::nanoseconds(slot->job.queued_ns));
  latency_.step.Count(std::chrono::nanoseconds(slot->job.stepping_ns));
  latency_.encode.Count(encoding);
  v1::DriveAdvanced* const advanced = slot->response.mutable_advanced();
  advanced->clear_latency();
  if (slot->report_latency) *advanced->mutable_latency() = latency_.ToProto();
}

void DriveSession::OnEvent(const Event& event) {
  MutexLock lock(mu_);
  if (notices_.size() == kMaxNotices) notices_.pop_front();
  notices_.push_back(ToProto(event));
  if (event.kind == Event::Kind::kLeaseLost) {
    Conclude(Error(absl::StatusCode::kAborted, "LEASE_LOST", "another driver took the lease"));
    Linger();
  } else if (event.kind == Event::Kind::kDraining) {
    Conclude(server::Draining());
  }
  Pump();
}

void DriveSession::OnNetworkEnd(const absl::Status& why) {
  MutexLock lock(mu_);
  Conclude(why);
  Linger();
  if (Idle()) End(*conclusion_);
  Pump();
}

const v1::DriveResponse* DriveSession::Next(bool* more) {
  if (answering_ != nullptr) {
    latency_.write.Count(SteadyClock::now() - answered_);
    answering_->state = Slot::State::kFree;
    answering_ = nullptr;
    ++first_;
    --used_;
    ReadOn();
  }
  if (!attached_) return nullptr;
  if (!welcomed_) {
    welcomed_ = true;
    return &welcome_;
  }
  if (!notices_.empty()) {
    *notice_.mutable_notice() = std::move(notices_.front());
    notices_.pop_front();
    return &notice_;
  }
  if (used_ == 0 || SlotAt(first_).state != Slot::State::kDone) return nullptr;
  answering_ = &SlotAt(first_);
  answered_ = SteadyClock::now();
  *more = used_ > 1 && SlotAt(first_ + 1).state == Slot::State::kDone;
  return &answering_->response;
}

void DriveSession::OnHalfClose() {
  {
    MutexLock lock(mu_);
    Conclude(absl::OkStatus());
  }
  Settle();
}

void DriveSession::Conclude(absl::Status status) {
  if (!conclusion_.has_value()) conclusion_ = std::move(status);
}

void DriveSession::Settle() {
  std::shared_ptr<Driver> driver;
  std::string why;
  {
    MutexLock lock(mu_);
    if (!conclusion_.has_value() || settling_ || !Idle()) return;
    settling_ = true;
    driver = std::move(driver_);
    why = !conclusion_->ok() ? std::string(conclusion_->message())
          : cancelled()      ? "its client has vanished"
                             : "it gave the lease back";
  }
  if (driver != nullptr) driver->Detach(why);
  MutexLock lock(mu_);
  End(*conclusion_);
  Pump();
}

void DriveSession::Leave() {
  std::shared_ptr<Driver> driver;
  std::unique_ptr<grpc::Alarm> heart;
  {
    MutexLock lock(mu_);
    driver = std::move(driver_);
    heart = std::move(heart_);
  }
  if (driver != nullptr) driver->Detach("its client has vanished");
}

void DriveSession::WatchHeart() {
  if (heartbeat_ == absl::ZeroDuration() || conclusion_.has_value() || broken()) return;
  const absl::Duration silence = absl::FromChrono(SteadyClock::now() - last_sign_);
  const absl::Duration left = Busy() ? heartbeat_ : std::max(heartbeat_ - silence, kShortestWait);
  heart_ = MakeAlarm(left, [this] { CheckHeart(); });
}

void DriveSession::CheckHeart() {
  std::shared_ptr<Driver> driver;
  {
    MutexLock lock(mu_);
    if (conclusion_.has_value() || done()) return;
    if (Busy() || absl::FromChrono(SteadyClock::now() - last_sign_) < heartbeat_) {
      return WatchHeart();
    }
    Conclude(Error(
        absl::StatusCode::kDeadlineExceeded, "HEARTBEAT_MISSED",
        absl::StrCat("no request and no heartbeat came for ", absl::FormatDuration(heartbeat_))));
    driver = std::move(driver_);
  }
  if (driver != nullptr) {
    driver->Detach(absl::StrCat("no heartbeat came for ", absl::FormatDuration(heartbeat_)));
  }
  MutexLock lock(mu_);
  End(*conclusion_);
  Pump();
}

bool DriveSession::Busy() const {
  if (used_ == 0 || slots_[first_ % kSlots].state != Slot::State::kRunning) return false;
  if (used_ == kSlots) return true;
  return !has_heart_ && (keeping_ > 0 || (driver_ != nullptr && driver_->at_work()));
}

}  // namespace

grpc::ServerBidiReactor<v1::DriveRequest, v1::DriveResponse>* MakeDriveSession(
    Host* host, grpc::CallbackServerContext* context) {
  return new DriveSession(host, context);
}

}  // namespace prospero::server
