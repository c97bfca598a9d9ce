#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/store/files.h"

namespace prospero::server {

/// A directory that belongs to one server as long as this lives: of two that open it, the second is
/// refused, and a server that is killed leaves nothing behind that stands in the way.
class DataDirectory {
 public:
  /// Makes it (0700) and its parents when they are missing. kFailedPrecondition:
  /// DATA_DIR_IN_USE, naming the process that has it; DATA_DIR_UNUSABLE when it is no directory or
  /// cannot be written to.
  static absl::StatusOr<DataDirectory> Open(const std::string& path);
  /// In $TMPDIR, or /tmp. It is removed, with all that is in it, when this goes.
  static absl::StatusOr<DataDirectory> MakeTemporary();

  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&&) = delete;
  ~DataDirectory();

  /// Absolute.
  const std::string& path() const { return path_; }
  std::string Path(absl::string_view name) const;

 private:
  DataDirectory(std::string path, bool temporary) : path_(std::move(path)), temporary_(temporary) {}
  absl::Status Lock();

  std::string path_;
  bool temporary_;
  File lock_;
};

}  // namespace prospero::server
