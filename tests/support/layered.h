#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/models/latent_equilibrium/latent_equilibrium.h"

namespace prospero {

// Shorthand for specs of layered networks.

Plasticity Sgd(double learning_rate);
/// Learns by plain descent with a bias, tau = tau_m = 10 ms, fan-in weights.
LatentEquilibriumLayer DenseLayer(const std::string& name, int64_t size, Activation activation,
                                  double learning_rate = 0.0);
LatentEquilibriumLayer ConvolutionLayer(const std::string& name, int64_t channels,
                                        std::vector<int64_t> kernel, Activation activation,
                                        double learning_rate = 0.0);
LatentEquilibriumLayer PoolLayerOf(const std::string& name, std::vector<int64_t> window,
                                   LatentEquilibriumLayer::Pool::Kind kind);
Initializer NormalValues(double std);
Initializer GivenValues(std::vector<int64_t> shape, std::vector<double> values);
NoiseSpec OuNoise(double sigma, double tau);
/// Plasticity of B with decay.
Alignment Aligned(double learning_rate, double decay, double tau_hp);

NetworkOptions LayeredOptions(DataType precision = DataType::kFloat64, int64_t batch_size = 1,
                              double dt = 0.1);
/// Ends the program when the spec is refused.
std::unique_ptr<Network> Make(const LatentEquilibriumSpec& spec,
                              const NetworkOptions& options = LayeredOptions());

/// A network that has nearly everything: convolutions and pools of both kinds, noise and white
/// rate noise, filters, spread and learned time constants, every optimizer, learned feedback.
LatentEquilibriumSpec Menagerie();
/// Three dense layers in the other order, with learned feedback.
LatentEquilibriumSpec Dynamics();

/// Writes input and target of step n, random, new every 10 steps; there is no target in the first 5
/// of 20. For networks whose output is `out`.
void DriveLayers(int64_t n, const Network& network);
/// Drives and advances, from step `begin` to before `end`.
void RunLayers(int64_t begin, int64_t end, Network& network);

}  // namespace prospero
