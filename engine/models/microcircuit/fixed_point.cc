#include "engine/models/microcircuit/fixed_point.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/models/microcircuit/membrane.h"
#include "engine/models/microcircuit/structure.h"

namespace prospero {
namespace {

using microcircuit::Above;
using microcircuit::Membrane;
using microcircuit::OutputOf;

/// The decay that B has on average.
double MeanDecay(const MicrocircuitSpec& spec, size_t layer) {
  const double alpha = spec.layers[layer].alignment->plasticity->weight_decay;
  const bool below_output = Above(spec, layer) == OutputOf(spec);
  switch (spec.decay) {
    case MicrocircuitSpec::Decay::kPlain:
      return alpha;
    case MicrocircuitSpec::Decay::kGated:
      return 0.5 * alpha;
    case MicrocircuitSpec::Decay::kSlopes:
      return below_output ? 0.0 : alpha;
  }
  return alpha;
}

}  // namespace

double NoiseCorrelation(const NoiseSpec& noise, double tau_hp, int64_t delay, double dt) {
  const double b = tau_hp > 0 ? dt / tau_hp : 0.0;
  if (noise.kind == NoiseSpec::Kind::kOrnsteinUhlenbeck) {
    const double a = dt / noise.tau;
    const double at_delay = std::pow(1.0 - a, static_cast<double>(delay));
    return tau_hp > 0 ? a * at_delay / (a + b - a * b) : at_delay;
  }
  // Of the steps that share a draw, as many are left.
  const auto rho = [&noise](int64_t k) {
    return std::max(0.0, 1.0 - static_cast<double>(k) / static_cast<double>(noise.hold));
  };
  double kappa = rho(delay), passed = b;
  for (int64_t k = 1; delay + k < noise.hold; ++k, passed *= 1.0 - b) {
    kappa -= passed * rho(delay + k);
  }
  return kappa;
}

FeedbackFixedPoint PredictFeedback(const MicrocircuitSpec& spec, size_t layer, double dt) {
  const MicrocircuitLayer& own = spec.layers[layer];
  const Membrane membrane(spec.conductances);
  const size_t above = Above(spec, layer);
  const auto jumped = static_cast<int64_t>(above - layer) - 1;
  const int64_t delay = (spec.without_high_pass ? 3 : 4) + jumped;
  FeedbackFixedPoint fixed_point;
  fixed_point.kappa =
      NoiseCorrelation(*own.noise, spec.without_high_pass ? 0.0 : own.alignment->tau_hp, delay, dt);
  const double sigma = own.noise->sigma;
  const bool held = own.noise->kind == NoiseSpec::Kind::kHeldWhite;
  fixed_point.Vx = sigma * sigma / (held ? 1.0 : 2.0 - dt / own.noise->tau);
  const double lambda = above == OutputOf(spec) ? membrane.basal_output : membrane.basal_hidden;
  const double gain =
      membrane.apical * lambda * std::pow(membrane.basal_hidden, static_cast<double>(jumped));
  const double product = fixed_point.kappa * fixed_point.Vx * gain;
  const double alpha = MeanDecay(spec, layer);
  fixed_point.scale = product == 0 ? 0.0 : product / alpha;
  return fixed_point;
}

}  // namespace prospero
