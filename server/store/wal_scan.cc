#include "server/store/wal_scan.h"

#include <fcntl.h>

#include <array>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/store/files.h"

namespace prospero::server {
namespace {

// The file format is described at https://www.sqlite.org/fileformat2.html, section 4.
constexpr int64_t kHeaderBytes = 32;
constexpr int64_t kFrameHeaderBytes = 24;

uint32_t BigEndian(const char* bytes) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

uint32_t LittleEndian(const char* bytes) {
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

/// The checksum of a log, which goes on from frame to frame.
class Running {
 public:
  explicit Running(bool big_endian) : big_endian_(big_endian) {}
  void Add(const char* bytes, int64_t count) {
    for (int64_t i = 0; i + 8 <= count; i += 8) {
      s0_ += Word(bytes + i) + s1_;
      s1_ += Word(bytes + i + 4) + s0_;
    }
  }
  bool Is(const char* stored) const {
    return BigEndian(stored) == s0_ && BigEndian(stored + 4) == s1_;
  }

 private:
  uint32_t Word(const char* bytes) const {
    return big_endian_ ? BigEndian(bytes) : LittleEndian(bytes);
  }
  bool big_endian_;
  uint32_t s0_ = 0;
  uint32_t s1_ = 0;
};

constexpr uint32_t kMagic = 0x377f0682;  // its last bit: the words of the checksum are big-endian
constexpr uint32_t kVersion = 3007000;

bool PossiblePageSize(uint32_t size) {
  return size >= 512 && size <= 65536 && (size & (size - 1)) == 0;
}

}  // namespace

absl::StatusOr<WalScan> ScanWal(const std::string& path) {
  WalScan scan;
  const absl::StatusOr<File> file = File::Open(path, O_RDONLY);
  if (absl::IsNotFound(file.status())) return scan;
  if (!file.ok()) return file.status();
  std::array<char, kHeaderBytes> header;
  absl::StatusOr<int64_t> got = ReadUpTo(*file, 0, kHeaderBytes, header.data(), path);
  if (!got.ok()) return got.status();
  if (*got == 0) return scan;
  const uint32_t magic = BigEndian(header.data());
  const uint32_t page_size = BigEndian(header.data() + 8);
  Running checksum((magic & 1) != 0);
  checksum.Add(header.data(), 24);
  if (*got < kHeaderBytes || (magic & ~1U) != kMagic || BigEndian(header.data() + 4) != kVersion ||
      !PossiblePageSize(page_size) || !checksum.Is(header.data() + 24)) {
    scan.header_damaged = true;
    return scan;
  }
  std::vector<char> frame(static_cast<size_t>(kFrameHeaderBytes + page_size));
  const int64_t frame_bytes = static_cast<int64_t>(frame.size());
  for (int64_t offset = kHeaderBytes;; offset += frame_bytes) {
    got = ReadUpTo(*file, offset, frame_bytes, frame.data(), path);
    if (!got.ok()) return got.status();
    if (*got < kFrameHeaderBytes) return scan;
    // A log begins anew with other salts, over the frames of the one before.
    const bool of_this_log =
        absl::string_view(frame.data() + 8, 8) == absl::string_view(header.data() + 16, 8);
    bool good =
        of_this_log && *got == frame_bytes && scan.damaged == 0 && BigEndian(frame.data()) != 0;
    if (good) {
      checksum.Add(frame.data(), 8);
      checksum.Add(frame.data() + kFrameHeaderBytes, page_size);
      good = checksum.Is(frame.data() + 16);
    }
    if (!good) {
      scan.damaged += of_this_log ? 1 : 0;
      if (*got < frame_bytes) return scan;
      continue;
    }
    ++scan.unfinished;
    if (BigEndian(frame.data() + 4) == 0) continue;
    scan.committed += scan.unfinished;
    scan.unfinished = 0;
  }
}

}  // namespace prospero::server
