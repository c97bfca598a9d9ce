#pragma once

#include <vector>

#include "engine/models/microcircuit/membrane.h"
#include "engine/models/microcircuit/synapses.h"

namespace prospero::microcircuit {

/// The synapses from the rates of a layer to the layer that feeds back to it, in the order in
/// which a signal passes them: one W, or with SKIP those of all layers on the way to the output.
template <class Real>
using Path = std::vector<const Synapses<Real>*>;

/// Sets V to the state of self-prediction (microcircuit.h):
///
///   V = (g_l + g_d)/g_d λ_top W_top λ W ... λ W_first
///
/// λ_top is that of the output if the path leads `to_output`.
template <class Real>
void SetSelfPredicting(const Path<Real>& path, bool to_output, const Membrane& membrane,
                       Synapses<Real>& V);

}  // namespace prospero::microcircuit
