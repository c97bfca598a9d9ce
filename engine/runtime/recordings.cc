#include "engine/runtime/recordings.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace prospero {

std::shared_ptr<Recorder> Recordings::Enter(const std::vector<Selection>& selections) {
  for (Entry& entry : entries_) {
    if (entry.selections != selections) continue;
    ++entry.readers;
    ++readers_;
    return entry.recorder;
  }
  return nullptr;
}

void Recordings::Add(const std::vector<Selection>& selections, std::shared_ptr<Recorder> recorder) {
  entries_.push_back({selections, std::move(recorder), 1, Clock::Time()});
  ++readers_;
}

void Recordings::Leave(const Recorder* recorder, Clock::Time now) {
  const auto entry = std::find_if(entries_.begin(), entries_.end(), [recorder](const Entry& some) {
    return some.recorder.get() == recorder;
  });
  assert(entry != entries_.end());
  --readers_;
  if (--entry->readers > 0) return;
  entry->idle_since = now;
  std::rotate(entry, entry + 1, entries_.end());
}

std::vector<std::shared_ptr<Recorder>> Recordings::TakeExpired(Clock::Time now,
                                                               Clock::Time::duration retention) {
  int64_t idle = std::count_if(entries_.begin(), entries_.end(),
                               [](const Entry& entry) { return entry.readers == 0; });
  std::vector<std::shared_ptr<Recorder>> expired;
  std::vector<Entry> kept;
  for (Entry& entry : entries_) {
    const bool goes =
        entry.readers == 0 && (now - entry.idle_since >= retention || idle > kMaxIdle);
    if (goes) {
      expired.push_back(std::move(entry.recorder));
      --idle;
    } else {
      kept.push_back(std::move(entry));
    }
  }
  entries_ = std::move(kept);
  return expired;
}

bool Recordings::any_idle() const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const Entry& entry) { return entry.readers == 0; });
}

}  // namespace prospero
