#pragma once

#include <chrono>

namespace prospero {

/// Monotonic time. Tests bring their own.
class Clock {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// Later than any time that comes.
  static constexpr Time kNever = Time::max();
  virtual ~Clock() = default;
  virtual Time Now() const = 0;
  /// The machine's.
  static const Clock& Real();
};

}  // namespace prospero
