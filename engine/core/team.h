#pragma once

#include <cstdint>

#include "absl/functional/function_ref.h"

namespace prospero {

/// Threads that work on one step of a large network together. A step gives the same bits with
/// any team and with none: what is split, and the order in which the parts are summed, depends
/// on shapes alone.
class Team {
 public:
  virtual ~Team() = default;

  /// Calls task(0) ... task(count - 1), each once, in any order and on any of the threads, the
  /// calling one among them; returns when all are done. Neither allocates nor throws. Not from
  /// within a task.
  virtual void Run(int64_t count, absl::FunctionRef<void(int64_t)> task) noexcept = 0;
};

/// The tasks on `team`, or one after the other if there is none.
inline void RunOn(Team* team, int64_t count, absl::FunctionRef<void(int64_t)> task) {
  if (team != nullptr && count > 1) return team->Run(count, task);
  for (int64_t i = 0; i < count; ++i) task(i);
}

}  // namespace prospero
