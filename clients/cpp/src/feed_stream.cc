#include "feed_stream.h"

#include <algorithm>
#include <utility>

namespace prospero::client {

Feed::Stream::Stream(std::shared_ptr<Connection> connection,
                     std::shared_ptr<const v1::VariableSchema> variable, size_t capacity)
    : connection_(std::move(connection)),
      variable_(std::move(variable)),
      capacity_(std::max<size_t>(capacity, 1)) {}

Feed::Stream::~Stream() {
  context_.TryCancel();
  {
    const std::lock_guard<std::mutex> lock(mu_);
    closing_ = true;
    frames_.clear();
  }
  filled_.notify_one();
  if (writer_.joinable()) writer_.join();
}

void Feed::Stream::Open(const v1::FeedOpen& open) {
  stream_ = connection_->simulations->Feed(&context_, &response_);
  v1::FeedRequest request;
  *request.mutable_open() = open;
  stream_->Write(request);  // when this fails the stream has ended, and the writer says why
  stream_->WaitForInitialMetadata();
  writer_ = std::thread([this] { Write(); });
}

absl::Status Feed::Stream::Push(v1::FeedFrame frame) {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (ended_ && !status_.ok()) return status_;
    if (ended_ || closing_) return absl::FailedPreconditionError("the feed was closed");
    if (frames_.size() == capacity_) {
      frames_.pop_front();
      ++dropped_;
    }
    frames_.push_back(std::move(frame));
  }
  filled_.notify_one();
  return absl::OkStatus();
}

absl::StatusOr<FeedSummary> Feed::Stream::Close() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    closing_ = true;
  }
  filled_.notify_one();
  if (writer_.joinable()) writer_.join();
  const std::lock_guard<std::mutex> lock(mu_);
  if (!status_.ok()) return status_;
  return FeedSummary{response_, dropped_};
}

int64_t Feed::Stream::dropped() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return dropped_;
}

void Feed::Stream::Write() {
  v1::FeedRequest request;
  while (Next(&request) && stream_->Write(request)) {
  }
  stream_->WritesDone();
  const absl::Status status = ToStatus(stream_->Finish());
  const std::lock_guard<std::mutex> lock(mu_);
  ended_ = true;
  status_ = status;
}

bool Feed::Stream::Next(v1::FeedRequest* request) {
  std::unique_lock<std::mutex> lock(mu_);
  filled_.wait(lock, [this] { return closing_ || !frames_.empty(); });
  if (frames_.empty()) return false;
  *request->mutable_frame() = std::move(frames_.front());
  frames_.pop_front();
  return true;
}

}  // namespace prospero::client
