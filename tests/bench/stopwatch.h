#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <limits>

namespace prospero {

/// [s], since some moment.
inline double WallSeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// How long the clock's thread, or process, has run [s].
inline double CpuSeconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// How long the calling thread has run [s]. For what one thread does alone: time that others took
/// from it is not in it.
inline double ThreadSeconds() { return CpuSeconds(CLOCK_THREAD_CPUTIME_ID); }

/// How long all threads of this process have run, together [s].
inline double ProcessSeconds() { return CpuSeconds(CLOCK_PROCESS_CPUTIME_ID); }

/// The rate of something that is done over and over, in short runs of which the quickest counts:
/// others who use the machine can only make one slower.
class BestRate {
 public:
  /// Does `once` `count` times, by `seconds`, which is one of the two above.
  template <class F>
  void Run(int64_t count, double (*seconds)(), const F& once) {
    const double begin = seconds();
    for (int64_t i = 0; i < count; ++i) once();
    best_ = std::min(best_, (seconds() - begin) / static_cast<double>(count));
  }

  double per_second() const { return 1 / best_; }

 private:
  double best_ = std::numeric_limits<double>::infinity();
};

}  // namespace prospero
