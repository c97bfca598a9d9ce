#include "tests/support/layered.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace prospero {

Plasticity Sgd(double learning_rate) {
  Plasticity plasticity;
  plasticity.learning_rate = learning_rate;
  return plasticity;
}

LatentEquilibriumLayer DenseLayer(const std::string& name, int64_t size, Activation activation,
                                  double learning_rate) {
  LatentEquilibriumLayer layer;
  layer.name = name;
  layer.kind = LatentEquilibriumLayer::Dense{size};
  layer.activation = activation;
  layer.tau = {10.0};
  layer.plasticity = Sgd(learning_rate);
  layer.bias = LatentEquilibriumLayer::Bias{absl::nullopt, Sgd(learning_rate)};
  return layer;
}

LatentEquilibriumLayer ConvolutionLayer(const std::string& name, int64_t channels,
                                        std::vector<int64_t> kernel, Activation activation,
                                        double learning_rate) {
  LatentEquilibriumLayer layer = DenseLayer(name, 1, activation, learning_rate);
  layer.kind = LatentEquilibriumLayer::Convolution{channels, std::move(kernel), {}, {}};
  return layer;
}

LatentEquilibriumLayer PoolLayerOf(const std::string& name, std::vector<int64_t> window,
                                   LatentEquilibriumLayer::Pool::Kind kind) {
  LatentEquilibriumLayer layer;
  layer.name = name;
  layer.kind = LatentEquilibriumLayer::Pool{kind, std::move(window), {}};
  return layer;
}

Initializer NormalValues(double std) {
  Initializer initializer;
  initializer.kind = Initializer::Kind::kNormal;
  initializer.a = 0;
  initializer.b = std;
  return initializer;
}

Initializer GivenValues(std::vector<int64_t> shape, std::vector<double> values) {
  Initializer initializer;
  initializer.kind = Initializer::Kind::kValues;
  initializer.shape = std::move(shape);
  initializer.values = std::move(values);
  return initializer;
}

NoiseSpec OuNoise(double sigma, double tau) {
  NoiseSpec noise;
  noise.sigma = sigma;
  noise.tau = tau;
  return noise;
}

Alignment Aligned(double learning_rate, double decay, double tau_hp) {
  Alignment alignment;
  alignment.plasticity = Sgd(learning_rate);
  alignment.plasticity->weight_decay = decay;
  alignment.tau_hp = tau_hp;
  return alignment;
}

NetworkOptions LayeredOptions(DataType precision, int64_t batch_size, double dt) {
  NetworkOptions options;
  options.dt = dt;
  options.precision = precision;
  options.batch_size = batch_size;
  options.seed = 11;
  return options;
}

std::unique_ptr<Network> Make(const LatentEquilibriumSpec& spec, const NetworkOptions& options) {
  auto network = MakeLatentEquilibrium(spec, options, NetworkLimits());
  if (network.ok()) return std::move(*network);
  std::fprintf(stderr, "%s\n", network.status().ToString().c_str());
  std::abort();
}

}  // namespace prospero
