#pragma once

#include <map>
#include <set>
#include <string>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "engine/runtime/clock.h"
#include "engine/runtime/cursor.h"

namespace prospero::server {

/// When the policies of networks want a snapshot: `every` after the last one, or after the first
/// look at the network, and not while it stands where it stood then. Times are of a clock that
/// nobody sets. Used by one thread at a time.
class SnapshotSchedule {
 public:
  /// A snapshot is to be taken now; the next one is due `every` later. `last`: where the network
  /// was when its policy took the newest one.
  bool IsDue(const std::string& uid, absl::Duration every, const Cursor& cursor,
             const absl::optional<Cursor>& last, Clock::Time now);
  /// Forgets the networks that are not among these.
  void Keep(const std::set<std::string>& uids);

 private:
  struct Entry {
    absl::Duration every;
    Clock::Time next;
  };
  std::map<std::string, Entry> entries_;
};

}  // namespace prospero::server
