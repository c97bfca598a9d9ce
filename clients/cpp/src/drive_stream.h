#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "blocks.h"
#include "connection.h"
#include "prospero/client/drive.h"

namespace prospero::client {

/// The stream behind a Drive. Reads happen only inside calls: there is no thread. Since at most
/// `max_in_flight` answers are ever left unread, both directions always drain and a sender
/// cannot block for ever against a server that waits to be read.
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
  /// Null when no attached variable has that name.
  const v1::VariableSchema* FindPort(absl::string_view port) const;
  /// Reads up to the next answer and keeps it. False when the stream has ended.
  bool ReadAnswer();
  absl::StatusOr<Advanced> ToAdvanced(v1::DriveAdvanced& message);
  /// Reads what is left, and takes the stream's end as the status of all later calls.
  void End();

  std::shared_ptr<Connection> connection_;
  const int max_in_flight_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::DriveRequest, v1::DriveResponse>> stream_;
  absl::Status status_;  ///< not OK: the stream has ended, and this is why

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
