#include "engine/models/microcircuit/loop_gain.h"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/core/activation.h"
#include "engine/models/microcircuit/fixed_point.h"
#include "engine/models/microcircuit/membrane.h"
#include "engine/models/microcircuit/structure.h"

namespace prospero::microcircuit {
namespace {

using Vector = Eigen::VectorXd;

/// W without its padding.
template <class Real>
auto MatrixOf(const Synapses<Real>& W) {
  using Rows = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const Rows, Eigen::Aligned64, Eigen::OuterStride<>>(
      W.data(), W.post(), W.pre(), Eigen::OuterStride<>(W.stride()));
}

template <class Real>
Vector Times(const Synapses<Real>& W, const Vector& x) {
  return (MatrixOf(W) * x.cast<Real>()).template cast<double>();
}

template <class Real>
Vector TransposedTimes(const Synapses<Real>& W, const Vector& x) {
  return (MatrixOf(W).transpose() * x.cast<Real>()).template cast<double>();
}

/// A start without symmetry.
Vector AnyVector(int64_t n) {
  Vector x(n);
  for (int64_t i = 0; i < n; ++i) x[i] = 1.0 + 0.5 * std::sin(1.7 * static_cast<double>(i));
  return x;
}

/// By how much `apply` makes a vector longer in the long run: its growth in the second half of
/// `rounds`.
template <class Apply>
double SpectralRadius(const Apply& apply, int64_t n, int rounds) {
  Vector x = AnyVector(n);
  double log_growth = 0;
  for (int round = 0; round < rounds; ++round) {
    x = apply(Vector(x / x.norm()));
    if (!(x.norm() > 0)) return 0;
    if (2 * round >= rounds) log_growth += std::log(x.norm());
  }
  const int counted = rounds - rounds / 2;
  return std::exp(log_growth / counted);
}

/// The network around a fixed state, with the greatest slopes: what deviations become.
template <class Real>
class Linearised {
 public:
  Linearised(const MicrocircuitSpec& spec, const std::vector<std::unique_ptr<Layer<Real>>>& layers)
      : spec_(spec), layers_(layers), membrane_(spec.conductances) {
    double weights = 1;
    for (const auto& layer : layers) {
      weights += static_cast<double>(layer->basal.W().post()) *
                 static_cast<double>(layer->basal.W().pre());
    }
    // Large networks are random, and their estimate is near after few rounds.
    rounds_ = static_cast<int>(std::clamp(1e8 / weights, 16.0, 300.0));
  }

  /// The loop of layer `l` with the layer above it.
  double LoopGain(size_t l) const {
    // B without decay grows beyond all bounds.
    if (std::isinf(scales_[l])) return scales_[l];
    double factor = membrane_.apical * (1.0 - membrane_.interneuron);
    for (size_t k = l; k <= Above(spec_, l); ++k) factor *= Slope(k);
    return factor *
           SpectralRadius([&](const Vector& x) { return Back(l, Up(l, x)); }, Size(l), rounds_);
  }

  /// The growth of all together in one step.
  double Growth() const {
    int64_t n = 0;
    for (size_t l = 1; l <= OutputOf(spec_); ++l) {
      n += Size(l) + (IsHidden(spec_, l) ? Size(Above(spec_, l)) : 0);
    }
    return SpectralRadius([&](const Vector& x) { return Step(x); }, n, rounds_);
  }

  /// From now on B of layer l is `scale` times the transpose of the way up, and C is -B.
  void SendTo(size_t l, double scale) { scales_[l] = scale; }

 private:
  int64_t Size(size_t l) const { return spec_.layers[l].size; }
  double Slope(size_t l) const { return MaxSlope(spec_.layers[l].activation); }
  const Synapses<Real>& W(size_t l) const { return layers_[l - 1]->basal.W(); }
  double Lambda(size_t l) const {
    return l == OutputOf(spec_) ? membrane_.basal_output : membrane_.basal_hidden;
  }

  /// λ W ... λ W x, without slopes.
  Vector Up(size_t l, Vector x) const {
    for (size_t k = l + 1; k <= Above(spec_, l); ++k) x = Lambda(k) * Times(W(k), x);
    return x;
  }

  /// B x
  Vector Back(size_t l, Vector x) const {
    if (scales_[l] < 0) return Times(layers_[l - 1]->apical->B(), x);
    for (size_t k = Above(spec_, l); k > l; --k) x = TransposedTimes(W(k), x);
    return scales_[l] * x;
  }

  /// B x + C x_I
  Vector Apical(size_t l, const Vector& x, const Vector& x_inter) const {
    if (scales_[l] >= 0) return Back(l, x - x_inter);
    return Back(l, x) + Times(layers_[l - 1]->apical->C(), x_inter);
  }

