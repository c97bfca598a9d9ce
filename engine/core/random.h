#pragma once

#include <array>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace prospero {

/// Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3",
/// SC 2011): 128 random bits as a pure function of a counter and a key. It has no history, so
/// that a restored or reordered run draws the same numbers.
std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// The number of the stream that belongs to a name: its FNV-1a hash.
uint64_t StreamOf(absl::string_view name);

/// Random numbers that are a function of (seed, stream, index). Thread-safe.
class RandomStream {
 public:
  RandomStream(uint64_t seed, uint64_t stream) : seed_(seed), stream_(stream) {}
  RandomStream(uint64_t seed, absl::string_view name) : RandomStream(seed, StreamOf(name)) {}

  /// Uniform on [0, 1), 53 random bits.
  double Uniform(int64_t index) const;
  /// out[k] = Uniform(first + k * stride) for k < count, many times as quick.
  void Uniform(int64_t first, int64_t stride, int64_t count, double* out) const;
  /// Standard Gaussian (Box and Muller 1958).
  double Normal(int64_t index) const;

 private:
  std::array<uint32_t, 4> Block(int64_t index) const;

  uint64_t seed_;
  uint64_t stream_;
};

}  // namespace prospero
