#pragma once

#include <grpc/support/time.h>
#include <grpcpp/alarm.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/core/mutex.h"
#include "server/call_log.h"
#include "server/convert/status.h"

namespace prospero::server {

/// The write half of a stream, and its end. It owns the rules of gRPC's reactors:
///
///   - one write in flight; the message lives until it is done;
///   - Finish once, with no write in flight, and no Start* after it;
///   - the object goes when gRPC is done with it and nobody holds it.
///
/// Threads: gRPC's run the reactions; a strand of the engine, an executor and alarms come in
/// on behalf of the session. All state is under mu_, which may be held when a mutex of the
/// engine or of an executor is taken, never the other way round: their callbacks come without.
template <class GrpcReactor, class Response>
class WriteStream : public GrpcReactor {
 public:
  void OnWriteDone(bool ok) final ABSL_LOCKS_EXCLUDED(mu_) {
    {
      MutexLock lock(mu_);
      writing_ = false;
      if (!ok) broken_ = true;
      Pump();
    }
    OnWritten();
  }

  void OnCancel() final ABSL_LOCKS_EXCLUDED(mu_) {
    {
      MutexLock lock(mu_);
      broken_ = true;
    }
    Leave();
    MutexLock lock(mu_);
    End(absl::CancelledError("the client has left"));
    Pump();
  }

  void OnDone() final ABSL_LOCKS_EXCLUDED(mu_) {
    Leave();
    {
      MutexLock lock(mu_);
      done_ = true;
      goodbye_.reset();
      linger_.reset();
      log_.Finish(broken_ && end_.ok() ? absl::CancelledError("") : end_);
    }
    Release();
  }

 protected:
  WriteStream(grpc::CallbackServerContext* context, CallLog log)
      : context_(context), log_(std::move(log)) {}

  /// What to write now; null when there is nothing. It must live until OnWriteDone. Sets
  /// `more` when another message is ready behind it. May call End.
  virtual const Response* Next(bool* more) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) = 0;

  /// Cuts all ties with the engine, so that it calls back no more. Called without mu_ when the
  /// client has left and when the call is over; perhaps twice. May wait.
  virtual void Leave() ABSL_LOCKS_EXCLUDED(mu_) = 0;

  /// After a write, on a gRPC thread, without mu_.
  virtual void OnWritten() ABSL_LOCKS_EXCLUDED(mu_) {}

  /// Writes what is there, or finishes when the end has come. To be called after each change.
  void Pump() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (writing_ || finished_) return;
    bool more = false;
    const Response* const message = broken_ ? nullptr : Next(&more);
    if (message != nullptr) {
      writing_ = true;
      written_ = true;
      grpc::WriteOptions options;
      if (more) options.set_buffer_hint();
      this->StartWrite(message, options);
    } else if (ending_ && !MustWait()) {
      finished_ = true;
      this->Finish(ToGrpc(end_));
    }
  }

  /// The stream ends with `status` once Next has nothing more; only the first counts. A
  /// client that then does not read is cut off after a while.
  void End(absl::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (ending_) return;
    ending_ = true;
    end_ = std::move(status);
    Linger();
  }

  /// Cuts the client off after a while, whatever it is waiting for.
  void Linger() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (linger_ != nullptr || done_) return;
    linger_ = MakeAlarm(kLinger, [this] {
      MutexLock lock(mu_);
      if (!done_) context_->TryCancel();
    });
  }

  /// Runs `job` after `delay`, unless the alarm goes before. The session lives so long.
  std::unique_ptr<grpc::Alarm> MakeAlarm(absl::Duration delay, std::function<void()> job) {
    Hold();
    auto alarm = std::make_unique<grpc::Alarm>();
    alarm->Set(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                            gpr_time_from_millis(absl::ToInt64Milliseconds(delay), GPR_TIMESPAN)),
               [this, job = std::move(job)](bool fired) {
                 if (fired) job();
                 Release();
               });
    return alarm;
  }

  void Hold() { holds_.fetch_add(1); }
  void Release() {
    if (holds_.fetch_sub(1) == 1) delete this;
  }

  CallLog& log() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return log_; }
  bool writing() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return writing_; }
  bool ending() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return ending_; }
  bool broken() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return broken_; }
  bool done() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return done_; }
  /// The client has left, perhaps before OnCancel says so: a stream that breaks off ends its
  /// requests first.
  bool cancelled() const { return context_->IsCancelled(); }

  Mutex mu_;

 private:
  static constexpr absl::Duration kLinger = absl::Seconds(10);
  /// Clients throw away what they have not read when an error arrives behind it.
  static constexpr absl::Duration kGoodbye = absl::Milliseconds(200);

  /// True, for a short while, when messages were written and an error would follow at once.
  bool MustWait() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (broken_ || !written_ || end_.ok() || said_goodbye_) return false;
    if (goodbye_ == nullptr) {
      goodbye_ = MakeAlarm(kGoodbye, [this] {
        MutexLock lock(mu_);
        said_goodbye_ = true;
        Pump();
      });
    }
    return true;
  }

  grpc::CallbackServerContext* const context_;
  CallLog log_ ABSL_GUARDED_BY(mu_);
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool written_ ABSL_GUARDED_BY(mu_) = false;
  bool broken_ ABSL_GUARDED_BY(mu_) = false;  ///< the client is gone
  bool ending_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mu_);
  bool said_goodbye_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  bool done_ ABSL_GUARDED_BY(mu_) = false;
  std::unique_ptr<grpc::Alarm> linger_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<grpc::Alarm> goodbye_ ABSL_GUARDED_BY(mu_);
  std::atomic<int> holds_ = 1;
};

