#include "server/store/disk_blobs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/core/errors.h"
#include "engine/core/mutex.h"
#include "server/store/files.h"

namespace prospero::server {
namespace {

namespace fs = std::filesystem;

/// No part of a key begins with a dot.
constexpr char kTemporary[] = ".writing-";

bool IsName(absl::string_view part) {
  if (part.empty() || part.size() > 200 || part.front() == '.') return false;
  return std::all_of(part.begin(), part.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

absl::Status CheckKey(absl::string_view key, bool one_part) {
  const std::vector<absl::string_view> parts = absl::StrSplit(key, '/');
  const bool good = std::all_of(parts.begin(), parts.end(), IsName);
  if (good && parts.size() <= (one_part ? 1 : 8)) return absl::OkStatus();
  return Error(
      absl::StatusCode::kInvalidArgument, "BAD_KEY",
      absl::StrCat("'", key, "' cannot be the name of a file: ", one_part ? "one part" : "parts",
                   " of letters, digits, '-', '_' and '.' that do not begin with '.'"));
}

absl::Status NotFound(absl::string_view reason, absl::string_view what, absl::string_view key) {
  return Error(absl::StatusCode::kNotFound, reason, absl::StrCat("no ", what, " '", key, "'"));
}

std::string Parent(const std::string& path) { return fs::path(path).parent_path().string(); }

class FileReader final : public BlobReader {
 public:
  FileReader(File file, std::string path, int64_t size)
      : file_(std::move(file)), path_(std::move(path)), size_(size) {}
  int64_t size() const override { return size_; }
  absl::StatusOr<int64_t> Read(int64_t offset, int64_t count, char* to) const override {
    if (offset < 0 || count < 0) return absl::InvalidArgumentError("negative offset or count");
    return ReadUpTo(file_, offset, std::clamp<int64_t>(size_ - offset, 0, count), to, path_);
  }

 private:
  const File file_;
  const std::string path_;
  const int64_t size_;
};

absl::StatusOr<std::unique_ptr<BlobReader>> OpenReader(const std::string& path) {
  absl::StatusOr<File> file = File::Open(path, O_RDONLY);
  if (!file.ok()) return file.status();
  const absl::StatusOr<int64_t> size = SizeOfFile(*file, path);
  if (!size.ok()) return size.status();
  return std::make_unique<FileReader>(*std::move(file), path, *size);
}

class DiskBlobs final : public Blobs {
 public:
  explicit DiskBlobs(const std::string& directory)
      : blobs_(absl::StrCat(directory, "/blobs")), uploads_(absl::StrCat(directory, "/uploads")) {}

  absl::Status Prepare() {
    for (const std::string& folder : {blobs_, uploads_}) {
      if (absl::Status made = MakeDirectories(folder); !made.ok()) return made;
    }
    std::error_code error;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(blobs_, error)) {
      if (!absl::StartsWith(entry.path().filename().string(), kTemporary)) continue;
      if (absl::Status removed = RemoveFile(entry.path().string()); !removed.ok()) return removed;
    }
    return error ? DiskError(absl::StrCat("list ", blobs_), error.value()) : absl::OkStatus();
  }

  absl::Status Write(absl::string_view key,
                     const std::function<absl::Status(const Sink&)>& produce) override {
    if (absl::Status good = CheckKey(key, /*one_part=*/false); !good.ok()) return good;
    const std::string path = PathOf(key);
    std::string temporary;
    absl::StatusOr<File> file = MakeTemporary(path, &temporary);
    if (!file.ok()) return file.status();
    int64_t offset = 0;
    absl::Status status = produce([&](absl::string_view bytes) {
      absl::Status written = WriteAll(*file, offset, bytes, path);
      offset += static_cast<int64_t>(bytes.size());
      return written;
    });
    if (status.ok()) status = Sync(*file, path);
    if (status.ok()) status = RenameFile(temporary, path);
    if (!status.ok()) RemoveFile(temporary).IgnoreError();
    return status.ok() ? SyncDirectory(Parent(path)) : status;
  }

  absl::StatusOr<std::unique_ptr<BlobReader>> Open(absl::string_view key) const override {
    if (absl::Status good = CheckKey(key, /*one_part=*/false); !good.ok()) return good;
    auto reader = OpenReader(PathOf(key));
    if (absl::IsNotFound(reader.status())) return NotFound("BLOB_NOT_FOUND", "file", key);
    return reader;
  }

  absl::Status Link(absl::string_view from, absl::string_view to) override {
    for (absl::string_view key : {from, to}) {
      if (absl::Status good = CheckKey(key, /*one_part=*/false); !good.ok()) return good;
    }
    const std::string path = PathOf(to);
    std::string temporary;
    absl::StatusOr<File> file = MakeTemporary(path, &temporary);
    if (!file.ok()) return file.status();
    RemoveFile(temporary).IgnoreError();
    if (link(PathOf(from).c_str(), temporary.c_str()) != 0) {
      if (errno == ENOENT) return NotFound("BLOB_NOT_FOUND", "file", from);
      return Copy(from, to);
    }
    absl::Status status = RenameFile(temporary, path);
    // Two names of one file: to rename one to the other does nothing.
    RemoveFile(temporary).IgnoreError();
    return status.ok() ? SyncDirectory(Parent(path)) : status;
  }

  absl::Status Remove(absl::string_view key) override {
    if (absl::Status good = CheckKey(key, /*one_part=*/false); !good.ok()) return good;
    const std::string path = PathOf(key);
    if (absl::Status removed = RemoveFile(path); !removed.ok()) return removed;
    MutexLock lock(mu_);
    // Stops at the first that is not empty.
    for (std::string folder = Parent(path); folder.size() > blobs_.size();
         folder = Parent(folder)) {
      if (rmdir(folder.c_str()) != 0) break;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::string>> List(absl::string_view prefix) const override {
    std::vector<std::string> keys;
    std::error_code error;
    fs::recursive_directory_iterator entry(blobs_, error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      std::error_code gone;
      if (!entry->is_regular_file(gone)) continue;
      std::string key = entry->path().string().substr(blobs_.size() + 1);
      if (absl::StartsWith(entry->path().filename().string(), kTemporary)) continue;
      if (absl::StartsWith(key, prefix)) keys.push_back(std::move(key));
    }
    if (error) return DiskError(absl::StrCat("list ", blobs_), error.value());
    std::sort(keys.begin(), keys.end());
    return keys;
  }

  absl::Status WriteUpload(absl::string_view upload, int64_t offset,
                           absl::string_view bytes) override {
    if (absl::Status good = CheckKey(upload, /*one_part=*/true); !good.ok()) return good;
    const std::string path = UploadPath(upload);
    const absl::StatusOr<File> file = File::Open(path, O_RDWR | O_CREAT);
    if (!file.ok()) return file.status();
    const absl::StatusOr<int64_t> size = SizeOfFile(*file, path);
    if (!size.ok()) return size.status();
    if (offset < 0 || offset > *size) {
      return Error(absl::StatusCode::kOutOfRange, "OFFSET_OUT_OF_RANGE",
                   absl::StrCat("the upload has ", *size, " bytes, it cannot go on at ", offset));
    }
    if (ftruncate(file->descriptor(), offset) != 0) {
      return DiskError(absl::StrCat("cut ", path), errno);
    }
    absl::Status status = WriteAll(*file, offset, bytes, path);
    if (!status.ok() && ftruncate(file->descriptor(), offset) != 0) {
      return DiskError(absl::StrCat("cut ", path), errno);
    }
    return status;
  }

  absl::StatusOr<int64_t> UploadSize(absl::string_view upload) const override {
    const auto reader = OpenUpload(upload);
    if (!reader.ok()) return reader.status();
    return (*reader)->size();
  }

  absl::StatusOr<std::unique_ptr<BlobReader>> OpenUpload(absl::string_view upload) const override {
    if (absl::Status good = CheckKey(upload, /*one_part=*/true); !good.ok()) return good;
    auto reader = OpenReader(UploadPath(upload));
    if (absl::IsNotFound(reader.status())) return NotFound("UPLOAD_NOT_FOUND", "upload", upload);
    return reader;
  }

  absl::Status FinishUpload(absl::string_view upload, absl::string_view key) override {
    absl::Status good = CheckKey(upload, /*one_part=*/true);
    if (good.ok()) good = CheckKey(key, /*one_part=*/false);
    if (!good.ok()) return good;
    const std::string from = UploadPath(upload);
    const std::string to = PathOf(key);
    const absl::StatusOr<File> file = File::Open(from, O_RDWR);
    if (absl::IsNotFound(file.status())) return NotFound("UPLOAD_NOT_FOUND", "upload", upload);
    if (!file.ok()) return file.status();
    absl::Status status = Sync(*file, from);
    std::string temporary;  // it holds the folder
    absl::StatusOr<File> holder = MakeTemporary(to, &temporary);
    if (status.ok()) status = holder.status();
    if (status.ok()) status = RenameFile(from, to);
    if (!temporary.empty()) RemoveFile(temporary).IgnoreError();
    return status.ok() ? SyncDirectory(Parent(to)) : status;
  }

  absl::Status DropUpload(absl::string_view upload) override {
    if (absl::Status good = CheckKey(upload, /*one_part=*/true); !good.ok()) return good;
    return RemoveFile(UploadPath(upload));
  }

  absl::Status DropUploadsOlderThan(int64_t seconds) override {
    const int64_t oldest = absl::ToUnixSeconds(absl::Now()) - seconds;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(uploads_, error)) {
      const std::string path = entry.path().string();
      struct stat info;
      if (stat(path.c_str(), &info) != 0 || info.st_mtim.tv_sec >= oldest) continue;
      if (absl::Status removed = RemoveFile(path); !removed.ok()) return removed;
    }
    return error ? DiskError(absl::StrCat("list ", uploads_), error.value()) : absl::OkStatus();
  }

 private:
  std::string PathOf(absl::string_view key) const { return absl::StrCat(blobs_, "/", key); }
  std::string UploadPath(absl::string_view upload) const {
    return absl::StrCat(uploads_, "/", upload);
  }

  /// A new file in the folder of `path`, which is made: with a file in it, it stays.
  absl::StatusOr<File> MakeTemporary(const std::string& path, std::string* temporary)
      ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    const std::string folder = Parent(path);
    if (absl::Status made = MakeDirectories(folder); !made.ok()) return made;
    const std::string name = absl::StrCat(folder, "/", kTemporary, ++temporaries_);
    absl::StatusOr<File> file = File::Open(name, O_RDWR | O_CREAT | O_TRUNC);
    if (file.ok()) *temporary = name;
    return file;
  }

  absl::Status Copy(absl::string_view from, absl::string_view to) {
    const auto reader = Open(from);
    if (!reader.ok()) return reader.status();
    return Write(to, [&reader](const Sink& sink) {
      std::string chunk(size_t{1} << 20, '\0');
      for (int64_t offset = 0; offset < (*reader)->size();) {
        const absl::StatusOr<int64_t> got =
            (*reader)->Read(offset, static_cast<int64_t>(chunk.size()), chunk.data());
        if (!got.ok()) return got.status();
        const absl::Status written = sink({chunk.data(), static_cast<size_t>(*got)});
        if (!written.ok() || *got == 0) return written;
        offset += *got;
      }
      return absl::OkStatus();
    });
  }

  const std::string blobs_;
  const std::string uploads_;
  Mutex mu_;  ///< held while folders are made or removed; a leaf
  int64_t temporaries_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Blobs>> OpenDiskBlobs(const std::string& directory) {
  auto blobs = std::make_unique<DiskBlobs>(directory);
  if (absl::Status prepared = blobs->Prepare(); !prepared.ok()) return prepared;
  return blobs;
}

}  // namespace prospero::server
