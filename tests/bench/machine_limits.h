#pragma once

#include <cstdint>

#include "engine/core/variable.h"

namespace prospero {

/// What this machine can do at most, measured by this process with the widest vectors that it
/// has. Each call measures for some tens of milliseconds and gives the best that was seen since
/// the program began: others who use the machine can only make it look slower. From one thread
/// at a time.

/// Bytes per second that `threads` threads together move when they read and write again all of
/// `bytes` bytes, over and over: what learning does with weights. Counts both ways.
double RewriteBandwidth(int64_t bytes, int threads);

/// Bytes per second when they only read: what weights at rest cost.
double ReadBandwidth(int64_t bytes, int threads);

/// Fused multiply-adds of `threads` threads together, each counted as two operations per second.
double FmaPeak(DataType precision, int threads);

/// Of the last-level cache; 32 MiB where the system does not tell.
int64_t LastLevelCacheBytes();

}  // namespace prospero
