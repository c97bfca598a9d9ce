#pragma once

#include <vector>

#include "engine/core/network.h"
#include "engine/models/microcircuit/layer.h"
#include "engine/models/microcircuit/membrane.h"
#include "engine/models/microcircuit/microcircuit.h"
#include "engine/models/microcircuit/self_prediction.h"

namespace prospero::microcircuit {

/// Warns of each loop from layer `layer` to the one that feeds back to it, and back, that will
/// diverge: rates answer within one step, so a gain above 1 grows with each round. At the greatest
/// slopes of the activations the gain is
///
///   ρ( λ_a (1 − λ_i) B φ′ λ W φ′ ... λ W φ′ )
///
/// with the spectral radius ρ, for the B that there is and, where B learns, for the fixed point of
/// fixed_point.h. An estimate: it follows one loop, with interneurons that predict what they have
/// learned to. `path`: the W on the way up.
template <class Real>
void WarnOfLoop(const MicrocircuitSpec& spec, size_t layer, const Path<Real>& path,
                const Synapses<Real>& B, double dt, std::vector<Warning>& warnings);

}  // namespace prospero::microcircuit
