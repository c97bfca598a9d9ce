#include "tests/support/circuit.h"

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
