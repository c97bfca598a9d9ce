#include "engine/runtime/run_queue.h"

#include <algorithm>
#include <cassert>

namespace prospero {

void RunQueue::Push(Entry* entry, Clock::Time now) {
  assert(entry->phase == Entry::Phase::kIdle);
  entry->phase = Entry::Phase::kQueued;
  entry->released = entry->timing.deadline != Clock::kNever && entry->timing.release <= now;
  if (entry->released) {
    entry->number = ++next_number_;
    by_deadline_.insert(ByDeadline(entry));
  } else {
    in_turn_.push_back(entry);
  }
}

void RunQueue::Erase(Entry* entry) {
  assert(entry->phase == Entry::Phase::kQueued);
  if (entry->released) {
    by_deadline_.erase(ByDeadline(entry));
  } else {
    in_turn_.erase(std::find(in_turn_.begin(), in_turn_.end(), entry));
  }
  entry->released = false;
  entry->phase = Entry::Phase::kIdle;
}

bool RunQueue::IsTurn(Clock::Time now) {
  if (in_turn_.empty()) return false;
  if (by_deadline_.empty()) return true;
  passed_over_since_ = std::min(passed_over_since_, now);
  return now - passed_over_since_ >= kPatience;
}

Entry* RunQueue::PopInTurn() {
  while (in_turn_.size() > 1 && in_turn_.front()->turns_to_pass > 0) {
    --in_turn_.front()->turns_to_pass;
    in_turn_.push_back(in_turn_.front());
    in_turn_.pop_front();
  }
  Entry* const entry = in_turn_.front();
  in_turn_.pop_front();
  passed_over_since_ = Clock::kNever;
  return entry;
}

Entry* RunQueue::Pop(Clock::Time now) {
  Entry* entry = nullptr;
  if (IsTurn(now)) {
    entry = PopInTurn();
  } else {
    entry = by_deadline_.begin()->entry;
    by_deadline_.erase(by_deadline_.begin());
  }
  Unset(entry);
  entry->released = false;
  entry->phase = Entry::Phase::kRunning;
  return entry;
}

void RunQueue::Set(Entry* entry) {
  assert(!entry->is_set && !entry->released);
  if (entry->timing.release == Clock::kNever) return;
  entry->number = ++next_number_;
  entry->is_set = true;
  alarms_.insert(ByRelease(entry));
}

void RunQueue::Unset(Entry* entry) {
  if (!entry->is_set) return;
  alarms_.erase(ByRelease(entry));
  entry->is_set = entry->watched = false;
}

int RunQueue::Ring(Clock::Time now) {
  int idle = 0;
  while (!alarms_.empty() && alarms_.begin()->time <= now) {
    Entry* const entry = alarms_.begin()->entry;
    Unset(entry);
    const bool was_idle = entry->phase == Entry::Phase::kIdle;
    if (!was_idle && entry->timing.deadline == Clock::kNever) continue;  // Its turn comes anyhow.
    if (!was_idle) Erase(entry);
    Push(entry, now);
    if (was_idle) ++idle;
  }
  return idle;
}

Clock::Time RunQueue::next_alarm() const {
  return alarms_.empty() ? Clock::kNever : alarms_.begin()->time;
}

Entry* RunQueue::FirstUnwatched() const {
  const auto found = std::find_if(alarms_.begin(), alarms_.end(),
                                  [](const Place& place) { return !place.entry->watched; });
  return found == alarms_.end() ? nullptr : found->entry;
}

}  // namespace prospero
