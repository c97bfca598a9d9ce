#pragma once

#include <cstdint>
#include <memory>

#include "engine/models/gle/gle.h"

namespace prospero {

/// Input `x`, output `y`, one neuron each; W starts at 0.5 and learns by plain descent.
GleSpec Pair(Activation activation = Activation::kLinear);

/// [ms], of the networks below.
inline constexpr double kPairDt = 0.05;

NetworkOptions PairOptions(DataType precision = DataType::kFloat32, int64_t batch_size = 3);
/// Ends the program when the spec is refused.
std::unique_ptr<Network> Make(const GleSpec& spec, const NetworkOptions& options = PairOptions());

/// The input and the target of a Pair.
void Teach(double input, double target, const Network& network);
void Advance(int64_t steps, Network& network);

}  // namespace prospero
