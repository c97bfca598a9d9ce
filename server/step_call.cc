#include "server/step_call.h"

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "engine/core/mutex.h"
#include "engine/runtime/instance.h"
#include "server/call_log.h"
#include "server/convert/drive.h"
#include "server/convert/status.h"
#include "server/network_calls.h"

namespace prospero::server {
namespace {

/// Holds the lease of a network for one job. Steps of one network take turns.
///
/// The job is done inside Submit, on a strand, or inside Detach when the client leaves. The
/// lease must be given back by somebody who is not inside done(): by the thread that
/// submitted, if it is still there, else by an errand.
class StepCall final : public grpc::ServerUnaryReactor {
 public:
  StepCall(Host* host, grpc::CallbackServerContext* context, v1::StepResponse* response)
      : host_(*host), log_(host, LogLevel::kDebug, "Step", *context), response_(response) {}

  void Start(const v1::StepRequest& request) {
    log_.set_network(request.network());
    host_.AwaitNetwork(request.network(), [this, &request] { Begin(request); });
  }

  void Begin(const v1::StepRequest& request) {
    absl::Status status = Prepare(request);
    if (!status.ok()) return Answer(status);
    status = record_->steps().Enter([this](Turns::Turn turn) { Run(std::move(turn)); });
    if (!status.ok()) Answer(status);
  }

  void OnCancel() override ABSL_LOCKS_EXCLUDED(mu_) {
    std::shared_ptr<Driver> driver;
    {
      MutexLock lock(mu_);
      cancelled_ = true;
      driver = driver_;
    }
    if (driver != nullptr) driver->Detach();
  }

  void OnDone() override { delete this; }

 private:
  enum class Stage : uint8_t { kSubmitting, kLeft, kDone };

  absl::Status Prepare(const v1::StepRequest& request) {
    if (absl::Status open = host_.CheckOpen(); !open.ok()) return open;
    absl::StatusOr<std::shared_ptr<Record>> record =
        FindNetwork(host_, request.network(), "network");
    if (!record.ok()) return record.status();
    record_ = *std::move(record);
    job_.done = [this](DriveJob&) {
      if (stage_.exchange(Stage::kDone) == Stage::kLeft) host_.errands.Post([this] { Conclude(); });
    };
    return FillJob(request, record_->instance().variables(), host_.limits, &job_);
  }

  void Run(Turns::Turn turn) ABSL_LOCKS_EXCLUDED(mu_) {
    turn_ = std::move(turn);
    DriverOptions options;
    options.passing = true;
    for (const InputBlock& input : job_.inputs) options.inputs.push_back(input.variable);
    absl::StatusOr<std::shared_ptr<Driver>> driver = record_->instance().Attach(std::move(options));
    if (!driver.ok()) return Answer(driver.status());
    record_->Use();
    {
      MutexLock lock(mu_);
      driver_ = *driver;
      if (cancelled_) job_.status = absl::CancelledError("the client has left");
    }
    if (!job_.status.ok()) return Conclude();
    (*driver)->Submit(&job_);
    // If the job is not done yet, `this` may go at any moment from here on.
    if (stage_.exchange(Stage::kLeft) == Stage::kDone) Conclude();
  }

  /// After the job, outside of done().
  void Conclude() ABSL_LOCKS_EXCLUDED(mu_) {
    std::shared_ptr<Driver> driver;
    {
      MutexLock lock(mu_);
      driver = std::move(driver_);
    }
    driver->Detach();
    driver.reset();
    turn_.reset();
    if (!job_.status.ok() && job_.steps_done == 0) return Answer(job_.status);
    record_->keeper().AwaitFrame([this](const absl::Status& kept) { Tell(kept); });
  }

  /// Once what the job did may be told.
  void Tell(const absl::Status& kept) {
    if (!kept.ok()) return Answer(kept);
    if (job_.status.ok()) FillResponse(record_->instance().variables(), &job_, response_);
    Answer(job_.status);
  }

  void Answer(const absl::Status& status) {
    log_.Finish(status);
    turn_.reset();
    Finish(ToGrpc(status));
  }

  Host& host_;
  CallLog log_;
  v1::StepResponse* const response_;
  std::shared_ptr<Record> record_;
  DriveJob job_;
  Turns::Turn turn_;
  std::atomic<Stage> stage_ = Stage::kSubmitting;

  Mutex mu_;
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
  std::shared_ptr<Driver> driver_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

grpc::ServerUnaryReactor* MakeStepCall(Host* host, grpc::CallbackServerContext* context,
                                       const v1::StepRequest& request, v1::StepResponse* response) {
  auto* const call = new StepCall(host, context, response);
  call->Start(request);
  return call;
}

}  // namespace prospero::server
