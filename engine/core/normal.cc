#include "engine/core/normal.h"

#include <array>
#include <cassert>
#include <numbers>

#include "engine/core/philox_inl.h"
#include "engine/core/random.h"
#include "engine/core/simd.h"
// After simd.h, which fixes the target.
#include "hwy/contrib/math/math-inl.h"

namespace prospero {
namespace {

/// 52 bits as a number on [1, 2).
Vec<double> OneToTwo(WordVec low, WordVec high) {
  const WordVec bits = hn::ShiftRight<12>(hn::Or(hn::ShiftLeft<32>(high), low));
  const WordVec one = hn::Set(Words(), uint64_t{0x3FF0000000000000u});
  return hn::BitCast(Tag<double>(), hn::Or(bits, one));
}

/// Eight Gaussians from four blocks of random bits.
void BoxMuller(const PhiloxBlocks& block, Vec<double>& first, Vec<double>& second) {
  const Tag<double> tag;
  // 2 − [1, 2) is never 0, as a logarithm needs it.
  const Vec<double> uniform = hn::Sub(SetVec(2.0), OneToTwo(block.x0, block.x1));
  const Vec<double> radius = hn::Sqrt(hn::Mul(SetVec(-2.0), hn::Log(tag, uniform)));
  const Vec<double> turn = hn::Sub(OneToTwo(block.x2, block.x3), SetVec(1.0));
  const Vec<double> angle = hn::Mul(SetVec(2.0 * std::numbers::pi), turn);
  first = hn::Mul(radius, hn::Cos(tag, angle));
  second = hn::Mul(radius, hn::Sin(tag, angle));
}

void Store(Vec<double> first, Vec<double> second, double* out) {
  StoreVec(first, out);
  StoreVec(second, out + 4);
}
void Store(Vec<double> first, Vec<double> second, float* out) {
  const hn::FixedTag<float, 4> tag;
  hn::Store(hn::DemoteTo(tag, first), tag, out);
  hn::Store(hn::DemoteTo(tag, second), tag, out + 4);
}

/// Each row of a stream has a key of its own.
uint64_t KeyOf(uint64_t seed, uint64_t stream, int64_t row) {
  const auto word = [](uint64_t x) { return static_cast<uint32_t>(x); };
  const auto k = static_cast<uint64_t>(row);
  const std::array<uint32_t, 4> bits = Philox(
      {word(stream), word(stream >> 32), word(k), word(k >> 32)}, {word(seed), word(seed >> 32)});
  return uint64_t{bits[1]} << 32 | bits[0];
}

}  // namespace

template <class Real>
void FillNormal(uint64_t seed, uint64_t stream, int64_t step, int64_t row, int64_t count,
                Real* out) {
  assert(count % 8 == 0);
  const PhiloxKeys philox(KeyOf(seed, stream, row));
  const auto n = static_cast<uint64_t>(step);
  const WordVec low = hn::Set(Words(), n), high = hn::Set(Words(), n >> 32);
  for (int64_t i = 0; i < count; i += 8) {
    const WordVec index = hn::Iota(Words(), static_cast<uint64_t>(i / 2));
    Vec<double> first, second;
    BoxMuller(philox({index, low, high, hn::Zero(Words())}), first, second);
    Store(first, second, out + i);
  }
}

template void FillNormal(uint64_t, uint64_t, int64_t, int64_t, int64_t, float*);
template void FillNormal(uint64_t, uint64_t, int64_t, int64_t, int64_t, double*);

}  // namespace prospero
