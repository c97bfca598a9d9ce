#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace prospero::server {

/// A blob to be read. Thread-safe.
class BlobReader {
 public:
  virtual ~BlobReader() = default;
  virtual int64_t size() const = 0;
  /// Up to `count` bytes from `offset` on into `to`: fewer only at the end. kUnavailable
  /// (DISK_ERROR).
  virtual absl::StatusOr<int64_t> Read(int64_t offset, int64_t count, char* to) const = 0;
};

/// Files that are written once, under keys like "3f2a.../c-41.safetensors" (parts of letters,
/// digits, '-', '_' and '.'). Thread-safe. Errors as Store::Commit; kNotFound (BLOB_NOT_FOUND).
class Blobs {
 public:
  using Sink = std::function<absl::Status(absl::string_view bytes)>;

  virtual ~Blobs() = default;

  /// Writes what `produce` gives to its sink. All of it is on disk under its key when this returns
  /// OK, and nothing of it is there otherwise, whatever happens in between.
  virtual absl::Status Write(absl::string_view key,
                             const std::function<absl::Status(const Sink&)>& produce) = 0;
  virtual absl::StatusOr<std::unique_ptr<BlobReader>> Open(absl::string_view key) const = 0;
  /// The same bytes under another key; both stay when one is removed.
  virtual absl::Status Link(absl::string_view from, absl::string_view to) = 0;
  /// Nothing when there is none.
  virtual absl::Status Remove(absl::string_view key) = 0;
  /// Keys that begin with `prefix`, in order.
  virtual absl::StatusOr<std::vector<std::string>> List(absl::string_view prefix) const = 0;

  // An upload grows piece by piece and becomes a blob in the end. It outlives the server.

  /// Writes at `offset`, which must not lie beyond what is there; what was behind it is gone.
  virtual absl::Status WriteUpload(absl::string_view upload, int64_t offset,
                                   absl::string_view bytes) = 0;
  /// kNotFound (UPLOAD_NOT_FOUND).
  virtual absl::StatusOr<int64_t> UploadSize(absl::string_view upload) const = 0;
  virtual absl::StatusOr<std::unique_ptr<BlobReader>> OpenUpload(
      absl::string_view upload) const = 0;
  virtual absl::Status FinishUpload(absl::string_view upload, absl::string_view key) = 0;
  virtual absl::Status DropUpload(absl::string_view upload) = 0;
  /// Those that nobody has written to for `seconds` go.
  virtual absl::Status DropUploadsOlderThan(int64_t seconds) = 0;
};

}  // namespace prospero::server
