#pragma once

#include <atomic>
#include <chrono>

#include "engine/runtime/clock.h"

namespace prospero {

/// Time that passes when the test says so. Thread-safe.
class FakeClock final : public Clock {
 public:
  Time Now() const override { return Time(std::chrono::nanoseconds(ns_.load())); }
  void Advance(std::chrono::nanoseconds by) { ns_.fetch_add(by.count()); }

 private:
  std::atomic<int64_t> ns_{1'000'000'000};
};

}  // namespace prospero
