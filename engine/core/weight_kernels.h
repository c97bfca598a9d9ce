#pragma once

#include <cstdint>

#include "engine/core/weight_pass.h"

namespace prospero {

// The kernels of a weight pass, each compiled for AVX2 and for AVX-512; the machine that they
// run on decides which one is called, and not what it computes. learn_pre and learn_post are
// given, and s or e_bottom may be null, as in WeightPass; tiles and team do not matter here.

/// Forward, backward and update with one trial, over all rows.
void RunSinglePass(const WeightPass<float>& pass);
void RunSinglePass(const WeightPass<double>& pass);

/// Of many trials: e_bottom of the columns [begin, end), multiples of a padded row. `anew`: its
/// new part is summed by itself and then added, as a tile of a single pass does it.
void RunBackward(const WeightPass<float>& pass, int64_t begin, int64_t end, bool anew);
void RunBackward(const WeightPass<double>& pass, int64_t begin, int64_t end, bool anew);

/// Of many trials: forward and update of all rows.
void RunForwardAndLearn(const WeightPass<float>& pass);
void RunForwardAndLearn(const WeightPass<double>& pass);

}  // namespace prospero
