#pragma once

// simd_inl.h for code that is compiled once, for AVX2. Only for .cc files of the engine; not
// together with foreach_target.h.

#define HWY_COMPILE_ONLY_STATIC
#include "engine/core/simd_inl.h"

namespace prospero {

using namespace HWY_NAMESPACE;  // NOLINT(google-build-using-namespace): the only target here

}  // namespace prospero
