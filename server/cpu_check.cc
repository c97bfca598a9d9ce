// Compiled for plain x86-64. It must call nothing that is compiled for more: no inline
// function of the standard library, no function of ours.

#include "server/cpu_check.h"

#include <cpuid.h>
#include <unistd.h>

namespace prospero::server {
namespace {

constexpr unsigned kFma = 1U << 12, kMovbe = 1U << 22, kOsxsave = 1U << 27, kAvx = 1U << 28,
                   kF16c = 1U << 29;                                   // leaf 1, ecx
constexpr unsigned kBmi1 = 1U << 3, kAvx2 = 1U << 5, kBmi2 = 1U << 8;  // leaf 7, ebx
constexpr unsigned kLzcnt = 1U << 5;                                   // leaf 0x80000001, ecx
constexpr unsigned kSavesYmm = 6;                                      // xcr0: sse and avx

bool HasAll(unsigned value, unsigned bits) { return (value & bits) == bits; }

/// Whether the operating system saves the wide registers.
bool SystemSavesYmm() {
  unsigned low = 0;
  unsigned high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return HasAll(low, kSavesYmm);
}

__attribute__((constructor(101))) void Check() {
  if (CpuIsSupported()) return;
  constexpr char kMessage[] =
      "prosperod: this machine's processor is too old: it must have AVX2, FMA, BMI2 and F16C "
      "(x86-64-v3: Intel since Haswell, AMD since Excavator)\n";
  // Nothing can be done if stderr is closed.
  [[maybe_unused]] const auto written = write(STDERR_FILENO, kMessage, sizeof(kMessage) - 1);
  _exit(2);
}

}  // namespace

bool CpuIsSupported() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return false;
  if (!HasAll(ecx, kFma | kMovbe | kOsxsave | kAvx | kF16c) || !SystemSavesYmm()) return false;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  if (!HasAll(ebx, kBmi1 | kAvx2 | kBmi2)) return false;
  return __get_cpuid(0x80000001U, &eax, &ebx, &ecx, &edx) != 0 && HasAll(ecx, kLzcnt);
}

}  // namespace prospero::server
