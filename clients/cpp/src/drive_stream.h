#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "blocks.h"
#include "connection.h"
#include "heart.h"
#include "prospero/client/drive.h"

namespace prospero::client {

/// The stream behind a Drive. Reads happen only inside calls; the heart's thread only writes,
/// and not while somebody else does. Since at most `max_in_flight` answers are ever left unread,
/// both directions always drain and a sender cannot block for ever against a server that waits to
/// be read.
class Drive::Stream {
 public:
  Stream(std::shared_ptr<Connection> connection, int max_in_flight);
  ~Stream();

  absl::Status Attach(const std::string& network, const AttachOptions& options);
  absl::StatusOr<uint64_t> Send(absl::Span<const Input> inputs, int64_t steps,
                                const FrameOptions& options);
  absl::StatusOr<Advanced> Receive();
  absl::Status Finish();
  void Cancel() { context_.TryCancel(); }

  Cursor cursor() const { return cursor_; }
  double dt_ms() const { return attached_.dt_ms(); }
  int64_t max_steps() const { return attached_.max_steps_per_advance(); }
  const Schemas& inputs() const { return inputs_; }
  const Schemas& outputs() const { return outputs_; }
  bool open() const { return status_.ok(); }
  int64_t in_flight() const { return unanswered_ + static_cast<int64_t>(answers_.size()); }

 private:
  /// Reads up to the next answer and keeps it. False when the stream has ended.
  bool ReadAnswer();
  absl::StatusOr<Advanced> ToAdvanced(v1::DriveAdvanced& message);
  /// Reads what is left, and takes the stream's end as the status of all later calls.
  void End();
  /// Writes one message. False when the stream has ended.
  bool Write(const v1::DriveRequest& request);
  /// A sign of life, unless one is on its way already. On the heart's thread.
  void Beat();

  std::shared_ptr<Connection> connection_;
  const int max_in_flight_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::DriveRequest, v1::DriveResponse>> stream_;
  std::mutex writing_;            ///< held while a message is written
  std::unique_ptr<Heart> heart_;  ///< null: no heartbeats; stopped before the last write
  absl::Status status_;           ///< not OK: the stream has ended, and this is why

  v1::DriveAttached attached_;
  Schemas inputs_;
  Schemas outputs_;
  Cursor cursor_;

  v1::DriveRequest request_;  ///< kept, so that its memory is used again
  uint64_t next_tag_ = 1;
  int64_t unanswered_ = 0;
  std::deque<absl::StatusOr<Advanced>> answers_;
  std::vector<v1::Notice> notices_;
};

}  // namespace prospero::client
