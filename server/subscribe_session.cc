#include "server/subscribe_session.h"

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
/// The strand says that something is there; an errand writes it, so that many readers cost the
/// network little. A reader who does not read costs it nothing: the observer's queue is
/// bounded, and here at most one message waits.
template <class Stream, class Response>
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
    if (status.ok()) this->Pump();
    return status;
  }

  void AddCredit(int64_t credit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(this->mu_) {
    credit_ = credit > kBoundless - credit_ ? kBoundless : credit_ + credit;
    this->Pump();
  }

  int64_t credit() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(this->mu_) { return credit_; }

  const Response* Next(bool* /*more*/) override ABSL_EXCLUSIVE_LOCKS_REQUIRED(this->mu_) {
    if (this->ending()) return nullptr;
    v1::SubscriptionEvent* const event = response_.mutable_event();
    event->Clear();
    if (!feed_.Next(credit_, event)) {
      if (absl::Status end = feed_.end(); !end.ok()) this->End(std::move(end));
      if (this->ending() || !heart_beats_) return nullptr;
      *event = feed_.Heartbeat();
    }
    heart_beats_ = false;
    if (credit_ != kBoundless) credit_ -= event->samples().samples_size();
    event->set_sequence(++sequence_);
    last_write_ = SteadyClock::now();
    return &response_;
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
  /// On the strand.
  void OnReady() {
    if (called_.exchange(true)) return;
    this->Hold();
    host_.errands.Post([this] {
      called_ = false;
      {
        MutexLock lock(this->mu_);
        this->Pump();
      }
      this->Release();
    });
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
  std::atomic<bool> called_ = false;  ///< an errand is on its way
  SubscriptionFeed feed_ ABSL_GUARDED_BY(this->mu_);
  int64_t credit_ ABSL_GUARDED_BY(this->mu_);
  uint64_t sequence_ ABSL_GUARDED_BY(this->mu_) = 0;
  bool heart_beats_ ABSL_GUARDED_BY(this->mu_) = false;
  SteadyClock::time_point last_write_ ABSL_GUARDED_BY(this->mu_);
  std::unique_ptr<grpc::Alarm> heart_ ABSL_GUARDED_BY(this->mu_);
  Response response_ ABSL_GUARDED_BY(this->mu_);  ///< gRPC's while it is written
};

class SubscribeSession final
    : public FeedSession<BidiStream<v1::SubscribeRequest, v1::SubscribeResponse>,
                         v1::SubscribeResponse> {
 public:
  SubscribeSession(Host* host, grpc::CallbackServerContext* context)
      : FeedSession(host, context, "Subscribe", /*credit=*/0) {
    MutexLock lock(mu_);
    Read();
  }

 private:
  void OnRequest(v1::SubscribeRequest* request) override ABSL_LOCKS_EXCLUDED(mu_) {
    absl::Status status = Take(*request);
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
          WriteStream<grpc::ServerWriteReactor<v1::WatchResponse>, v1::WatchResponse>,
          v1::WatchResponse> {
 public:
  WatchSession(Host* host, grpc::CallbackServerContext* context, const v1::WatchRequest& request)
      : FeedSession(host, context, "Watch", kBoundless) {
    absl::Status status = Open(request.subscription());
    if (status.ok()) return;
    MutexLock lock(mu_);
    End(std::move(status));
    Pump();
  }
};

}  // namespace

grpc::ServerBidiReactor<v1::SubscribeRequest, v1::SubscribeResponse>* MakeSubscribeSession(
    Host* host, grpc::CallbackServerContext* context) {
  return new SubscribeSession(host, context);
}

grpc::ServerWriteReactor<v1::WatchResponse>* MakeWatchSession(Host* host,
                                                              grpc::CallbackServerContext* context,
                                                              const v1::WatchRequest& request) {
  return new WatchSession(host, context, request);
}

}  // namespace prospero::server
