#pragma once

#include <memory>
#include <vector>

#include "engine/core/network.h"
#include "engine/models/microcircuit/layer.h"
#include "engine/models/microcircuit/microcircuit.h"

namespace prospero::microcircuit {

/// Warns of feedback that will diverge: rates answer within a step, so what grows, grows in each.
/// Estimated for the B that there is and, where B learns, for the fixed point of fixed_point.h, at
/// the greatest slopes of all activations and without a target:
///
///  - the gain of the loop from one layer to the one that feeds back to it and back,
///    ρ( λ_a (1 − λ_i) B φ′ λ W φ′ ... λ W φ′ ), with the spectral radius ρ. Interneurons that
///    predict what goes up take some of it off;
///  - if each is below 1: the growth of a small deviation in one step of the whole network, exact
///    for linear neurons and prospectivity 1.
///
/// `layers`: all but the input, with their first weights.
template <class Real>
void WarnOfLoops(const MicrocircuitSpec& spec,
                 const std::vector<std::unique_ptr<Layer<Real>>>& layers, double dt,
                 std::vector<Warning>& warnings);

}  // namespace prospero::microcircuit
