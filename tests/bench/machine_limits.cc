#include "tests/bench/machine_limits.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <cstdlib>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <thread>
#include <tuple>
#include <vector>

#include "tests/bench/stopwatch.h"

// The baseline has no AES, which Highway would ask for.
#define HWY_DISABLE_PCLMUL_AES
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/bench/machine_limits.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "hwy/cache_control.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace prospero {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Memory is walked through at kStreams places at once, each as a run of its own, and asked for
/// kAhead values before it is needed: a core that has to wait for one place goes on at another.
/// One place and no asking is what STREAM does. `count` is a multiple of kGrain.

/// x ← a x + b for all values, `passes` times.
template <int kStreams, int64_t kAhead>
void RewriteIn(float* x, int64_t count, int64_t passes) {
  const hn::ScalableTag<float> tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const auto a = hn::Set(tag, 0.999F), b = hn::Set(tag, 1e-3F);
  const int64_t run = count / kStreams;
  for (int64_t pass = 0; pass < passes; ++pass) {
    for (int64_t i = 0; i < run; i += 2 * lanes) {
      for (int k = 0; k < kStreams; ++k) {
        float* const at = x + k * run + i;
        if constexpr (kAhead > 0) hwy::Prefetch(at + kAhead);
        if constexpr (kAhead > 0) hwy::Prefetch(at + kAhead + 16);
        hn::Store(hn::MulAdd(a, hn::Load(tag, at), b), tag, at);
        hn::Store(hn::MulAdd(a, hn::Load(tag, at + lanes), b), tag, at + lanes);
      }
    }
  }
}
void Rewrite(float* x, int64_t count, int64_t passes, bool several) {
  several ? RewriteIn<4, 512>(x, count, passes) : RewriteIn<1, 0>(x, count, passes);
}

