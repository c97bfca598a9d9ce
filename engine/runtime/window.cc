#include "engine/runtime/window.h"

#include <cstring>

#include "engine/runtime/packed.h"

namespace prospero {
namespace {

/// Bytes of the whole variable, so rounded that what follows is aligned for doubles.
int64_t WholeBytes(const Variable& variable) { return (variable.bytes() + 7) / 8 * 8; }

}  // namespace

Window::Window(const Variable& variable, const absl::optional<Slice>& slice)
    : variable_(&variable), count_(variable.size()), packed_(IsPacked(variable)) {
  if (!slice.has_value()) return;
  start_ = slice->start;
  stride_ = slice->stride;
  count_ = SliceCount(*slice, variable.size());
}

int64_t Window::scratch_bytes() const {
  const int64_t whole = packed_ ? 0 : WholeBytes(*variable_);
  return stride_ == 1 ? whole : whole + bytes();
}

const char* Window::Values(char* scratch) const {
  const char* all = static_cast<const char*>(variable_->data);
  if (!packed_) {
    variable_->Read(scratch);
    all = scratch;
    scratch += WholeBytes(*variable_);
  }
  const int64_t width = SizeOf(type());
  const char* from = all + start_ * width;
  if (stride_ == 1) return from;
  for (int64_t i = 0; i < count_; ++i) {
    std::memcpy(scratch + i * width, from + i * stride_ * width, static_cast<size_t>(width));
  }
  return scratch;
}

int64_t SliceCount(const Slice& slice, int64_t size) {
  if (slice.start < 0 || slice.start >= size || slice.count < 0 || slice.stride < 1) return -1;
  const int64_t most = (size - slice.start - 1) / slice.stride + 1;
  if (slice.count > most) return -1;
  return slice.count == 0 ? most : slice.count;
}

}  // namespace prospero
