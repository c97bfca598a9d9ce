#pragma once

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "engine/runtime/clock.h"
#include "engine/runtime/sample_encoder.h"

namespace prospero {

/// Memory that is shared with others. Thread-safe; its locks are leaves.
class MemoryPool {
 public:
  virtual ~MemoryPool() = default;
  /// kResourceExhausted, and no change, when too little is left.
  virtual absl::Status Take(int64_t bytes) = 0;
  virtual void Give(int64_t bytes) = 0;
};

/// How what observers see is kept and handed to them.
struct RecordingOptions {
  /// Null: the plain one.
  MakeSampleEncoder make_encoder = {};
  /// Runs a short job soon, on another thread, so that wake-ups cost the strand little. Null: they
  /// happen on the strand.
  std::function<void(std::function<void()>)> defer = {};
  /// What recordings live on; null: nobody counts. When it has no more, what is retained stays
  /// below what was asked for. It must outlive the instance and its observers.
  MemoryPool* memory = nullptr;
  /// For how long a recording goes on when its last reader has left.
  Clock::Time::duration retention = Clock::Time::duration::zero();
};

}  // namespace prospero
