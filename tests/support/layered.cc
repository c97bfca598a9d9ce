#include "tests/support/layered.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "engine/core/random.h"
#include "tests/support/variables.h"

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

LatentEquilibriumSpec Menagerie() {
  using Layer = LatentEquilibriumLayer;
  LatentEquilibriumSpec spec;
  spec.input_shape = {2, 9, 9};
  spec.layers = {ConvolutionLayer("a", 3, {3}, Activation::kTanh, 0.02),
                 PoolLayerOf("b", {2}, Layer::Pool::Kind::kMax),
                 ConvolutionLayer("c", 4, {2}, Activation::kSigmoid, 0.02),
                 PoolLayerOf("d", {2}, Layer::Pool::Kind::kAverage),
                 DenseLayer("e", 19, Activation::kSoftplus, 0.02),
                 DenseLayer("out", 3, Activation::kLinear, 0.02)};
  std::get<Layer::Convolution>(spec.layers[0].kind).padding = {1};
  spec.feedback = FeedbackPath::kAligned;
  spec.gamma = 0.5;
  spec.beta = 0.3;
  spec.tau_rate = 0.2;
  spec.tau_error = 0.3;
  spec.tau_target = 0.4;
  for (const size_t l : {0, 1, 3, 4}) spec.layers[l].noise = OuNoise(0.05, 1.0);
  spec.layers[3].noise->kind = NoiseSpec::Kind::kHeldWhite;
  spec.layers[3].noise->tau = 0;
  spec.layers[3].noise->hold = 3;
  for (const size_t l : {2, 4, 5}) spec.layers[l].alignment = Aligned(0.1, 0.01, 1.0);
  spec.layers[0].tau_spread = 0.2;
  spec.layers[4].rate_noise = 0.05;
  spec.layers[4].tau_m = {5.0};
  spec.layers[4].tau_m_plasticity = Sgd(0.01);
  spec.layers[0].plasticity->optimizer = Optimizer::kAdam;
  spec.layers[2].plasticity->optimizer = Optimizer::kMomentum;
  spec.layers[2].plasticity->momentum = 0.5;
  spec.layers[4].plasticity->optimizer = Optimizer::kLowPass;
  spec.layers[4].plasticity->mix = 0.1;
  spec.layers[5].plasticity->clip = 0.5;
  spec.layers[5].bias->plasticity.reset();
  return spec;
}

LatentEquilibriumSpec Dynamics() {
  LatentEquilibriumSpec spec;
  spec.input_shape = {5};
  spec.layers = {DenseLayer("a", 17, Activation::kSigmoid, 0.02),
                 DenseLayer("b", 6, Activation::kTanh, 0.02),
                 DenseLayer("out", 3, Activation::kLinear, 0.02)};
  spec.feedback = FeedbackPath::kAligned;
  spec.order = LatentEquilibriumSpec::Order::kDynamics;
  spec.gamma = 1.0;
  spec.tau_error = 0.5;
  for (const size_t l : {0, 1}) spec.layers[l].noise = OuNoise(0.05, 1.0);
  for (const size_t l : {1, 2}) spec.layers[l].alignment = Aligned(0.1, 0.01, 1.0);
  return spec;
}

void DriveLayers(int64_t n, const Network& network) {
  for (const char* name : {"input.r", "out.target"}) {
    const RandomStream random(static_cast<uint64_t>(n / 10), name);
    std::vector<double> values(static_cast<size_t>(Get(network, name).size()));
    for (size_t i = 0; i < values.size(); ++i) values[i] = random.Normal(static_cast<int64_t>(i));
    Set(network, name, values);
  }
  Set(network, "out.teach", n % 20 < 5 ? 0.0 : 1.0);
}

void RunLayers(int64_t begin, int64_t end, Network& network) {
  for (int64_t n = begin; n < end; ++n) {
    DriveLayers(n, network);
    network.Advance({n, 0.1});
  }
}

}  // namespace prospero
