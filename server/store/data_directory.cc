#include "server/store/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/core/errors.h"

namespace prospero::server {
namespace {

constexpr absl::string_view kForHumans =
    "This directory belongs to a Prospero server: its networks and all that they learned.\n"
    "\n"
    "  prospero.db  networks, journals, lists of checkpoints and snapshots (SQLite; -wal and -shm\n"
    "               are parts of it). Its user_version is the version of the format.\n"
    "  blobs/       checkpoints and snapshots (safetensors)\n"
    "  uploads/     snapshots that are still coming in\n"
    "  MARK         how far the database had come: tells when its end is missing\n"
    "  LOCK         held by the running server\n"
    "\n"
    "Change nothing by hand. To back it up stop the server and copy all of it.\n";

absl::Status Unusable(absl::string_view path, absl::string_view why) {
  return Error(absl::StatusCode::kFailedPrecondition, "DATA_DIR_UNUSABLE",
               absl::StrCat("cannot use the data directory ", path, ": ", why));
}

}  // namespace

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, false)),
      lock_(std::move(other.lock_)) {}

DataDirectory::~DataDirectory() {
  std::error_code ignored;
  if (temporary_) std::filesystem::remove_all(path_, ignored);
}

std::string DataDirectory::Path(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

absl::StatusOr<DataDirectory> DataDirectory::Open(const std::string& path) {
  if (path.empty()) return Unusable("''", "the name is empty");
  std::error_code error;
  const std::filesystem::path given = std::filesystem::absolute(path, error);
  if (error) return Unusable(path, error.message());
  DataDirectory directory(given.lexically_normal().string(), /*temporary=*/false);
  while (directory.path_.size() > 1 && directory.path_.back() == '/') directory.path_.pop_back();
  if (absl::Status made = MakeDirectories(directory.path_); !made.ok()) {
    return Unusable(path, made.message());
  }
  if (!std::filesystem::is_directory(directory.path_, error)) {
    return Unusable(path, "it is not a directory");
  }
  if (access(directory.path_.c_str(), R_OK | W_OK | X_OK) != 0) {
    return Unusable(path, std::strerror(errno));
  }
  if (absl::Status locked = directory.Lock(); !locked.ok()) return locked;
  const std::string readme = directory.Path("README");
  const absl::StatusOr<File> file = File::Open(readme, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.ok()) return Unusable(path, file.status().message());
  // Only for humans: a full disk is told by what is needed.
  WriteAll(*file, 0, kForHumans, readme).IgnoreError();
  return directory;
}

absl::StatusOr<DataDirectory> DataDirectory::MakeTemporary() {
  const char* const parent = std::getenv("TMPDIR");
  std::string name =
      absl::StrCat(parent == nullptr || *parent == '\0' ? "/tmp" : parent, "/prospero-XXXXXX");
  if (mkdtemp(name.data()) == nullptr) return Unusable(name, std::strerror(errno));
  return DataDirectory(name, /*temporary=*/true);
}

absl::Status DataDirectory::Lock() {
  const std::string name = Path("LOCK");
  absl::StatusOr<File> file = File::Open(name, O_RDWR | O_CREAT);
  if (!file.ok()) return Unusable(path_, file.status().message());
  if (flock(file->descriptor(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Unusable(path_, std::strerror(errno));
    const absl::StatusOr<std::string> holder = ReadFile(name, 4096);
    const std::string who = holder.ok() && !holder->empty() ? *holder : "a process";
    return Error(
        absl::StatusCode::kFailedPrecondition, "DATA_DIR_IN_USE",
        absl::StrCat("the data directory ", path_, " is in use by ", absl::StripSuffix(who, "\n"),
                     ": stop it, or give this server another --data-dir"));
  }
  const std::string who = absl::StrCat(
      "pid ", getpid(), ", since ",
      absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", absl::Now(), absl::UTCTimeZone()), "\n");
  if (ftruncate(file->descriptor(), 0) != 0) return Unusable(path_, std::strerror(errno));
  // What it says is for the message above only: the lock holds without it, also on a full disk.
  WriteAll(*file, 0, who, name).IgnoreError();
  lock_ = *std::move(file);
  return absl::OkStatus();
}

}  // namespace prospero::server
