#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "connection.h"
#include "prospero/client/feed.h"

namespace prospero::client {

/// The stream behind a Feed. One thread, writer_, owns the gRPC stream once it is open; any
/// thread may push, and mu_ guards what they share.
class Feed::Stream {
 public:
  Stream(std::shared_ptr<Connection> connection, std::shared_ptr<const v1::VariableSchema> variable,
         size_t capacity);
  ~Stream();

  /// Waits for the server to open the feed, or to refuse it.
  void Open(const v1::FeedOpen& open);
  absl::Status Push(v1::FeedFrame frame);
  absl::StatusOr<FeedSummary> Close();

  const v1::VariableSchema& variable() const { return *variable_; }
  int64_t dropped() const;

 private:
  /// Sends frames until the feed is closed or has ended.
  void Write();
  /// Waits for a frame. False when no more will come.
  bool Next(v1::FeedRequest* request);

  const std::shared_ptr<Connection> connection_;
  const std::shared_ptr<const v1::VariableSchema> variable_;
  const size_t capacity_;
  grpc::ClientContext context_;
  v1::FeedResponse response_;  ///< gRPC's until the stream has ended
  std::unique_ptr<grpc::ClientWriter<v1::FeedRequest>> stream_;
  std::thread writer_;

  mutable std::mutex mu_;
  std::condition_variable filled_;
  std::deque<v1::FeedFrame> frames_;
  int64_t dropped_ = 0;
  bool closing_ = false;  ///< no frame will come any more
  bool ended_ = false;    ///< status_ is the stream's
  absl::Status status_;
};

}  // namespace prospero::client
