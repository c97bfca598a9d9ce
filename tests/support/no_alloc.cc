#include "tests/support/no_alloc.h"

#include <cerrno>
#include <cstddef>

namespace {

thread_local int64_t allocations = 0;
thread_local int64_t bytes_allocated = 0;

void Count(size_t bytes) {
  ++allocations;
  bytes_allocated += static_cast<int64_t>(bytes);
}

}  // namespace

// glibc's own, under the names that it keeps for those who replace the usual ones.
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* block, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) {
  Count(size);
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  Count(count * size);
  return __libc_calloc(count, size);
}
void* realloc(void* block, size_t size) {
  Count(size);
  return __libc_realloc(block, size);
}
void* memalign(size_t alignment, size_t size) {
  Count(size);
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  Count(size);
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** block, size_t alignment, size_t size) {
  Count(size);
  *block = __libc_memalign(alignment, size);
  return *block == nullptr ? ENOMEM : 0;
}
}

namespace prospero {

AllocationCounter::AllocationCounter() : before_(allocations), bytes_before_(bytes_allocated) {}

int64_t AllocationCounter::count() const { return allocations - before_; }

int64_t AllocationCounter::bytes() const { return bytes_allocated - bytes_before_; }

}  // namespace prospero
