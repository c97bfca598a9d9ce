#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "engine/core/mutex.h"
#include "server/call_log.h"
#include "server/convert/status.h"

namespace prospero::server {

/// A stream of requests with one answer. As WriteStream in reactor.h it owns the rules: one read in
/// flight, Finish once and no Start* after it, the object goes when gRPC is done with it. All state
/// is under mu_, which may be held when a mutex of the engine is taken, never the other way round.
template <class Request>
class ReadStream : public grpc::ServerReadReactor<Request> {
 public:
  void OnReadDone(bool ok) final ABSL_LOCKS_EXCLUDED(mu_) {
    if (!ok) return OnHalfClose();
    Hold();
    WhenSettled(request_, [this] {
      Take();
      Release();
    });
  }

  void OnCancel() final ABSL_LOCKS_EXCLUDED(mu_) {
    Leave();
    MutexLock lock(mu_);
    End(absl::CancelledError("the client has left"));
  }

  void OnDone() final ABSL_LOCKS_EXCLUDED(mu_) {
    Leave();
    {
      MutexLock lock(mu_);
      log_.Finish(end_);
    }
    Release();
  }

 protected:
  explicit ReadStream(CallLog log) : log_(std::move(log)) {}

  /// Calls `then` when the request can be taken, now or later on any thread that may wait: the
  /// network that it names may still be brought back.
  virtual void WhenSettled(const Request& /*request*/, std::function<void()> then)
      ABSL_LOCKS_EXCLUDED(mu_) {
    then();
  }

  // One at a time, without mu_, on a thread that may wait.
  virtual void OnRequest(Request* request) ABSL_LOCKS_EXCLUDED(mu_) = 0;
  /// No request comes any more, perhaps because the client has left.
  virtual void OnHalfClose() ABSL_LOCKS_EXCLUDED(mu_) = 0;
  /// Cuts all ties with the engine, so that it calls back no more. Called without mu_ when the
  /// client has left and when the call is over; perhaps twice. May wait.
  virtual void Leave() ABSL_LOCKS_EXCLUDED(mu_) = 0;

  /// Calls Read if another request can be taken. Comes after each OnRequest.
  virtual void ReadOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { Read(); }

  void Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (!ended_) this->StartRead(&request_);
  }

  /// The stream ends with `status`, and with the answer that was filled in if that is OK; only the
  /// first counts.
  void End(absl::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (ended_) return;
    ended_ = true;
    end_ = std::move(status);
    this->Finish(ToGrpc(end_));
  }

  /// The object lives until it is released as often.
  void Hold() { holds_.fetch_add(1); }
  void Release() {
    if (holds_.fetch_sub(1) == 1) delete this;
  }

  CallLog& log() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return log_; }
  bool ended() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return ended_; }

  Mutex mu_;

 private:
  void Take() ABSL_LOCKS_EXCLUDED(mu_) {
    {
      MutexLock lock(mu_);
      if (ended_) return;
    }
    OnRequest(&request_);
    MutexLock lock(mu_);
    ReadOn();
  }
  CallLog log_ ABSL_GUARDED_BY(mu_);
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mu_);
  Request request_;  ///< gRPC's while it reads
  std::atomic<int> holds_ = 1;
};

}  // namespace prospero::server
