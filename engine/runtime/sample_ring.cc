// The strand's end of a ring, and its wake-ups. What readers do is in sample_ring_take.cc.

#include "engine/runtime/sample_ring.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"

namespace prospero {
namespace {

/// Threads that call readers at once.
constexpr size_t kMaxCallers = 2;

absl::Status Ahead(const Place& wanted, Cursor cursor) {
  return Error(absl::StatusCode::kOutOfRange, "CURSOR_AHEAD",
               absl::StrCat("the network stands at epoch ", cursor.epoch, ", step ", cursor.step,
                            ", before epoch ", wanted.cursor.epoch, ", step ", wanted.cursor.step,
                            ", behind which samples are asked for"));
}

}  // namespace

void SampleRing::Begin(Cursor cursor) {
  const MutexLock lock(mu_);
  lost_ = {cursor};
  cursor_ = cursor;
}

void SampleRing::Join(const std::shared_ptr<RingReader>& reader, Cursor cursor, bool fresh,
                      std::shared_ptr<const SampleChunk> present) {
  {
    const MutexLock lock(mu_);
    if (reader->cancelled) return;
    reader->joined = true;
    reader->present = std::move(present);
    reader->next = next_;
    reader->next_event = first_event_ + static_cast<int64_t>(events_.size());
    reader->told = cursor;
    reader->opened.emplace().cursor = cursor;
    if (!fresh) reader->opened->oldest = lost_.cursor;
    if (reader->start == ObserverSpec::Start::kBehind) Seek(*reader, cursor);
    readers_.push_back(reader);
    if (reader->start == ObserverSpec::Start::kNow) reader->progress = cursor;
    Settle(*reader);
    Call(*reader);
  }
  SendCallers();
}

void SampleRing::Refuse(RingReader& reader, const absl::Status& why) {
  {
    const MutexLock lock(mu_);
    reader.end = why;
    Call(reader);
  }
  SendCallers();
}

void SampleRing::Seek(RingReader& reader, Cursor cursor) {
  const Place& behind = reader.behind;
  if (behind.cursor > cursor) {
    reader.end = Ahead(behind, cursor);
  } else if (behind >= lost_) {
    reader.next = NumberBehind(behind);
    if (behind.selection == Place().selection) reader.progress = behind.cursor;
  } else if (reader.reliable) {
    reader.end = Evicted();
  } else {
    reader.next = first_;
    reader.resumed_late = true;
  }
  reader.told = behind.cursor;
  reader.catch_up = next_;
}

int64_t SampleRing::NumberBehind(const Place& place) const {
  const auto chunk = std::partition_point(
      chunks_.begin(), chunks_.end(),
      [&place](const auto& some) { return some->entries.back().place <= place; });
  if (chunk == chunks_.end()) return next_;
  const auto& entries = (*chunk)->entries;
  const auto entry = std::partition_point(entries.begin(), entries.end(),
                                          [&place](const auto& one) { return one.place <= place; });
  return (*chunk)->first + (entry - entries.begin());
}

void SampleRing::Publish(std::vector<std::shared_ptr<SampleChunk>>* chunks,
                         std::vector<NumberedEvent>* events, Cursor cursor, int64_t bytes) {
  // What goes is freed when the lock was let go.
  std::vector<std::shared_ptr<const SampleChunk>> evicted;
  {
    const MutexLock lock(mu_);
    cursor_ = cursor;
    for (std::shared_ptr<SampleChunk>& chunk : *chunks) {
      bytes_ += chunk->bytes();
      chunk->first = next_;
      next_ += static_cast<int64_t>(chunk->entries.size());
      chunks_.push_back(std::move(chunk));
    }
    if (!chunks->empty()) {
      const Cursor first = PlaceOf(chunks_[chunks_.size() - chunks->size()]->first).cursor;
      for (RingReader* const reader : at_head_) {
        reader->at_head = false;
        reader->next_cursor = first;
        if (reader->want == RingReader::Want::kSamples) Call(*reader);
      }
      at_head_.clear();
    }
    while (bytes_ > bytes && chunks_.size() > 1) {
      bytes_ -= chunks_.front()->bytes();
      lost_ = chunks_.front()->entries.back().place;
      evicted.push_back(std::move(chunks_.front()));
      chunks_.pop_front();
      first_ = chunks_.front()->first;
    }
    std::move(events->begin(), events->end(), std::back_inserter(events_));
    for (; static_cast<int64_t>(events_.size()) > kMaxEvents; ++first_event_) events_.pop_front();
    if (!events->empty()) {
      for (const auto& reader : readers_) Call(*reader);
    }
  }
  chunks->clear();
  events->clear();
  SendCallers();
}

void SampleRing::End(const absl::Status& why) {
  {
    const MutexLock lock(mu_);
    end_ = why;
    for (const auto& reader : readers_) Call(*reader);
  }
  SendCallers();
}

void SampleRing::Call(RingReader& reader) {
  if (std::exchange(reader.want, RingReader::Want::kNothing) == RingReader::Want::kNothing) return;
  if (reader.on_ready) calls_.push_back(reader.shared_from_this());
}

void SampleRing::SendCallers() {
  size_t callers = 0;
  {
    const MutexLock lock(mu_);
    const size_t most = defer_ ? kMaxCallers : 1;
    while (callers_ < std::min(most, calls_.size())) {
      ++callers_;
      ++callers;
    }
  }
  for (; callers > 0; --callers) {
    if (!defer_) {
      RunCalls();
    } else {
      defer_([self = shared_from_this()] { self->RunCalls(); });
    }
  }
}

void SampleRing::RunCalls() {
  while (true) {
    std::shared_ptr<RingReader> reader;
    {
      const MutexLock lock(mu_);
      if (calls_.empty()) {
        --callers_;
        return;
      }
      reader = std::move(calls_.front());
      calls_.pop_front();
      if (reader->cancelled) continue;
      ++reader->calling;
    }
    reader->on_ready();
    const MutexLock lock(mu_);
    if (--reader->calling == 0) quiet_.SignalAll();
  }
}

}  // namespace prospero
