#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

namespace prospero {

/// Bytes that a row of an array is padded to: the width of the kernels.
inline constexpr int64_t kRowBytes = 64;
/// Weight matrices have a multiple of this many rows in memory.
inline constexpr int64_t kRowBlock = 4;

/// a * b and a + b of numbers >= 0, or INT64_MAX where that is too large.
int64_t SaturatingMul(int64_t a, int64_t b);
int64_t SaturatingAdd(int64_t a, int64_t b);
/// The smallest multiple of `step` that is >= n, or INT64_MAX.
int64_t RoundUp(int64_t n, int64_t step);

/// `n` values of a row with its padding, in values.
template <class Real>
int64_t PaddedRow(int64_t n) {
  return RoundUp(n, kRowBytes / static_cast<int64_t>(sizeof(Real)));
}

/// All arrays of a network, in one block of memory. Each one starts at a multiple of 64
/// bytes. First every array is asked for, then the block is allocated at once; so that what
/// a network needs can be known before it is spent.
class Arena {
 public:
  /// `*slot` will be the address of `count` values. The slot must stay where it is until
  /// Allocate.
  template <class T>
  void Want(T** slot, int64_t count) {
    constexpr auto assign = [](void* to, void* address) {
      *static_cast<T**>(to) = static_cast<T*>(address);
    };
    wanted_.push_back({slot, bytes_, assign});
    Add(count, static_cast<int64_t>(sizeof(T)));
  }

  /// Bytes asked for, INT64_MAX if that is too large for a number.
  int64_t bytes() const { return bytes_; }

  /// Fills the slots; all bits of the block are 0. False when there is no memory.
  bool Allocate();

 private:
  struct Free {
    void operator()(void* block) const { std::free(block); }
  };

  struct Wanted {
    void* slot;
    int64_t offset;  ///< [bytes]
    void (*assign)(void* slot, void* address);
  };

  void Add(int64_t count, int64_t width);

  std::vector<Wanted> wanted_;
  int64_t bytes_ = 0;
  std::unique_ptr<void, Free> block_;
};

}  // namespace prospero
