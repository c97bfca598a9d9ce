#include "engine/core/random.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/core/philox_inl.h"
#include "engine/core/simd.h"

namespace prospero {
namespace {

constexpr uint32_t Low(uint64_t x) { return static_cast<uint32_t>(x); }
constexpr uint32_t High(uint64_t x) { return static_cast<uint32_t>(x >> 32); }

/// 53 of 64 bits as a number on [0, 1).
double UnitInterval(uint32_t low, uint32_t high) {
  const uint64_t bits = (uint64_t{high} << 32 | low) >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}

/// The same, four at a time.
Vec<double> UnitInterval(WordVec low, WordVec high) {
  const WordVec bits = hn::ShiftRight<11>(hn::Or(hn::ShiftLeft<32>(high), low));
  // As the last digits of 2^52 and of 2^84, integers of 32 bits become doubles.
  const auto as_digits_of = [](double power, WordVec digits) {
    const hn::Vec<Tag<double>> base = SetVec(power);
    return hn::Sub(hn::BitCast(Tag<double>(), hn::Or(digits, hn::BitCast(Words(), base))), base);
  };
  const Vec<double> upper = as_digits_of(0x1p84, HighWord(bits));
  const Vec<double> lower = as_digits_of(0x1p52, LowWord(bits));
  return hn::Mul(hn::Add(upper, lower), SetVec(0x1p-53));
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

void RandomStream::Uniform(int64_t first, int64_t stride, int64_t count, double* out) const {
  constexpr int64_t kWidth = 2 * kVec<double>;
  const PhiloxKeys philox(seed_);
  const auto step = static_cast<uint64_t>(stride);
  alignas(32) const uint64_t offsets[] = {0, step, 2 * step, 3 * step};
  const WordVec stream_low = hn::Set(Words(), stream_);
  const WordVec stream_high = hn::Set(Words(), stream_ >> 32);
  const WordVec half = hn::Set(Words(), 4 * step);
  WordVec a = hn::Add(hn::Load(Words(), offsets), hn::Set(Words(), static_cast<uint64_t>(first)));
  for (int64_t k = 0; k < count; k += kWidth) {
    const WordVec b = hn::Add(a, half);
    PhiloxBlocks c = {a, HighWord(a), stream_low, stream_high};
    PhiloxBlocks d = {b, HighWord(b), stream_low, stream_high};
    philox(c, d);
    a = hn::Add(b, half);
    alignas(32) double last[kWidth];
    const bool is_last = count - k < kWidth;
    double* const to = is_last ? last : out + k;
    hn::StoreU(UnitInterval(c.x0, c.x1), Tag<double>(), to);
    hn::StoreU(UnitInterval(d.x0, d.x1), Tag<double>(), to + kVec<double>);
    if (is_last) std::copy_n(last, count - k, out + k);
  }
}

double RandomStream::Normal(int64_t index) const {
  const std::array<uint32_t, 4> block = Block(index);
  const double radius = std::sqrt(-2.0 * std::log(1.0 - UnitInterval(block[0], block[1])));
  return radius * std::cos(2.0 * std::numbers::pi * UnitInterval(block[2], block[3]));
}

}  // namespace prospero
