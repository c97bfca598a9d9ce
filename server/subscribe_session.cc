#include "server/subscribe_session.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/core/errors.h"
#include "server/reactor.h"
#include "server/subscription_feed.h"

namespace prospero::server {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int64_t kBoundless = std::numeric_limits<int64_t>::max();
constexpr absl::Duration kShortestWait = absl::Milliseconds(1);

/// What Subscribe and Watch share: the writing of one feed to one stream.
///
/// Messages are bytes, put together of samples that all readers share. The recording calls, on an
/// errand, only those who have read all before, so one who does not read costs it nothing, and here
/// at most one message waits.
template <class Stream>
class FeedSession : public Stream {
 protected:
  FeedSession(Host* host, grpc::CallbackServerContext* context, absl::string_view method,
              int64_t credit)
      : Stream(context, CallLog(host, LogLevel::kInfo, method, *context)),
        host_(*host),
        credit_(credit) {}

  absl::Status Open(const v1::Subscription& subscription) ABSL_LOCKS_EXCLUDED(this->mu_) {
    if (absl::Status open = host_.CheckOpen(); !open.ok()) return open;
    MutexLock lock(this->mu_);
    this->log().set_network(subscription.network());
    absl::Status status = feed_.Open(host_, subscription, "subscription", [this] { OnReady(); });
    last_write_ = SteadyClock::now();
    if (status.ok()) WatchHeart();
    return status;
  }

  void AddCredit(int64_t credit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(this->mu_) {
    credit_ = credit > kBoundless - credit_ ? kBoundless : credit_ + credit;
    this->Pump();
  }

  Host& host() const { return host_; }
  int64_t credit() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(this->mu_) { return credit_; }

  const grpc::ByteBuffer* Next(bool* /*more*/) override ABSL_EXCLUSIVE_LOCKS_REQUIRED(this->mu_) {
    if (this->ending()) return nullptr;
    int64_t samples = 0;
    if (!feed_.Next(credit_, &message_, &samples)) {
      if (absl::Status end = feed_.end(); !end.ok()) this->End(std::move(end));
      const bool beats = !this->ending() && heart_beats_ && feed_.Heartbeat(&message_);
      if (!beats) return nullptr;
    }
    heart_beats_ = false;
    if (credit_ != kBoundless) credit_ -= samples;
    last_write_ = SteadyClock::now();
    return &message_;
  }

  void Leave() override ABSL_LOCKS_EXCLUDED(this->mu_) {
    std::unique_ptr<grpc::Alarm> heart;
    std::shared_ptr<Observer> observer;
    {
      MutexLock lock(this->mu_);
      heart = std::move(heart_);
      observer = feed_.observer();
    }
    if (observer != nullptr) observer->Cancel();
  }

 private:
  /// On an errand. Never after Leave, so the session lives.
  void OnReady() {
    MutexLock lock(this->mu_);
    this->Pump();
  }

  void WatchHeart() ABSL_EXCLUSIVE_LOCKS_REQUIRED(this->mu_) {
    if (feed_.heartbeat() == absl::ZeroDuration() || this->ending() || this->broken()) return;
    const absl::Duration since = absl::FromChrono(SteadyClock::now() - last_write_);
    heart_ = this->MakeAlarm(std::max(feed_.heartbeat() - since, kShortestWait), [this] {
      MutexLock lock(this->mu_);
      if (this->done()) return;
      if (absl::FromChrono(SteadyClock::now() - last_write_) >= feed_.heartbeat()) {
        heart_beats_ = true;
        last_write_ = SteadyClock::now();
        this->Pump();
      }
      WatchHeart();
    });
  }

  Host& host_;
  SubscriptionFeed feed_ ABSL_GUARDED_BY(this->mu_);
  int64_t credit_ ABSL_GUARDED_BY(this->mu_);
  bool heart_beats_ ABSL_GUARDED_BY(this->mu_) = false;
  SteadyClock::time_point last_write_ ABSL_GUARDED_BY(this->mu_);
  std::unique_ptr<grpc::Alarm> heart_ ABSL_GUARDED_BY(this->mu_);
  grpc::ByteBuffer message_ ABSL_GUARDED_BY(this->mu_);  ///< gRPC's while it is written
};

template <class Message>
absl::Status Parse(const grpc::ByteBuffer& bytes, Message* message) {
  grpc::ByteBuffer copy(bytes);  // of the references; parsing takes them
  if (grpc::SerializationTraits<Message>::Deserialize(&copy, message).ok()) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "MALFORMED_MESSAGE",
               absl::StrCat("the bytes are no ", Message::descriptor()->full_name()));
}

class SubscribeSession final : public FeedSession<BidiStream<grpc::ByteBuffer, grpc::ByteBuffer>> {
 public:
  SubscribeSession(Host* host, grpc::CallbackServerContext* context)
      : FeedSession(host, context, "Subscribe", /*credit=*/0) {
    MutexLock lock(mu_);
    Read();
  }

