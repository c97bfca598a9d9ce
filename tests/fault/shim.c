// Makes a disk fail and a clock jump for one process: LD_PRELOAD it. What it does stands in a file
// of 64-bit numbers, named in PROSPERO_SHIM, that the test maps and writes while the process runs;
// shim.py has the same list. Only files below PROSPERO_SHIM_DIR are touched.
//
//   cc -shared -fPIC -O2 -o shim.so shim.c -ldl
//
// What it cannot do: a page that is mapped and written does not pass here, and neither do
// operations that the kernel makes by itself.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
  kSpace,         // bytes that can still be written; < 0: any number
  kWriteError,    // errno of a write without space; 0: ENOSPC
  kShortWrites,   // not 0: a write takes at most half of what it is given
  kSyncFailures,  // so many syncs fail with EIO; < 0: all
  kSyncDelay,     // [us], of each sync
  kClockOffset,   // [ns], added to the wall clock
  kWrites,        // counted: writes, those refused, syncs, those refused, looks at the wall clock
  kWritesRefused,
  kSyncs,
  kSyncsRefused,
  kLooks,
  kCount
};

static _Atomic int64_t idle[kCount] = {-1};
static _Atomic int64_t* control = idle;
static char directory[4096];
static size_t directory_length;

__attribute__((constructor)) static void Open(void) {
  const char* const path = getenv("PROSPERO_SHIM");
  const char* const below = getenv("PROSPERO_SHIM_DIR");
  if (path == NULL || below == NULL || strlen(below) >= sizeof(directory)) return;
  const int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void* const mapped =
      mmap(NULL, kCount * sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (mapped == MAP_FAILED) return;
  strcpy(directory, below);
  directory_length = strlen(below);
  control = mapped;
}

#define REAL(name)               \
  static __typeof__(name)* real; \
  if (real == NULL) real = (__typeof__(name)*)dlsym(RTLD_NEXT, #name)

static bool IsOurs(int file) {
  if (control == idle) return false;
  char link[64];
  char path[4096];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
  const ssize_t length = readlink(link, path, sizeof(path));
  return length > (ssize_t)directory_length && memcmp(path, directory, directory_length) == 0 &&
         path[directory_length] == '/';
}

static int WriteError(void) {
  const int64_t given = control[kWriteError];
  return given == 0 ? ENOSPC : (int)given;
}

// How many of the bytes may be written; 0 with errno set when none may.
static size_t Admit(size_t bytes) {
  control[kWrites]++;
  if (bytes == 0) return 0;
  if (control[kShortWrites] != 0 && bytes > 1) bytes /= 2;
  int64_t space = control[kSpace];
  for (;;) {
    if (space < 0) return bytes;
    const int64_t taken = space < (int64_t)bytes ? space : (int64_t)bytes;
    if (taken == 0) break;
    if (atomic_compare_exchange_weak(&control[kSpace], &space, space - taken)) {
      return (size_t)taken;
    }
  }
  control[kWritesRefused]++;
  errno = WriteError();
  return 0;
}

ssize_t write(int file, const void* data, size_t bytes) {
  REAL(write);
  if (!IsOurs(file) || bytes == 0) return real(file, data, bytes);
  const size_t admitted = Admit(bytes);
  return admitted == 0 ? -1 : real(file, data, admitted);
}

#define PWRITE(name)                                                         \
  ssize_t name(int file, const void* data, size_t bytes, off_t offset) {     \
    REAL(name);                                                              \
    if (!IsOurs(file) || bytes == 0) return real(file, data, bytes, offset); \
    const size_t admitted = Admit(bytes);                                    \
    return admitted == 0 ? -1 : real(file, data, admitted, offset);          \
  }
PWRITE(pwrite)
PWRITE(pwrite64)

// Of several parts only the first one is written: a short write, which is always allowed.
ssize_t writev(int file, const struct iovec* parts, int count) {
  REAL(writev);
  if (!IsOurs(file) || count <= 0) return real(file, parts, count);
  int first = 0;
  while (first < count && parts[first].iov_len == 0) ++first;
  if (first == count) return 0;
  return write(file, parts[first].iov_base, parts[first].iov_len);
}

// Whether space can be had that is not written yet.
static bool Grows(int file, off_t size) {
  struct stat status;
  if (!IsOurs(file) || fstat(file, &status) != 0 || status.st_size >= size) return true;
  if (control[kSpace] != 0) return true;
  control[kWritesRefused]++;
  return false;
}

#define TRUNCATE(name)                              \
  int name(int file, off_t size) {                  \
    REAL(name);                                     \
    if (Grows(file, size)) return real(file, size); \
    errno = WriteError();                           \
    return -1;                                      \
  }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define FALLOCATE(name)                                                      \
  int name(int file, int mode, off_t offset, off_t bytes) {                  \
    REAL(name);                                                              \
    if (Grows(file, offset + bytes)) return real(file, mode, offset, bytes); \
    errno = WriteError();                                                    \
    return -1;                                                               \
  }
FALLOCATE(fallocate)
FALLOCATE(fallocate64)

// These return the error and leave errno alone.
#define POSIX_FALLOCATE(name)                                          \
  int name(int file, off_t offset, off_t bytes) {                      \
    REAL(name);                                                        \
    if (Grows(file, offset + bytes)) return real(file, offset, bytes); \
    return WriteError();                                               \
  }
POSIX_FALLOCATE(posix_fallocate)
POSIX_FALLOCATE(posix_fallocate64)

// Whether a sync may go on; it is slow first.
static bool MaySync(int file) {
  if (!IsOurs(file)) return true;
  control[kSyncs]++;
  const int64_t delay = control[kSyncDelay];
  if (delay > 0) usleep((useconds_t)delay);
  int64_t failures = control[kSyncFailures];
  while (failures != 0) {
    const int64_t left = failures < 0 ? failures : failures - 1;
    if (!atomic_compare_exchange_weak(&control[kSyncFailures], &failures, left)) continue;
    control[kSyncsRefused]++;
    errno = EIO;
    return false;
  }
  return true;
}

int fsync(int file) {
  REAL(fsync);
  return MaySync(file) ? real(file) : -1;
}

int fdatasync(int file) {
  REAL(fdatasync);
  return MaySync(file) ? real(file) : -1;
}

static const int64_t kSecond = 1000000000;

static struct timespec Shifted(struct timespec time, int64_t offset) {
  int64_t ns = time.tv_nsec + offset % kSecond;
  time.tv_sec += offset / kSecond;
  if (ns < 0) {
    ns += kSecond;
    --time.tv_sec;
  } else if (ns >= kSecond) {
    ns -= kSecond;
    ++time.tv_sec;
  }
  time.tv_nsec = ns;
  return time;
}

int clock_gettime(clockid_t clock, struct timespec* time) {
  REAL(clock_gettime);
  const int result = real(clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    control[kLooks]++;
    *time = Shifted(*time, control[kClockOffset]);
  }
  return result;
}

int gettimeofday(struct timeval* restrict time, void* restrict zone) {
  (void)zone;
  struct timespec now;
  const int result = clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return result;
}

time_t time(time_t* to) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (to != NULL) *to = now.tv_sec;
  return now.tv_sec;
}

// Who waits until a moment of the wall clock waits longer when the clock is put back, and shorter
// when it is put on. The kernel does not know of our clock: we wait a little, look again, and
// wake the caller for nothing, as every wait may, when it is not time yet.

static const int64_t kGlance = 20000000;  // [ns]

// Until when to wait in the kernel's time. Never after `deadline` has passed by our clock.
static struct timespec Glance(const struct timespec* deadline, bool* is_last) {
  const int64_t offset = control[kClockOffset];
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const int64_t left = (deadline->tv_sec - now.tv_sec) * kSecond + deadline->tv_nsec - now.tv_nsec;
  *is_last = left <= kGlance;
  return *is_last ? Shifted(*deadline, -offset) : Shifted(Shifted(now, -offset), kGlance);
}

int pthread_cond_timedwait(pthread_cond_t* restrict condition, pthread_mutex_t* restrict mutex,
                           const struct timespec* restrict deadline) {
  static __typeof__(pthread_cond_timedwait)* real;
  if (real == NULL) {
    real = (__typeof__(real))dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
  }
  // glibc keeps the clock of a condition in the second bit of this word.
  const bool is_wall = (condition->__data.__wrefs & 2) == 0;
  if (!is_wall || control == idle) return real(condition, mutex, deadline);
  bool is_last;
  const struct timespec until = Glance(deadline, &is_last);
  const int result = real(condition, mutex, &until);
  return result == ETIMEDOUT && !is_last ? 0 : result;
}

int pthread_cond_clockwait(pthread_cond_t* restrict condition, pthread_mutex_t* restrict mutex,
                           clockid_t clock, const struct timespec* restrict deadline) {
  REAL(pthread_cond_clockwait);
  if (clock != CLOCK_REALTIME || control == idle) return real(condition, mutex, clock, deadline);
  bool is_last;
  const struct timespec until = Glance(deadline, &is_last);
  const int result = real(condition, mutex, clock, &until);
  return result == ETIMEDOUT && !is_last ? 0 : result;
}

// Abseil waits so.
long syscall(long number, ...) {
  REAL(syscall);
  va_list list;
  va_start(list, number);
  long a[6];
  for (int i = 0; i < 6; ++i) a[i] = va_arg(list, long);
  va_end(list);
  const int wall_wait = FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME;
  const struct timespec* const deadline = (const struct timespec*)a[3];
  if (number != SYS_futex || control == idle || deadline == NULL ||
      ((int)a[1] & ~FUTEX_PRIVATE_FLAG) != wall_wait) {
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  }
  bool is_last;
  const struct timespec until = Glance(deadline, &is_last);
  const long result = real(number, a[0], a[1], a[2], &until, a[4], a[5]);
  return result == -1 && errno == ETIMEDOUT && !is_last ? 0 : result;
}
