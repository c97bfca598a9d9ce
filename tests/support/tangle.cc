#include "tests/support/tangle.h"

#include <string>
#include <vector>

#include "engine/core/random.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

GlePopulation Input(const std::string& name, int64_t size) {
  GlePopulation p;
  p.name = name;
  p.size = size;
  p.role = PopulationRole::kInput;
  return p;
}

GlePopulation Hidden(const std::string& name, int64_t size, Activation activation) {
  GlePopulation p;
  p.name = name;
  p.size = size;
  p.activation = activation;
  for (int64_t i = 0; i < size; ++i) {
    p.tau_m.push_back(0.5 + 0.1 * static_cast<double>(i % 7));
    p.tau_r.push_back(0.2 + 0.15 * static_cast<double>(i % 5));
  }
  return p;
}

Plasticity Learns(Optimizer optimizer, double eta, double decay = 0, double clip = 0) {
  Plasticity plasticity;
  plasticity.optimizer = optimizer;
  plasticity.learning_rate = eta;
  plasticity.momentum = 0.8;
  plasticity.weight_decay = decay;
  plasticity.clip = clip;
  return plasticity;
}

GleProjection From(const std::string& pre, const std::string& post,
                   absl::optional<Plasticity> plasticity = absl::nullopt,
                   const std::string& name = "") {
  GleProjection q;
  q.name = name;
  q.pre = pre;
  q.post = post;
  q.plasticity = plasticity;
  return q;
}

GleProjection Returns(GleProjection q, FeedbackPath path, const std::string& output = "") {
  q.feedback.path = path;
  q.feedback.initializer = Initializer{Initializer::Kind::kNormal, 0, 0.2, {}, {}};
  q.feedback.output = output;
  return q;
}

GleProjection Aligns(GleProjection q, const Plasticity& plasticity) {
  q.feedback.path = FeedbackPath::kAligned;
  q.feedback.initializer = Initializer{Initializer::Kind::kUniform, -0.4, 0.4, {}, {}};
  q.feedback.alignment = Alignment{plasticity, 0.4};
  return q;
}

Plasticity Filtered(double eta, double mix, double bound) {
  Plasticity plasticity = Learns(Optimizer::kLowPass, eta, 1e-2);
  plasticity.mix = mix;
  plasticity.bound = bound;
  return plasticity;
}

}  // namespace

GleSpec Tangle() {
  GleSpec spec;
  GlePopulation a = Hidden("a", 19, Activation::kTanh);
  a.gamma = 0.3;
  a.has_bias = true;
  a.bias_plasticity = Learns(Optimizer::kMomentum, 1e-3);
  a.tau_m_plasticity = Learns(Optimizer::kSgd, 1e-2);
  a.noise = NoiseSpec{NoiseSpec::Kind::kOrnsteinUhlenbeck, 0.1, 0.3, 1};
  GlePopulation b = Hidden("b", 8, Activation::kSigmoid);
  b.prospective_errors = false;
  b.has_bias = true;
  b.tau_min = 0.3;
  b.noise = NoiseSpec{NoiseSpec::Kind::kHeldWhite, 0.05, 0, 3};
  GlePopulation c = Hidden("c", 5, Activation::kSoftplus);
  c.tau_m_plasticity = Learns(Optimizer::kAdam, 1e-3, 1e-3);
  GlePopulation d = Hidden("d", 3, Activation::kHardTanh);
  GlePopulation f = Hidden("f", 4, Activation::kHardSigmoid);
  GlePopulation g = Hidden("g", 4, Activation::kRelu);
  GlePopulation out = Hidden("out", 2, Activation::kTanh);
  out.role = PopulationRole::kOutput;
  out.beta = 0.7;
  GlePopulation classes = Hidden("classes", 3, Activation::kLinear);
  classes.role = PopulationRole::kOutput;
  classes.loss = Loss::kCrossEntropy;
  classes.has_bias = true;
  classes.bias_plasticity = Learns(Optimizer::kAdam, 1e-3);
  spec.populations = {Input("x", 6), a, b, c, Input("z", 17), d, f, g, out, classes};
  spec.projections = {
      From("x", "a", Learns(Optimizer::kSgd, 1e-2)),
      From("z", "a", Learns(Optimizer::kSgd, 1e-2, 1e-2, 0.01)),
      From("z", "b", Learns(Optimizer::kMomentum, 1e-3)),
      From("a", "b", Learns(Optimizer::kAdam, 1e-3)),
      Aligns(From("a", "b", Learns(Optimizer::kSgd, 1e-2), "a_to_b_again"),
             Learns(Optimizer::kSgd, 0.5, 1e-3)),
      From("a", "a", Learns(Optimizer::kSgd, 1e-2, 1e-3)),
      From("b", "a", Learns(Optimizer::kMomentum, 1e-3, 1e-2, 0.02)),
      Aligns(From("b", "c", Learns(Optimizer::kAdam, 1e-3, 1e-2, 0.01)), Filtered(0.5, 0.1, 0.3)),
      From("c", "d"),
      Returns(From("c", "f", Learns(Optimizer::kSgd, 1e-2)), FeedbackPath::kRandom),
      Returns(From("d", "g", Learns(Optimizer::kSgd, 1e-2)), FeedbackPath::kDirect, "out"),
      From("f", "out", Learns(Optimizer::kSgd, 1e-2)),
      From("g", "out", Learns(Optimizer::kSgd, 1e-2)),
      From("x", "out", Learns(Optimizer::kSgd, 1e-2)),
      From("out", "classes", Learns(Optimizer::kSgd, 1e-2)),
      From("out", "d", Learns(Optimizer::kSgd, 1e-2)),
      From("a", "classes", Learns(Optimizer::kSgd, 1e-2)),
      Aligns(From("a", "classes", absl::nullopt, "a_to_classes_again"),
             Learns(Optimizer::kAdam, 1e-3)),
  };
  return spec;
}

void WriteTangle(int64_t n, const Network& network) {
  for (const GlePopulation& population : Tangle().populations) {
    if (population.role == PopulationRole::kHidden) continue;
    const bool is_input = population.role == PopulationRole::kInput;
    const std::string name = population.name + (is_input ? ".r" : ".target");
    const RandomStream noise(static_cast<uint64_t>(n / 10), population.name);
    std::vector<double> values(static_cast<size_t>(Get(network, name).size()));
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = noise.Uniform(static_cast<int64_t>(i)) - (is_input ? 0.5 : 0.0);
    }
    if (population.loss == Loss::kCrossEntropy) {
      const auto size = static_cast<size_t>(population.size);
      for (size_t trial = 0; trial < values.size(); trial += size) {
        double sum = 0;
        for (size_t i = 0; i < size; ++i) sum += values[trial + i];
        for (size_t i = 0; i < size; ++i) values[trial + i] /= sum;
      }
    }
    Set(network, name, values);
    if (!is_input) Set(network, population.name + ".teach", n % 100 >= 20 ? 1.0 : 0.0);
  }
}

void RunTangle(int64_t begin, int64_t end, double dt, Network& network) {
  for (int64_t n = begin; n < end; ++n) {
    WriteTangle(n, network);
    network.Advance({n, dt});
  }
}

}  // namespace prospero
