#include "server/store/directory_mark.h"

#include <fcntl.h>

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "server/store/checksum.h"

namespace prospero::server {
namespace {

/// Another one after each start of the machine. "unknown" where the kernel does not tell: then no
/// mark is exact.
constexpr char kUnknownBoot[] = "unknown";
std::string BootId() {
  absl::StatusOr<File> file = File::Open("/proc/sys/kernel/random/boot_id", O_RDONLY);
  if (!file.ok()) return kUnknownBoot;
  std::string id(64, '\0');
  const absl::StatusOr<int64_t> got = ReadUpTo(*file, 0, 64, id.data(), "boot_id");
  if (!got.ok() || *got == 0) return kUnknownBoot;
  id.resize(static_cast<size_t>(*got));
  return std::string(absl::StripAsciiWhitespace(id));
}

}  // namespace

absl::optional<DirectoryMark::Value> DirectoryMark::Read(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path, 4096);
  if (!text.ok()) return absl::nullopt;
  const std::vector<std::string> words = absl::StrSplit(*text, ' ');
  Value value;
  if (words.size() != 3 || !absl::SimpleAtoi(words[0], &value.commit) ||
      words[2] != absl::StrCat(Hex(Checksum(absl::StrCat(words[0], " ", words[1]))), "\n")) {
    return absl::nullopt;
  }
  value.exact = words[1] != kUnknownBoot && words[1] == BootId();
  return value;
}

absl::StatusOr<DirectoryMark> DirectoryMark::Open(const std::string& path) {
  absl::StatusOr<File> file = File::Open(path, O_RDWR | O_CREAT);
  if (!file.ok()) return file.status();
  return DirectoryMark(*std::move(file), path, BootId());
}

void DirectoryMark::Write(int64_t commit) const {
  // Always as long, so that it covers what was there.
  const std::string line = absl::StrFormat("%020d %s", commit, boot_);
  WriteAll(file_, 0, absl::StrCat(line, " ", Hex(Checksum(line)), "\n"), path_).IgnoreError();
}

absl::Status DirectoryMark::Sync() const { return server::Sync(file_, path_); }

}  // namespace prospero::server
