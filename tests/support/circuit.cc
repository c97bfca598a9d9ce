#include "tests/support/circuit.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/random.h"
#include "tests/support/variables.h"

namespace prospero {

MicrocircuitSpec Circuit(const std::vector<int64_t>& sizes, FeedbackPath feedback, Activation phi) {
  MicrocircuitSpec spec;
  spec.feedback = feedback;
  for (size_t l = 0; l < sizes.size(); ++l) {
    MicrocircuitLayer layer;
    layer.name = absl::StrCat("l", l);
    layer.size = sizes[l];
    if (l > 0) layer.activation = phi;
    spec.layers.push_back(layer);
  }
  return spec;
}

Plasticity PerMillisecond(double eta, double dt) {
  Plasticity plasticity;
  plasticity.learning_rate = eta * dt;
  return plasticity;
}

void LearnFeedback(const FeedbackLearning& how, MicrocircuitSpec& spec) {
  for (size_t l = 1; l + 1 < spec.layers.size(); ++l) {
    MicrocircuitLayer& layer = spec.layers[l];
    layer.alignment.emplace();
    layer.alignment->plasticity = PerMillisecond(how.eta_B);
    layer.alignment->plasticity->weight_decay = how.alpha;
    layer.alignment->tau_hp = how.tau;
    layer.noise.emplace();
    layer.noise->sigma = how.sigma;
    layer.noise->tau = how.tau;
    layer.from_interneurons.plasticity = PerMillisecond(how.eta_C);
  }
}

void LearnForward(size_t layer, double eta_W, double eta_V, MicrocircuitSpec& spec) {
  spec.layers[layer].forward.plasticity = PerMillisecond(eta_W);
  if (layer > 1) spec.layers[layer - 1].to_interneurons.plasticity = PerMillisecond(eta_V);
}

std::unique_ptr<Network> MakeCircuit(const MicrocircuitSpec& spec, uint64_t seed,
                                     DataType precision, int64_t batch_size, double dt) {
  NetworkOptions options;
  options.dt = dt;
  options.precision = precision;
  options.seed = seed;
  options.batch_size = batch_size;
  auto network = MakeMicrocircuit(spec, options, NetworkLimits());
  if (network.ok()) return *std::move(network);
  std::fprintf(stderr, "%s\n", network.status().ToString().c_str());
  std::abort();
}

MicrocircuitSpec BusyCircuit(FeedbackPath feedback) {
  MicrocircuitSpec spec = Circuit({3, 5, 4, 2}, feedback, Activation::kSigmoid);
  if (feedback == FeedbackPath::kAligned) LearnFeedback({}, spec);
  for (size_t l = 1; l <= 3; ++l) LearnForward(l, 20, 10, spec);
  spec.layers[1].forward.plasticity->optimizer = Optimizer::kLowPass;
  spec.layers[1].forward.plasticity->mix = 0.02;
  spec.layers[2].forward.plasticity->optimizer = Optimizer::kAdam;
  spec.layers[2].forward.plasticity->learning_rate = 1e-3;
  spec.layers[3].forward.plasticity->bound = 2;
  spec.layers[2].activation = Activation::kTanh;
  spec.layers[1].potential = Initializer{Initializer::Kind::kNormal, 0, 1, {}, {}};
  spec.layers[2].interneuron_potential = Initializer{Initializer::Kind::kUniform, -1, 1, {}, {}};
  spec.tau_presynaptic = 0.05;
  spec.tau_postsynaptic = 0.03;
  spec.tau_dendrite = 0.02;
  return spec;
}

void DriveBusy(int64_t begin, int64_t end, Network& network) {
  const int64_t batch = Get(network, "l0.r").shape[0];
  for (int64_t n = begin; n < end; ++n) {
    std::vector<double> x, target;
    for (int64_t k = 0; k < batch * 3; ++k) x.push_back(std::sin(static_cast<double>(n / 7 + k)));
    for (int64_t k = 0; k < batch * 2; ++k)
      target.push_back(std::cos(static_cast<double>(n / 7 - k)));
    Set(network, "l0.r", x);
    Set(network, "l3.target", target);
    Set(network, "l3.teach", n % 50 < 20 ? 0.0 : 1.0);
    network.Advance({n, kCircuitDt});
  }
}

Presentation::Presentation(int64_t samples, int64_t size, int64_t hold, uint64_t seed)
    : samples_(samples), size_(size), hold_(hold), seed_(seed) {
  const RandomStream random(seed, "samples");
  for (int64_t i = 0; i < samples * size; ++i) values_.push_back(random.Uniform(i));
  order_.resize(static_cast<size_t>(samples));
  std::iota(order_.begin(), order_.end(), 0);
}

void Presentation::Show(int64_t sample, Network& network) {
  Set(network, "l0.r", values_.data() + sample * size_);
  for (int64_t n = 0; n < hold_; ++n) network.Advance({steps_++, kCircuitDt});
}

void Presentation::Settle(Network& network) {
  Set(network, "learning", 0.0);
  for (int64_t sample = 0; sample < samples_; ++sample) Show(sample, network);
  Set(network, "learning", 1.0);
}

void Presentation::Learn(Network& network) {
  const RandomStream random(seed_, absl::StrCat("order ", epochs_++));
  for (int64_t k = samples_ - 1; k > 0; --k) {
    const auto other = static_cast<int64_t>(random.Uniform(k) * static_cast<double>(k + 1));
    std::swap(order_[static_cast<size_t>(k)], order_[static_cast<size_t>(other)]);
  }
  for (const int64_t sample : order_) Show(sample, network);
}

}  // namespace prospero
