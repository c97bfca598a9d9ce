// The readers' end of a ring.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "engine/runtime/sample_ring.h"

namespace prospero {
namespace {

void Clear(Observed* out) {
  out->opened.reset();
  out->gap.reset();
  out->samples.Clear();
  out->events.clear();
  out->progress.reset();
  out->end = absl::OkStatus();
}

/// How many of the samples from `begin` on, but not those from `stop` on, fit in `max_bytes`, of
/// which they are taken. The first one does if `first` says so.
size_t CountThatFit(const SampleChunk& chunk, size_t begin, size_t stop, bool first,
                    int64_t* max_bytes) {
  size_t at = begin;
  for (; at < stop; ++at) {
    const auto bytes = static_cast<int64_t>(chunk.entries[at].end - chunk.begin_of(at));
    if (bytes > *max_bytes && !(first && at == begin)) break;
    *max_bytes -= bytes;
  }
  return at - begin;
}

}  // namespace

bool SampleRing::Take(RingReader& reader, int64_t max_samples, int64_t max_bytes, Observed* out) {
  Clear(out);
  const MutexLock lock(mu_);
  if (reader.cancelled) return false;
  const bool found = TakeWaiting(reader, max_samples, max_bytes, out);
  out->progress = reader.progress;
  if (found) return true;
  out->end = reader.end.ok() ? end_ : reader.end;
  reader.want = max_samples > 0 ? RingReader::Want::kSamples : RingReader::Want::kEvents;
  return false;
}

bool SampleRing::TakeWaiting(RingReader& reader, int64_t max_samples, int64_t max_bytes,
                             Observed* out) {
  if (!reader.joined || !reader.end.ok()) return false;
  const int64_t kept_from = KeptFrom(reader);
  if (reader.reliable && reader.next < kept_from) {
    reader.end = Evicted();
    return false;
  }
  out->opened = std::exchange(reader.opened, absl::nullopt);
  if (max_samples > 0) {
    TakePresent(reader, max_samples, &max_bytes, out);
    const bool late = reader.resumed_late || reader.next < kept_from;
    if (late && out->samples.empty()) TakeGap(reader, kept_from, out);
  }
  const int64_t from = reader.next;
  const bool late = reader.resumed_late || reader.next < kept_from;
  const auto left = max_samples - static_cast<int64_t>(out->samples.size());
  if (reader.present == nullptr && !late && left > 0) TakeSamples(reader, left, max_bytes, out);
  Settle(reader);
  TakeEvents(reader, from, max_samples > 0, out);
  return out->opened.has_value() || out->gap.has_value() || !out->samples.empty() ||
         !out->events.empty();
}

int64_t SampleRing::KeptFrom(const RingReader& reader) const {
  if (reader.reliable || reader.next < reader.catch_up) return first_;
  return std::max(first_, next_ - reader.capacity);
}

absl::Status SampleRing::Evicted() const {
  const Cursor oldest = lost_.cursor;
  absl::Status status =
      Error(absl::StatusCode::kOutOfRange, "CURSOR_EVICTED",
            absl::StrCat("the next sample is no longer retained, only those behind epoch ",
                         oldest.epoch, ", step ", oldest.step));
  status = WithMetadata(status, "oldest_epoch", absl::StrCat(oldest.epoch));
  return WithMetadata(status, "oldest_step", absl::StrCat(oldest.step));
}

void SampleRing::TakePresent(RingReader& reader, int64_t max_samples, int64_t* max_bytes,
                             Observed* out) {
  if (reader.present == nullptr) return;
  const SampleChunk& chunk = *reader.present;
  const size_t begin = reader.present_taken;
  const size_t most = std::min(chunk.entries.size() - begin, static_cast<size_t>(max_samples));
  const size_t end = begin + CountThatFit(chunk, begin, begin + most, true, max_bytes);
  const bool all = end == chunk.entries.size();
  out->samples.Add({reader.present, begin, end});
  reader.present_taken = end;
  if (all) reader.present.reset();
}

void SampleRing::TakeGap(RingReader& reader, int64_t kept_from, Observed* out) {
  Gap& gap = out->gap.emplace();
  gap.last = PlaceOf(kept_from - 1).cursor;
  if (reader.resumed_late) {
    gap.first = reader.behind.cursor;
    gap.reason = Gap::Reason::kEvicted;
  } else {
    gap.first = *reader.next_cursor;
    gap.count = kept_from - reader.next;
  }
  reader.resumed_late = false;
  reader.next = kept_from;
  reader.told = gap.last;
}

void SampleRing::TakeSamples(RingReader& reader, int64_t max_samples, int64_t max_bytes,
                             Observed* out) {
  if (reader.next == next_) return;
  const int64_t end = max_samples < next_ - reader.next ? reader.next + max_samples : next_;
  for (auto chunk = ChunkOf(reader.next); reader.next < end; ++chunk) {
    const auto& entries = (*chunk)->entries;
    const auto begin = static_cast<size_t>(reader.next - (*chunk)->first);
    const size_t stop = std::min(entries.size(), static_cast<size_t>(end - (*chunk)->first));
    const size_t count = CountThatFit(**chunk, begin, stop, out->samples.empty(), &max_bytes);
    if (count == 0) return;
    out->samples.Add({*chunk, begin, begin + count});
    reader.next += static_cast<int64_t>(count);
    reader.told = entries[begin + count - 1].place.cursor;
    if (begin + count < stop) return;
  }
}

void SampleRing::TakeEvents(RingReader& reader, int64_t from, bool in_order, Observed* out) {
  const size_t present = out->samples.size() - static_cast<size_t>(reader.next - from);
  reader.next_event = std::max(reader.next_event, first_event_);
  const int64_t end = first_event_ + static_cast<int64_t>(events_.size());
  for (; reader.next_event < end; ++reader.next_event) {
    const NumberedEvent& event = events_[static_cast<size_t>(reader.next_event - first_event_)];
    // Who takes samples gets it in its place among them, who does not at once.
    if (in_order && event.at > reader.next) return;
    const int64_t after = std::clamp<int64_t>(event.at - from, 0, reader.next - from);
    out->events.push_back({event.event, present + static_cast<size_t>(after)});
  }
}

void SampleRing::Settle(RingReader& reader) {
  const bool at_head = reader.next == next_;
  if (!at_head) {
    // Once it was evicted, only the reader still knows it.
    if (reader.next >= first_) reader.next_cursor = PlaceOf(reader.next).cursor;
  } else if (!std::exchange(reader.at_head, true)) {
    reader.next_cursor.reset();
    at_head_.push_back(&reader);
  }
  if (reader.present != nullptr || reader.resumed_late || !reader.end.ok()) return;
  if (at_head) {
    reader.progress = cursor_;
  } else if (reader.told < *reader.next_cursor) {
    reader.progress = std::max(reader.progress.value_or(reader.told), reader.told);
  }
}

SampleRing::Chunks::const_iterator SampleRing::ChunkOf(int64_t number) const {
  return std::prev(
      std::partition_point(chunks_.begin(), chunks_.end(),
                           [number](const auto& chunk) { return chunk->first <= number; }));
}

Place SampleRing::PlaceOf(int64_t number) const {
  if (number < first_) return lost_;
  const SampleChunk& chunk = **ChunkOf(number);
  return chunk.entries[static_cast<size_t>(number - chunk.first)].place;
}

absl::Status SampleRing::end(const RingReader& reader) const {
  const MutexLock lock(mu_);
  return reader.end.ok() ? end_ : reader.end;
}

void SampleRing::Cancel(RingReader& reader) {
  const MutexLock lock(mu_);
  reader.cancelled = true;
  while (reader.calling > 0) quiet_.Wait(mu_);
  reader.present.reset();
  if (std::exchange(reader.at_head, false)) {
    at_head_.erase(std::find(at_head_.begin(), at_head_.end(), &reader));
  }
  const auto place = std::find_if(readers_.begin(), readers_.end(),
                                  [&](const auto& some) { return some.get() == &reader; });
  if (place != readers_.end()) readers_.erase(place);
}

bool SampleRing::cancelled(const RingReader& reader) const {
  const MutexLock lock(mu_);
  return reader.cancelled;
}

}  // namespace prospero
