#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace prospero::server {

/// What the disk said about `what` ("write /data/LOCK"): kResourceExhausted (DISK_FULL) for ENOSPC
/// and EDQUOT, else kUnavailable (DISK_ERROR).
absl::Status DiskError(absl::string_view what, int error);

/// An open file, or none (-1).
class File {
 public:
  explicit File(int descriptor = -1) : descriptor_(descriptor) {}
  File(File&& other) noexcept : descriptor_(other.Release()) {}
  File& operator=(File&& other) noexcept;
  ~File();

  /// open(2), close-on-exec, mode 0600. DiskError; kNotFound (FILE_NOT_FOUND) for ENOENT.
  static absl::StatusOr<File> Open(const std::string& path, int flags);

  int descriptor() const { return descriptor_; }
  int Release();

 private:
  int descriptor_;
};

// Each is done whole or gives DiskError; `path` is for its message.

absl::Status WriteAll(const File& file, int64_t offset, absl::string_view bytes,
                      absl::string_view path);
/// The bytes read: fewer than `count` only at the end of the file.
absl::StatusOr<int64_t> ReadUpTo(const File& file, int64_t offset, int64_t count, char* to,
                                 absl::string_view path);
absl::StatusOr<int64_t> SizeOfFile(const File& file, absl::string_view path);
absl::Status Sync(const File& file, absl::string_view path);
/// Names that were made, changed or removed in it are on disk.
absl::Status SyncDirectory(const std::string& path);
/// All of a file of at most `max_bytes`. kNotFound; kOutOfRange when it is longer.
absl::StatusOr<std::string> ReadFile(const std::string& path, int64_t max_bytes);
/// Makes a directory (0700) and its missing parents, all of them on disk.
absl::Status MakeDirectories(const std::string& path);
absl::Status RenameFile(const std::string& from, const std::string& to);
/// Nothing when there is none.
absl::Status RemoveFile(const std::string& path);
bool Exists(const std::string& path);

}  // namespace prospero::server
