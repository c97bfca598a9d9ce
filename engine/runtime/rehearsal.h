#pragma once

#include <cstdint>

#include "engine/core/network.h"
#include "engine/runtime/clock.h"

namespace prospero {

/// What a step of a network costs [ns], found out by making some, at most 32 and for some 20 ms,
/// with a value at every port. Then everything is as it was, bit for bit: variables of all roles,
/// the noise (drawn from `noise_seed`), and whether it is finite, which it must be. Takes as much
/// memory as the network's arrays.
int64_t Rehearse(Network& network, const Step& next, uint64_t noise_seed, const Clock& clock);

}  // namespace prospero
