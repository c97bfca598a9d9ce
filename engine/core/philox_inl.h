#pragma once

// Philox (random.h) for four counters side by side. Only for .cc files of the engine.

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/core/simd.h"

namespace prospero {

/// Each lane of 64 bits holds one word of 32 bits.
using Words = hn::FixedTag<uint64_t, 4>;
using WordVec = hn::Vec<Words>;

/// Four blocks of Philox, word by word.
struct PhiloxBlocks {
  WordVec x0, x1, x2, x3;
};

inline WordVec LowWord(WordVec x) { return hn::And(x, hn::Set(Words(), uint64_t{0xFFFFFFFFu})); }
inline WordVec HighWord(WordVec x) { return hn::ShiftRight<32>(x); }

/// The product of the lower words of each lane.
inline WordVec WordProduct(WordVec x, uint64_t factor) {
  const hn::FixedTag<uint32_t, 8> halves;
  return hn::MulEven(hn::BitCast(halves, x), hn::BitCast(halves, hn::Set(Words(), factor)));
}

/// The keys of ten rounds, each word in all lanes.
class PhiloxKeys {
 public:
  /// {lower word of key, its upper word}
  explicit PhiloxKeys(uint64_t key) {
    for (uint64_t round = 0; round < kRounds; ++round) {
      low_[round] = (key & 0xFFFFFFFFu) + round * 0x9E3779B9u;
      high_[round] = (key >> 32) + round * 0xBB67AE85u;
    }
  }

  /// Philox(c, key) in each lane. Bits above the words of `c` do not count.
  HWY_INLINE PhiloxBlocks operator()(PhiloxBlocks c) const {
    for (size_t round = 0; round < kRounds; ++round) c = Round(c, round);
    return Words32(c);
  }
  /// The same for two at once: a round waits for the products of the one before, and meanwhile
  /// there is the other.
  HWY_INLINE void operator()(PhiloxBlocks& c, PhiloxBlocks& d) const {
    for (size_t round = 0; round < kRounds; ++round) {
      c = Round(c, round);
      d = Round(d, round);
    }
    c = Words32(c);
    d = Words32(d);
  }

 private:
  static constexpr size_t kRounds = 10;

  /// Only lower words are ever multiplied, so that what stands above them may be anything.
  HWY_INLINE PhiloxBlocks Round(PhiloxBlocks c, size_t round) const {
    const WordVec a = WordProduct(c.x0, 0xD2511F53u), b = WordProduct(c.x2, 0xCD9E8D57u);
    return {hn::Xor(hn::Xor(HighWord(b), c.x1), hn::Set(Words(), low_[round])), b,
            hn::Xor(hn::Xor(HighWord(a), c.x3), hn::Set(Words(), high_[round])), a};
  }
  static PhiloxBlocks Words32(PhiloxBlocks c) {
    return {LowWord(c.x0), LowWord(c.x1), LowWord(c.x2), LowWord(c.x3)};
  }

  std::array<uint64_t, kRounds> low_, high_;
};

}  // namespace prospero
