#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/host.h"
#include "server/record.h"

namespace prospero::server {

/// kInvalidArgument, naming `path`, unless it has 1 to 128 characters.
absl::Status CheckUploadId(absl::string_view upload_id, absl::string_view path);

/// A file that a client sends, piece by piece, to become a snapshot. It outlives the server for a
/// day. What is called here waits for the disk. Used by one thread at a time.
class Upload {
 public:
  /// `upload_id` has been checked. The network must outlive it.
  Upload(Host* host, const Record* record, absl::string_view upload_id);

  /// Begins, or goes on at `offset` with what is there of a file of `size` bytes. kInvalidArgument
  /// when it cannot go on there, or has another size; kUnavailable (UPLOAD_BUSY).
  absl::Status Open(int64_t offset, int64_t size);
  /// kInvalidArgument when it goes beyond the size.
  absl::Status Append(absl::string_view bytes);

  struct Extent {
    int64_t received = 0;
    int64_t size = 0;
  };
  /// kNotFound (UPLOAD_NOT_FOUND).
  absl::StatusOr<Extent> Find() const;

  /// Checks the whole file, and that it fits the network; a file that is not good is dropped.
  /// kInvalidArgument (BAD_SNAPSHOT, or naming what is missing); kFailedPrecondition
  /// (SNAPSHOT_MISMATCH).
  absl::StatusOr<v1::Snapshot> Check() const;
  /// It becomes a blob.
  absl::Status Finish(absl::string_view blob);

 private:
  /// Drops what was received.
  absl::Status Refuse(absl::Status why) const;

  Host& host_;
  const Record& record_;
  const std::string key_;
  std::shared_ptr<void> right_;  ///< to write
  Extent extent_;
};

}  // namespace prospero::server
