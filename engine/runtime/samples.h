#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/runtime/cursor.h"

namespace prospero {

/// Where a sample stands in the order of its recording: by time, and where several are taken
/// after the same step, by their selection.
struct Place {
  Cursor cursor;
  /// By default behind all that is sampled at the cursor.
  uint32_t selection = std::numeric_limits<uint32_t>::max();
  friend auto operator<=>(const Place&, const Place&) = default;
};

/// Consecutive samples of one recording, encoded. It does not change once it was published, and
/// all readers share it.
struct SampleChunk {
  struct Entry {
    Place place;
    size_t end = 0;  ///< in the bytes, behind this sample
  };

  int64_t first = 0;  ///< how many samples the recording had made before
  std::vector<Entry> entries;
  std::unique_ptr<char[]> data;

  size_t begin_of(size_t index) const { return index == 0 ? 0 : entries[index - 1].end; }
  /// Of the memory taken.
  int64_t bytes() const {
    const size_t kept = entries.empty() ? 0 : entries.back().end;
    return static_cast<int64_t>(sizeof(SampleChunk) + entries.size() * sizeof(Entry) + kept);
  }
};

/// One sample, where it lies in its chunk.
struct SampleView {
  Place place;
  absl::string_view bytes;
};

/// Part of a chunk.
struct SampleRun {
  std::shared_ptr<const SampleChunk> chunk;
  size_t begin = 0;
  size_t end = 0;

  size_t size() const { return end - begin; }
  Place place(size_t index) const { return chunk->entries[begin + index].place; }
  /// Of all its samples, one behind the other.
  absl::string_view bytes() const { return Between(begin, end); }
  SampleView operator[](size_t index) const {
    return {place(index), Between(begin + index, begin + index + 1)};
  }

 private:
  absl::string_view Between(size_t from, size_t to) const {
    const size_t offset = chunk->begin_of(from);
    return {chunk->data.get() + offset, chunk->begin_of(to) - offset};
  }
};

/// Samples in the order of their recording.
class Samples {
 public:
  const std::vector<SampleRun>& runs() const { return runs_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  SampleView operator[](size_t index) const {
    size_t run = 0;
    while (index >= runs_[run].size()) index -= runs_[run++].size();
    return runs_[run][index];
  }
  SampleView back() const { return runs_.back()[runs_.back().size() - 1]; }

  void Add(SampleRun run) {
    size_ += run.size();
    runs_.push_back(std::move(run));
  }
  void Clear() {
    runs_.clear();
    size_ = 0;
  }

 private:
  std::vector<SampleRun> runs_;
  size_t size_ = 0;
};

}  // namespace prospero
