#include "server/store/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"

namespace prospero::server {

absl::Status DiskError(absl::string_view what, int error) {
  const std::string message = absl::StrCat("cannot ", what, ": ", std::strerror(error));
  if (error == ENOSPC || error == EDQUOT) {
    return Error(absl::StatusCode::kResourceExhausted, "DISK_FULL", message);
  }
  return Error(absl::StatusCode::kUnavailable, "DISK_ERROR", message);
}

File& File::operator=(File&& other) noexcept {
  if (this == &other) return *this;
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = other.Release();
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) close(descriptor_);
}

int File::Release() { return std::exchange(descriptor_, -1); }

absl::StatusOr<File> File::Open(const std::string& path, int flags) {
  File file(open(path.c_str(), flags | O_CLOEXEC, 0600));
  if (file.descriptor_ >= 0) return file;
  if (errno == ENOENT) {
    return Error(absl::StatusCode::kNotFound, "FILE_NOT_FOUND", absl::StrCat("no file ", path));
  }
  return DiskError(absl::StrCat("open ", path), errno);
}

absl::Status WriteAll(const File& file, int64_t offset, absl::string_view bytes,
                      absl::string_view path) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(file.descriptor(), bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return DiskError(absl::StrCat("write ", path), errno);
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += written;
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> ReadUpTo(const File& file, int64_t offset, int64_t count, char* to,
                                 absl::string_view path) {
  int64_t done = 0;
  while (done < count) {
    const ssize_t got =
        pread(file.descriptor(), to + done, static_cast<size_t>(count - done), offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return DiskError(absl::StrCat("read ", path), errno);
    if (got == 0) break;
    done += got;
  }
  return done;
}

absl::StatusOr<int64_t> SizeOfFile(const File& file, absl::string_view path) {
  struct stat info;
  if (fstat(file.descriptor(), &info) != 0) return DiskError(absl::StrCat("look at ", path), errno);
  return info.st_size;
}

absl::Status Sync(const File& file, absl::string_view path) {
  if (fsync(file.descriptor()) != 0) return DiskError(absl::StrCat("sync ", path), errno);
  return absl::OkStatus();
}

absl::Status SyncDirectory(const std::string& path) {
  absl::StatusOr<File> directory = File::Open(path, O_RDONLY | O_DIRECTORY);
  if (!directory.ok()) return directory.status();
  return Sync(*directory, path);
}

absl::StatusOr<std::string> ReadFile(const std::string& path, int64_t max_bytes) {
  absl::StatusOr<File> file = File::Open(path, O_RDONLY);
  if (!file.ok()) return file.status();
  const absl::StatusOr<int64_t> size = SizeOfFile(*file, path);
  if (!size.ok()) return size.status();
  if (*size > max_bytes) {
    return absl::OutOfRangeError(absl::StrCat(path, " has more than ", max_bytes, " bytes"));
  }
  std::string bytes(static_cast<size_t>(*size), '\0');
  const absl::StatusOr<int64_t> got = ReadUpTo(*file, 0, *size, bytes.data(), path);
  if (!got.ok()) return got.status();
  bytes.resize(static_cast<size_t>(*got));
  return bytes;
}

absl::Status MakeDirectories(const std::string& path) {
  if (path.empty() || Exists(path)) return absl::OkStatus();
  const std::string parent = std::filesystem::path(path).parent_path().string();
  if (absl::Status status = MakeDirectories(parent); !status.ok()) return status;
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return DiskError(absl::StrCat("make the directory ", path), errno);
  }
  return SyncDirectory(parent.empty() ? "." : parent);
}

absl::Status RenameFile(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    return DiskError(absl::StrCat("rename ", from, " to ", to), errno);
  }
  return absl::OkStatus();
}

absl::Status RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return DiskError(absl::StrCat("remove ", path), errno);
  }
  return absl::OkStatus();
}

bool Exists(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0;
}

}  // namespace prospero::server