 private:
  void WhenSettled(const grpc::ByteBuffer& bytes, std::function<void()> then) override {
    v1::SubscribeRequest request;
    if (opened_ || !Parse(bytes, &request).ok()) return then();
    host().AwaitNetwork(request.subscription().network(), std::move(then));
  }
  void OnRequest(grpc::ByteBuffer* bytes) override ABSL_LOCKS_EXCLUDED(mu_) {
    v1::SubscribeRequest request;
    absl::Status status = Parse(*bytes, &request);
    if (status.ok()) status = Take(request);
    MutexLock lock(mu_);
    if (!status.ok()) End(std::move(status));
    Pump();
  }
  void ReadOn() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { Read(); }

  absl::Status Take(const v1::SubscribeRequest& request) ABSL_LOCKS_EXCLUDED(mu_) {
    const bool first = !std::exchange(opened_, true);
    if (first != request.has_subscription()) {
      return Error(absl::StatusCode::kInvalidArgument, "BAD_SEQUENCE",
                   first ? "the first message must be a subscription"
                         : "subscription must come once, as the first message");
    }
    if (first) return Open(request.subscription());
    if (request.credit() <= 0) {
      return InvalidField("credit", absl::StrCat("must be > 0, got ", request.credit()));
    }
    MutexLock lock(mu_);
    AddCredit(request.credit());
    return absl::OkStatus();
  }

  void OnHalfClose() override ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    if (credit() == 0) End(absl::OkStatus());
    Pump();
  }

  void OnWritten() override ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    if (!half_closed() || credit() > 0 || writing()) return;
    End(absl::OkStatus());
    Pump();
  }

  bool opened_ = false;  ///< of the reading thread
};

class WatchSession final
    : public FeedSession<
          WriteStream<grpc::ServerWriteReactor<grpc::ByteBuffer>, grpc::ByteBuffer>> {
 public:
  WatchSession(Host* host, grpc::CallbackServerContext* context, const grpc::ByteBuffer& bytes)
      : FeedSession(host, context, "Watch", kBoundless) {
    v1::WatchRequest request;
    if (absl::Status status = Parse(bytes, &request); !status.ok()) {
      Refuse(status);
      return;
    }
    Hold();
    host->AwaitNetwork(request.subscription().network(), [this, request] {
      const absl::Status status =
          cancelled() ? absl::CancelledError() : Open(request.subscription());
      if (!status.ok()) Refuse(status);
      Release();
    });
  }

 private:
  void Refuse(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    End(status);
    Pump();
  }
};

}  // namespace

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* MakeSubscribeSession(
    Host* host, grpc::CallbackServerContext* context) {
  return new SubscribeSession(host, context);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* MakeWatchSession(Host* host,
                                                             grpc::CallbackServerContext* context,
                                                             const grpc::ByteBuffer& request) {
  return new WatchSession(host, context, request);
}

}  // namespace prospero::server
