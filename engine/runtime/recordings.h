#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/runtime/clock.h"
#include "engine/runtime/observer.h"
#include "engine/runtime/recorder.h"

namespace prospero {

/// Which recordings a network has, and how many readers each: equal selections, one recording.
/// Not thread-safe; knows the recorders, but runs nothing of them.
class Recordings {
 public:
  /// Recordings without readers that are kept, at most.
  static constexpr int64_t kMaxIdle = 16;

  /// Counts a reader of these selections; null when nobody records them yet.
  std::shared_ptr<Recorder> Enter(const std::vector<Selection>& selections);
  /// A new one, with one reader.
  void Add(const std::vector<Selection>& selections, std::shared_ptr<Recorder> recorder);
  void Leave(const Recorder* recorder, Clock::Time now);

  /// Takes out those that have had no reader for `retention`, and the oldest beyond kMaxIdle.
  std::vector<std::shared_ptr<Recorder>> TakeExpired(Clock::Time now,
                                                     Clock::Time::duration retention);

  int64_t readers() const { return readers_; }
  int64_t recordings() const { return static_cast<int64_t>(entries_.size()); }
  bool any_idle() const;

 private:
  struct Entry {
    std::vector<Selection> selections;
    std::shared_ptr<Recorder> recorder;
    int64_t readers = 0;
    Clock::Time idle_since;
  };

  std::vector<Entry> entries_;  ///< those that became idle later stand later
  int64_t readers_ = 0;
};

}  // namespace prospero
