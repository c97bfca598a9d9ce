#pragma once

#include <cstdint>

namespace prospero {

/// Counts what this thread takes from the heap while it lives: calls of malloc and its kin,
/// which operator new and Eigen use. Needs a program without sanitizers, which have their own.
class AllocationCounter {
 public:
  AllocationCounter();
  int64_t count() const;
  /// What was asked for, whether or not it was given back.
  int64_t bytes() const;

 private:
  int64_t before_;
  int64_t bytes_before_;
};

}  // namespace prospero
