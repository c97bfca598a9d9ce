#include "server/feed_session.h"

#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "engine/core/errors.h"
#include "engine/runtime/instance.h"
#include "server/convert/feed.h"
#include "server/convert/field.h"
#include "server/network_calls.h"
#include "server/read_stream.h"

namespace prospero::server {
namespace {

absl::Status Protocol(absl::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, "BAD_SEQUENCE", message);
}

/// One sensor. Requests come from gRPC, one at a time; the end of the feed may come from a strand
/// at any time, even before OpenFeed has returned. Only a reaction closes the feed: that may wait
/// for the strand. It is closed before the stream ends by a reaction, and ended when the strand
/// ends the stream, so that a client who has seen the end can open again at once.
class FeedSession final : public ReadStream<v1::FeedRequest> {
 public:
  FeedSession(Host* host, grpc::CallbackServerContext* context, v1::FeedResponse* response)
      : ReadStream(CallLog(host, LogLevel::kInfo, "Feed", *context)),
        host_(*host),
        response_(*response) {
    MutexLock lock(mu_);
    Read();
  }

 private:
  void WhenSettled(const v1::FeedRequest& request, std::function<void()> then) override {
    request.has_open() ? host_.AwaitNetwork(request.open().network(), std::move(then)) : then();
  }
  void OnRequest(v1::FeedRequest* request) override ABSL_LOCKS_EXCLUDED(mu_);
  void OnHalfClose() override ABSL_LOCKS_EXCLUDED(mu_);
  void Leave() override ABSL_LOCKS_EXCLUDED(mu_);

  absl::Status Open(const v1::FeedOpen& open) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Push(v1::FeedFrame* frame) ABSL_LOCKS_EXCLUDED(mu_);
  std::shared_ptr<Feed> feed() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    return feed_;
  }
  /// By a reaction: no frame is taken any more.
  void Fail(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);
  /// By the strand.
  void OnFeedEnd(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);
  /// With the numbers of the feed.
  void EndWith(const Feed& feed, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);
  /// The same, of a feed that ended well, once what its frames did is kept as the durability says.
  void EndKept(std::shared_ptr<Feed> feed) ABSL_LOCKS_EXCLUDED(mu_);

  Host& host_;
  v1::FeedResponse& response_;  ///< gRPC's once the stream has ended

  // Set while opening, constant afterwards.
  std::shared_ptr<Record> record_;
  Budget::Reservation memory_;  ///< of the frames that are kept
  absl::Duration max_age_ = absl::InfiniteDuration();

  std::shared_ptr<Feed> feed_ ABSL_GUARDED_BY(mu_);
  absl::optional<absl::Status> ended_early_ ABSL_GUARDED_BY(mu_);  ///< while feed_ was not known
};

void FeedSession::OnRequest(v1::FeedRequest* request) {
  const bool opened = feed() != nullptr;
  absl::Status status;
  if (!opened && request->has_open()) {
    status = Open(request->open());
  } else if (opened && request->has_frame()) {
    status = Push(request->mutable_frame());
  } else if (opened) {
    status = Protocol("every message but the first must be a frame");
  } else {
    status = Protocol("the first message must be an open");
  }
  if (!status.ok()) Fail(status);
}

absl::Status FeedSession::Open(const v1::FeedOpen& open) {
  {
    MutexLock lock(mu_);
    log().set_network(open.network());
  }
  if (absl::Status status = host_.CheckOpen(); !status.ok()) return status;
  absl::StatusOr<std::shared_ptr<Record>> record =
      FindNetwork(host_, open.network(), "open.network");
  if (!record.ok()) return record.status();
  record_ = *std::move(record);
  Instance& instance = record_->instance();
  const int64_t max_bytes = instance.options().max_feed_bytes;
  absl::StatusOr<FeedOptions> options = FromProto(open, instance.variables(), max_bytes);
  if (!options.ok()) return UnderField(options.status(), "open");
  if (open.has_max_age()) {
    const absl::StatusOr<absl::Duration> max_age = NonNegative(open.max_age(), "open.max_age");
    if (!max_age.ok()) return max_age.status();
    max_age_ = *max_age;
  }
  const int64_t row = instance.variables()[options->input].bytes();
  absl::StatusOr<Budget::Reservation> memory = host_.memory.Reserve(options->max_pending * row);
  if (!memory.ok()) return memory.status();
  memory_ = *std::move(memory);
  options->on_end = [this](const absl::Status& status) { OnFeedEnd(status); };
  absl::StatusOr<std::shared_ptr<Feed>> feed = instance.OpenFeed(*std::move(options));
  if (!feed.ok()) return UnderField(feed.status(), "open");
  absl::optional<absl::Status> ended_early;
  {
    MutexLock lock(mu_);
    feed_ = *feed;
    ended_early = ended_early_;
    if (!ended()) StartSendInitialMetadata();
  }
  if (ended_early.has_value()) EndWith(**feed, *ended_early);
  return absl::OkStatus();
}

absl::Status FeedSession::Push(v1::FeedFrame* wire) {
  absl::StatusOr<FeedFrame> frame = TakeFrame(wire, max_age_, absl::Now());
  if (!frame.ok()) return UnderField(frame.status(), "frame");
  absl::Status pushed = feed()->Push(*std::move(frame));
  return pushed.ok() ? pushed : UnderField(std::move(pushed), "frame");
}

void FeedSession::Fail(const absl::Status& status) {
  if (const std::shared_ptr<Feed> feed = this->feed(); feed != nullptr) {
    feed->Close();
    return EndWith(*feed, status);
  }
  MutexLock lock(mu_);
  End(status);
}

void FeedSession::OnFeedEnd(const absl::Status& status) {
  std::shared_ptr<Feed> feed;
  {
    MutexLock lock(mu_);
    feed = feed_;
    if (feed == nullptr) ended_early_ = status;
  }
  if (feed == nullptr) return;
  status.ok() ? EndKept(std::move(feed)) : EndWith(*feed, status);
}

void FeedSession::EndKept(std::shared_ptr<Feed> feed) {
  if (record_->keeper().durability() != v1::DURABILITY_SYNC) {
    return EndWith(*feed, absl::OkStatus());
  }
  Hold();
  // An order that changes nothing: when it is done, what came before it is in the journal.
  record_->instance().TryClock(
      ClockMode::kFree, [this, feed = std::move(feed)](const absl::StatusOr<Cursor>&) {
        record_->keeper().AwaitFrame([this, feed](const absl::Status& kept) {
          EndWith(*feed, kept);
          Release();
        });
      });
}

void FeedSession::EndWith(const Feed& feed, const absl::Status& status) {
  const FeedSummary summary = feed.summary();
  const Cursor cursor = record_->instance().status().cursor;
  MutexLock lock(mu_);
  if (ended()) return;
  if (status.ok()) response_ = ToProto(summary, cursor);
  End(status.ok() ? status : WithSummary(status, summary));
}

void FeedSession::OnHalfClose() {
  if (const std::shared_ptr<Feed> feed = this->feed(); feed != nullptr) return feed->Finish();
  MutexLock lock(mu_);
  End(Protocol("the first message must be an open"));
}

void FeedSession::Leave() {
  if (const std::shared_ptr<Feed> feed = this->feed(); feed != nullptr) feed->Close();
}

}  // namespace

grpc::ServerReadReactor<v1::FeedRequest>* MakeFeedSession(Host* host,
                                                          grpc::CallbackServerContext* context,
                                                          v1::FeedResponse* response) {
  return new FeedSession(host, context, response);
}

}  // namespace prospero::server
