#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "server/store/files.h"

namespace prospero::server {

/// How far the database had come, kept beside it: what the database has lost from its end cannot be
/// seen in the database. It is written after each commit without waiting for the disk, so it is
/// exact as long as the machine was not restarted, and afterwards a lower bound.
class DirectoryMark {
 public:
  struct Value {
    int64_t commit = 0;  ///< this one and all before it were on disk
    bool exact = false;  ///< the machine has not been restarted since
  };
  /// None when there is no file, or a damaged one.
  static absl::optional<Value> Read(const std::string& path);

  /// Makes the file if it is not there.
  static absl::StatusOr<DirectoryMark> Open(const std::string& path);
  /// For one thread at a time. What goes wrong is left: an old mark is true as well.
  void Write(int64_t commit) const;
  /// On disk. May be called beside Write.
  absl::Status Sync() const;

 private:
  DirectoryMark(File file, std::string path, std::string boot)
      : file_(std::move(file)), path_(std::move(path)), boot_(std::move(boot)) {}
  File file_;
  std::string path_;
  std::string boot_;
};

}  // namespace prospero::server
