#include "server/snapshot_schedule.h"

#include <iterator>

namespace prospero::server {

bool SnapshotSchedule::IsDue(const std::string& uid, absl::Duration every, const Cursor& cursor,
                             const absl::optional<Cursor>& last, Clock::Time now) {
  const auto period = absl::ToChronoNanoseconds(every);
  const auto [it, is_new] = entries_.try_emplace(uid, Entry{every, now + period});
  Entry& entry = it->second;
  if (entry.every != every) entry = {every, now + period};
  if (now < entry.next || cursor == last) return false;
  entry.next = now + period;
  return true;
}

void SnapshotSchedule::Keep(const std::set<std::string>& uids) {
  for (auto it = entries_.begin(); it != entries_.end();) {
    it = uids.contains(it->first) ? std::next(it) : entries_.erase(it);
  }
}

}  // namespace prospero::server