/// The sum of all values, `passes` times.
template <int kStreams, int64_t kAhead>
float ReadIn(const float* x, int64_t count, int64_t passes) {
  const hn::ScalableTag<float> tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const int64_t run = count / kStreams;
  auto s0 = hn::Zero(tag), s1 = s0, s2 = s0, s3 = s0;
  for (int64_t pass = 0; pass < passes; ++pass) {
    for (int64_t i = 0; i < run; i += 4 * lanes) {
      for (int k = 0; k < kStreams; ++k) {
        const float* const at = x + k * run + i;
        for (int64_t line = 0; kAhead > 0 && line < 4; ++line) {
          hwy::Prefetch(at + kAhead + 16 * line);
        }
        s0 = hn::Add(s0, hn::Load(tag, at));
        s1 = hn::Add(s1, hn::Load(tag, at + lanes));
        s2 = hn::Add(s2, hn::Load(tag, at + 2 * lanes));
        s3 = hn::Add(s3, hn::Load(tag, at + 3 * lanes));
      }
    }
  }
  return hn::GetLane(hn::SumOfLanes(tag, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
}
float Read(const float* x, int64_t count, int64_t passes, bool several) {
  return several ? ReadIn<4, 512>(x, count, passes) : ReadIn<1, 0>(x, count, passes);
}

/// `count` times twelve fused multiply-adds that do not wait for each other. Returns how many
/// operations that were; *result keeps them from being left out.
template <class Real>
int64_t MultiplyAdd(int64_t count, Real* result) {
  const hn::ScalableTag<Real> tag;
  const auto a = hn::Set(tag, Real(0.999)), b = hn::Set(tag, Real(1e-3));
  // Each chain starts elsewhere: of two that are the same the compiler would keep one.
  const auto start = [tag, result](int k)
                         HWY_ATTR { return hn::Set(tag, *result + static_cast<Real>(k)); };
  auto x0 = start(0), x1 = start(1), x2 = start(2), x3 = start(3), x4 = start(4), x5 = start(5);
  auto x6 = start(6), x7 = start(7), x8 = start(8), x9 = start(9), x10 = start(10);
  auto x11 = start(11);
  for (int64_t i = 0; i < count; ++i) {
    x0 = hn::MulAdd(x0, a, b);
    x1 = hn::MulAdd(x1, a, b);
    x2 = hn::MulAdd(x2, a, b);
    x3 = hn::MulAdd(x3, a, b);
    x4 = hn::MulAdd(x4, a, b);
    x5 = hn::MulAdd(x5, a, b);
    x6 = hn::MulAdd(x6, a, b);
    x7 = hn::MulAdd(x7, a, b);
    x8 = hn::MulAdd(x8, a, b);
    x9 = hn::MulAdd(x9, a, b);
    x10 = hn::MulAdd(x10, a, b);
    x11 = hn::MulAdd(x11, a, b);
  }
  x0 = hn::Add(hn::Add(hn::Add(x0, x1), hn::Add(x2, x3)), hn::Add(x4, x5));
  x6 = hn::Add(hn::Add(hn::Add(x6, x7), hn::Add(x8, x9)), hn::Add(x10, x11));
  *result = hn::GetLane(hn::SumOfLanes(tag, hn::Add(x0, x6)));
  return 2 * 12 * static_cast<int64_t>(hn::Lanes(tag)) * count;
}
int64_t MultiplyAdd32(int64_t count, float* result) { return MultiplyAdd(count, result); }
int64_t MultiplyAdd64(int64_t count, double* result) { return MultiplyAdd(count, result); }

}  // namespace HWY_NAMESPACE
}  // namespace prospero
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace prospero {

HWY_EXPORT(Rewrite);
HWY_EXPORT(Read);
HWY_EXPORT(MultiplyAdd32);
HWY_EXPORT(MultiplyAdd64);

namespace {

constexpr int kTries = 5;
constexpr int64_t kBytesPerTry = int64_t{64} << 20;  // a millisecond or some
constexpr int64_t kGrain = 1024;                     // values

/// Calls work(0) ... work(threads - 1) at the same time, several times over, and gives the
/// seconds that the quickest time took. The first one warms up.
double BestSeconds(int threads, const std::function<void(int)>& work) {
  std::barrier line(threads);
  std::vector<std::thread> others;
  for (int k = 1; k < threads; ++k) {
    others.emplace_back([&line, &work, k] {
      for (int i = 0; i <= kTries; ++i) {
        line.arrive_and_wait();
        work(k);
        line.arrive_and_wait();
      }
    });
  }
  const auto seconds = threads == 1 ? ThreadSeconds : WallSeconds;
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i <= kTries; ++i) {
    line.arrive_and_wait();
    const double begin = seconds();
    work(0);
    line.arrive_and_wait();
    if (i > 0) best = std::min(best, seconds() - begin);
  }
  for (std::thread& other : others) other.join();
  return best;
}

/// The best of what was measured under that name since the program began.
double Best(const std::tuple<int, int64_t, int>& name, double measured) {
  static std::map<std::tuple<int, int64_t, int>, double> seen;
  double& best = seen[name];
  return best = std::max(best, measured);
}

struct Free {
  void operator()(float* x) const { std::free(x); }
};

/// All ones, on huge pages where they fit, as the arrays of a network.
std::unique_ptr<float[], Free> Ones(int64_t count) {
  constexpr size_t kHugePage = size_t{2} << 20;
  const size_t size =
      (static_cast<size_t>(count) * sizeof(float) + kHugePage - 1) & ~(kHugePage - 1);
  std::unique_ptr<float[], Free> x(static_cast<float*>(std::aligned_alloc(kHugePage, size)));
  if (x == nullptr) std::abort();
  madvise(x.get(), size, MADV_HUGEPAGE);
  std::fill_n(x.get(), count, 1.0F);
  return x;
}

double Bandwidth(int64_t bytes, int threads, bool rewrite) {
  const int64_t share =
      std::max(kGrain, bytes / static_cast<int64_t>(sizeof(float)) / threads / kGrain * kGrain);
  const int64_t count = share * threads;
  const auto moved = static_cast<int64_t>(sizeof(float)) * count;
  const int64_t passes = std::max<int64_t>(1, kBytesPerTry / moved);
  const auto x = Ones(count);
  std::vector<float> sums(threads);
  double best = 0;
  for (const bool several : {false, true}) {
    const double seconds = BestSeconds(threads, [&](int k) {
      float* const mine = x.get() + k * share;
      if (rewrite) {
        HWY_DYNAMIC_DISPATCH(Rewrite)(mine, share, passes, several);
      } else {
        sums[k] = HWY_DYNAMIC_DISPATCH(Read)(mine, share, passes, several);
      }
    });
    best = std::max(best, static_cast<double>(moved * passes) / seconds * (rewrite ? 2 : 1));
  }
  for (const float sum : sums) {
    if (!(sum >= 0)) std::abort();
  }
  return Best({rewrite ? 1 : 0, bytes, threads}, best);
}

}  // namespace

double RewriteBandwidth(int64_t bytes, int threads) { return Bandwidth(bytes, threads, true); }

double ReadBandwidth(int64_t bytes, int threads) { return Bandwidth(bytes, threads, false); }

double FmaPeak(DataType precision, int threads) {
  constexpr int64_t kCount = 500'000;
  const bool is_single = precision == DataType::kFloat32;
  std::vector<int64_t> operations(threads);
  std::vector<double> results(threads);
  const double seconds = BestSeconds(threads, [&](int k) {
    float single = 1.0F;
    double twice = 1.0;
    operations[k] = is_single ? HWY_DYNAMIC_DISPATCH(MultiplyAdd32)(kCount, &single)
                              : HWY_DYNAMIC_DISPATCH(MultiplyAdd64)(kCount, &twice);
    results[k] = is_single ? single : twice;
  });
  int64_t sum = 0;
  for (int k = 0; k < threads; ++k) {
    if (!(results[k] > 0)) std::abort();
    sum += operations[k];
  }
  return Best({is_single ? 2 : 3, 0, threads}, static_cast<double>(sum) / seconds);
}

int64_t LastLevelCacheBytes() {
  for (const int name : {_SC_LEVEL4_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE, _SC_LEVEL2_CACHE_SIZE}) {
    if (const long bytes = sysconf(name); bytes > 0) return bytes;
  }
  return int64_t{32} << 20;
}

}  // namespace prospero
#endif  // HWY_ONCE
