#pragma once

#include <cstdint>
#include <memory>

#include "engine/models/gle/gle.h"

namespace prospero {

/// A graph that has everything: two inputs `x` and `z`, two outputs `out` and `classes`, skips,
/// lateral and recurrent projections, a pair joined twice, an output that projects on, constant
/// arrays, every feedback path, noise of both kinds, every activation, loss and optimizer.
GleSpec Tangle();

/// Writes the inputs and targets of step n, noise that changes every 10 steps; a target is
/// absent in the first 20 of 100 steps.
void WriteTangle(int64_t n, const Network& network);

/// Writes and advances, from step `begin` to before `end`.
void RunTangle(int64_t begin, int64_t end, double dt, Network& network);

}  // namespace prospero