/// Both halves. One read in flight, which the session asks for: not to read is how it holds a
/// client back.
template <class Request, class Response>
class BidiStream : public WriteStream<grpc::ServerBidiReactor<Request, Response>, Response> {
  using Base = WriteStream<grpc::ServerBidiReactor<Request, Response>, Response>;

 public:
  void OnReadDone(bool ok) final ABSL_LOCKS_EXCLUDED(this->mu_) {
    {
      MutexLock lock(this->mu_);
      if (!ok) {
        reading_ = false;
        half_closed_ = true;
      }
      if (this->ending()) return;
    }
    if (!ok) return OnHalfClose();
    this->Hold();
    WhenSettled(request_, [this] {
      Take();
      this->Release();
    });
  }

 protected:
  using Base::Base;

  /// Calls `then` when the request can be taken, now or later on any thread that may wait: the
  /// network that it names may still be brought back.
  virtual void WhenSettled(const Request& /*request*/, std::function<void()> then)
      ABSL_LOCKS_EXCLUDED(this->mu_) {
    then();
  }

  // One at a time, without mu_, on a thread that may wait; not once the end has come.
  virtual void OnRequest(Request* request) ABSL_LOCKS_EXCLUDED(this->mu_) = 0;
  virtual void OnHalfClose() ABSL_LOCKS_EXCLUDED(this->mu_) = 0;

  /// Calls Read if there is room for another request. Comes after each OnRequest.
  virtual void ReadOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(this->mu_) = 0;

  /// Asks for the next request, unless one is on its way or being taken, or none will come.
  void Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(this->mu_) {
    if (reading_ || half_closed_ || this->ending()) return;
    reading_ = true;
    this->StartRead(&request_);
  }

  bool half_closed() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(this->mu_) { return half_closed_; }

 private:
  void Take() ABSL_LOCKS_EXCLUDED(this->mu_) {
    {
      MutexLock lock(this->mu_);
      if (this->ending()) return;
    }
    // Still reading: a write that ends meanwhile must not let gRPC fill the request anew.
    OnRequest(&request_);
    MutexLock lock(this->mu_);
    reading_ = false;
    ReadOn();
  }

  bool reading_ ABSL_GUARDED_BY(this->mu_) = false;
  bool half_closed_ ABSL_GUARDED_BY(this->mu_) = false;
  Request request_;  ///< gRPC's while reading_
};

}  // namespace prospero::server
