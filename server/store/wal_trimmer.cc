#include "server/store/wal_trimmer.h"

#include <sys/stat.h>

#include <utility>

#include "server/store/database_file.h"

namespace prospero::server {
namespace {

constexpr int64_t kEnough = 4 << 20;  // [bytes]

int64_t Size(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 ? info.st_size : 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<WalTrimmer>> WalTrimmer::Make(const std::string& path) {
  absl::StatusOr<Database> database = Database::Open(path, /*create=*/false);
  if (!database.ok()) return database.status();
  if (absl::Status configured = Configure(*database); !configured.ok()) return configured;
  std::unique_ptr<WalTrimmer> trimmer(new WalTrimmer(*std::move(database), path));
  trimmer->thread_ = std::thread([trimmer = trimmer.get()] { trimmer->Run(); });
  return trimmer;
}

WalTrimmer::~WalTrimmer() {
  {
    MutexLock lock(mu_);
    ending_ = true;
    changed_.Signal();
  }
  if (thread_.joinable()) thread_.join();
}

void WalTrimmer::Grown() {
  if (Size(wal_) < kEnough) return;
  MutexLock lock(mu_);
  grown_ = true;
  changed_.Signal();
}

void WalTrimmer::Run() {
  for (;;) {
    {
      MutexLock lock(mu_);
      while (!grown_ && !ending_) changed_.Wait(mu_);
      if (ending_) return;
      grown_ = false;
    }
    Trim();
  }
}

void WalTrimmer::Trim() const {
  // The first way takes most of the frames while commits go on; the second one holds them up for
  // the rest, and cuts the file. On a full disk the log stays and the next commit asks again.
  database_.Run("PRAGMA wal_checkpoint(PASSIVE)").IgnoreError();
  database_.Run("PRAGMA wal_checkpoint(TRUNCATE)").IgnoreError();
}

}  // namespace prospero::server
