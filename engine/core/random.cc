#include "engine/core/random.h"

#include <cmath>
#include <numbers>

namespace prospero {
namespace {

constexpr uint32_t Low(uint64_t x) { return static_cast<uint32_t>(x); }
constexpr uint32_t High(uint64_t x) { return static_cast<uint32_t>(x >> 32); }

/// 53 of 64 bits as a number on [0, 1).
double UnitInterval(uint32_t low, uint32_t high) {
  const uint64_t bits = (uint64_t{high} << 32 | low) >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}

}  // namespace

uint64_t StreamOf(absl::string_view name) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3u;
  }
  return hash;
}

std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53u} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {High(b) ^ counter[1] ^ key[0], Low(b), High(a) ^ counter[3] ^ key[1], Low(a)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return counter;
}

std::array<uint32_t, 4> RandomStream::Block(int64_t index) const {
  const auto n = static_cast<uint64_t>(index);
  return Philox({Low(n), High(n), Low(stream_), High(stream_)}, {Low(seed_), High(seed_)});
}

double RandomStream::Uniform(int64_t index) const {
  const std::array<uint32_t, 4> block = Block(index);
  return UnitInterval(block[0], block[1]);
}

double RandomStream::Normal(int64_t index) const {
  const std::array<uint32_t, 4> block = Block(index);
  const double radius = std::sqrt(-2.0 * std::log(1.0 - UnitInterval(block[0], block[1])));
  return radius * std::cos(2.0 * std::numbers::pi * UnitInterval(block[2], block[3]));
}

}  // namespace prospero
