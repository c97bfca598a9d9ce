#include "engine/core/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace prospero {

int64_t SaturatingMul(int64_t a, int64_t b) {
  int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

int64_t SaturatingAdd(int64_t a, int64_t b) {
  int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

int64_t RoundUp(int64_t n, int64_t step) {
  const int64_t raised = SaturatingAdd(n, step - 1);
  return raised == INT64_MAX ? INT64_MAX : raised / step * step;
}

void Arena::Add(int64_t count, int64_t width) {
  bytes_ = SaturatingAdd(bytes_, RoundUp(SaturatingMul(count, width), kRowBytes));
}

bool Arena::Allocate() {
  constexpr int64_t kHugePage = int64_t{2} << 20;
  if (bytes_ == INT64_MAX) return false;
  const bool is_large = bytes_ >= 2 * kHugePage;
  const auto alignment = static_cast<size_t>(is_large ? kHugePage : kRowBytes);
  const auto size = static_cast<size_t>(std::max<int64_t>(bytes_, kRowBytes));
  void* block = nullptr;
  if (posix_memalign(&block, alignment, size) != 0) return false;
  block_.reset(block);
  // A step walks through all weights; small pages would cost it a table look-up for each. The
  // last page is a part of one and stays small: nothing is taken beyond what was asked for.
  if (is_large) madvise(block_.get(), size, MADV_HUGEPAGE);
  std::memset(block_.get(), 0, size);
  for (const Wanted& wanted : wanted_) {
    wanted.assign(wanted.slot, static_cast<char*>(block_.get()) + wanted.offset);
  }
  return true;
}

}  // namespace prospero