  /// Deviations of all p, layer after layer, those of interneurons after their layer's.
  Vector Step(const Vector& x) const {
    std::vector<Vector> p(spec_.layers.size()), p_inter(spec_.layers.size());
    int64_t at = 0;
    const auto next = [&](int64_t n) { return Vector(x.segment((at += n) - n, n)); };
    for (size_t l = 1; l <= OutputOf(spec_); ++l) {
      p[l] = next(Size(l));
      if (IsHidden(spec_, l)) p_inter[l] = next(Size(Above(spec_, l)));
    }
    Vector after(x.size());
    at = 0;
    const auto put = [&](const Vector& part) {
      after.segment((at += part.size()) - part.size(), part.size()) = part;
    };
    for (size_t l = 1; l <= OutputOf(spec_); ++l) {
      Vector moved = Vector::Zero(Size(l));
      if (l > 1) moved += Lambda(l) * Slope(l - 1) * Times(W(l), p[l - 1]);
      if (!IsHidden(spec_, l)) {
        put(moved);
        continue;
      }
      const size_t above = Above(spec_, l);
      put(moved + membrane_.apical * Slope(above) * Apical(l, p[above], p_inter[l]));
      const double g_d = membrane_.g.dendrite * membrane_.tau_interneuron;
      put(g_d * Slope(l) * Times(layers_[l - 1]->interneurons->V(), p[l]) +
          membrane_.interneuron * p[above]);
    }
    return after;
  }

  const MicrocircuitSpec& spec_;
  const std::vector<std::unique_ptr<Layer<Real>>>& layers_;
  const Membrane membrane_;
  int rounds_ = 0;
  std::vector<double> scales_ = std::vector<double>(spec_.layers.size(), -1.0);  ///< < 0: B itself
};

/// The scale of B* and W, with the greatest slopes; negative where it is not known.
double ScaleOf(const MicrocircuitSpec& spec, size_t layer, double dt) {
  const bool known = LearnsFeedback(spec.layers[layer]) && spec.prospectivity == 1.0 &&
                     spec.noise_scale == MicrocircuitSpec::NoiseScale::kConstant;
  if (!known) return -1;
  double scale = PredictFeedback(spec, layer, dt).scale;
  if (spec.decay == MicrocircuitSpec::Decay::kSlopes) return scale;
  for (size_t l = layer; l <= Above(spec, layer); ++l) {
    scale *= MaxSlope(spec.layers[l].activation);
  }
  return scale;
}

/// Warns of single loops, or of all together.
template <class Real>
void Warn(const MicrocircuitSpec& spec, const Linearised<Real>& network, const std::string& when,
          const std::string& advice, std::vector<Warning>& warnings) {
  const size_t before = warnings.size();
  for (size_t l = 1; l < OutputOf(spec); ++l) {
    const double gain = network.LoopGain(l);
    if (!(gain > 1)) continue;
    warnings.push_back(
        {"LOOP_GAIN", absl::StrCat("layers[", l, "]"),
         absl::StrFormat(
             "the loop '%s' -> '%s' -> '%s' has a gain of %.3g %s; above 1 it may diverge: "
             "choose %s",
             spec.layers[l].name, spec.layers[Above(spec, l)].name, spec.layers[l].name, gain, when,
             advice)});
  }
  if (warnings.size() > before) return;
  const double growth = network.Growth();
  if (!(growth > 1)) return;
  warnings.push_back({"LOOP_GAIN", "layers",
                      absl::StrFormat("all loops together let a deviation grow by %.3g in each "
                                      "step %s; above 1 they diverge: choose %s",
                                      growth, when, advice)});
}

}  // namespace

template <class Real>
void WarnOfLoops(const MicrocircuitSpec& spec,
                 const std::vector<std::unique_ptr<Layer<Real>>>& layers, double dt,
                 std::vector<Warning>& warnings) {
  Linearised<Real> network(spec, layers);
  Warn(spec, network, "with the first weights", "smaller W or B", warnings);
  bool moves = false;
  for (size_t l = 1; l < OutputOf(spec); ++l) {
    const double scale = ScaleOf(spec, l, dt);
    if (scale < 0) continue;
    moves = true;
    network.SendTo(l, scale);
  }
  if (!moves) return;
  Warn(spec, network, "where B is going to", "a smaller sigma, or a larger weight_decay of B",
       warnings);
}

template void WarnOfLoops(const MicrocircuitSpec&,
                          const std::vector<std::unique_ptr<Layer<float>>>&, double,
                          std::vector<Warning>&);
template void WarnOfLoops(const MicrocircuitSpec&,
                          const std::vector<std::unique_ptr<Layer<double>>>&, double,
                          std::vector<Warning>&);

}  // namespace prospero::microcircuit
